#include "store.h"

#include <math.h>
#include <string.h>

#include "checksum.h"
#include "columns.h"
#include "schema.h"

/// That the file defines what neurodex does and no more: a table or view may say anything, or never end.
static int check_schema(sqlite3 *connection, const char *name, const char *schema, char **message) {
    ndx_schema_finding finding;
    int code = ndx_schema_check(connection, name, schema, &finding);
    if (code != SQLITE_OK) {
        code = ndx_fail_sqlite(message, connection, name);
    } else if (finding.kind != NDX_SCHEMA_SOUND) {
        const char *path = sqlite3_db_filename(connection, name);
        char *words = ndx_schema_words(finding.kind, finding.type, finding.name, path && *path ? path : name);
        const char *format = finding.kind == NDX_SCHEMA_FOREIGN ? "%s %s" : "%s is damaged: %s";
        code = words ? ndx_fail(message, SQLITE_CORRUPT_VTAB, format, name, words) : SQLITE_NOMEM;
        sqlite3_free(words);
    }
    ndx_schema_free(&finding);
    return code;
}

int ndx_store_open(
    sqlite3 *connection, const char *name, const char *schema, ndx_store **stores, ndx_store **into, char **message
) {
    for (ndx_store *store = *stores; store; store = store->next)
        if (!sqlite3_stricmp(store->name, name)) {
            *into = store;
            return SQLITE_OK;
        }
    int fault = schema ? check_schema(connection, name, schema, message) : SQLITE_OK;
    if (fault != SQLITE_OK) return fault;
    ndx_store *store = sqlite3_malloc64(sizeof *store);
    if (!store) return SQLITE_NOMEM;
    memset(store, 0, sizeof *store);
    store->connection = connection;
    store->schema = schema;
    store->name = sqlite3_mprintf("%s", name);
    int code = store->name ? SQLITE_OK : SQLITE_NOMEM;
    if (code == SQLITE_OK)
        code = ndx_prepare(connection, name, "SELECT id FROM \"%w\".image LIMIT 1", &store->probe, message);
    if (code == SQLITE_OK)
        code = ndx_prepare(
            connection, name, 
            "SELECT n, value_max, checksum, value, position, id FROM \"%w\".activation_block WHERE id >= ? ORDER BY id LIMIT 2",
            &store->select, message);
    if (code == SQLITE_ERROR)
        ndx_fail(message, code, "%s is no neurodex store: %s", name, sqlite3_errmsg(connection));
    if (code != SQLITE_OK) {
        ndx_store_close(store);
        return code;
    }
    store->next = *stores;
    *stores = *into = store;
    return SQLITE_OK;
}

void ndx_store_close(ndx_store *store) {
    sqlite3_finalize(store->probe);
    sqlite3_finalize(store->select);
    ndx_catalog_release(store->catalog);
    sqlite3_free(store->name);
    sqlite3_free(store);
}

int ndx_store_refresh(ndx_store *store, int is_first, char **message) {
    if (is_first) {
        // This begins to read, so that the version below is that of what will be read, and tells of another database under the
        // same name.
        int code = sqlite3_step(store->probe);
        if (code != SQLITE_ROW && code != SQLITE_DONE) {
            code = ndx_fail_sqlite(message, store->connection, store->name);
            sqlite3_reset(store->probe);
            return code;
        }
        sqlite3_reset(store->probe);
    }
    uint32_t version = 0;
    int code = sqlite3_file_control(store->connection, store->name, SQLITE_FCNTL_DATA_VERSION, &version);
    if (code != SQLITE_OK) return ndx_fail(message, code, "%s: no such database", store->name);
    int changes = sqlite3_total_changes(store->connection);
    int preparations = sqlite3_stmt_status(store->probe, SQLITE_STMTSTATUS_REPREPARE, 0);
    int is_provisional = sqlite3_txn_state(store->connection, store->name) == SQLITE_TXN_WRITE;
    if (store->catalog && store->version == version && store->changes == changes && store->preparations == preparations
        && !(is_first && (is_provisional || store->is_provisional)))
        return SQLITE_OK;

    // It was compared when it was opened, and may have been changed since.
    if (store->schema && store->catalog) code = check_schema(store->connection, store->name, store->schema, message);
    ndx_catalog *catalog = NULL;
    if (code == SQLITE_OK) code = ndx_catalog_load(store->connection, store->name, &catalog, message);
    ndx_catalog_release(store->catalog);
    store->catalog = catalog;
    store->version = version;
    store->changes = changes;
    store->preparations = preparations;
    store->is_provisional = is_provisional;
    return code;
}

int ndx_row_damaged(const ndx_catalog *catalog, uint32_t block, uint32_t neuron, const char *what, char **message) {
    const ndx_layer *layer = ndx_catalog_layer(catalog, neuron);
    uint32_t first = block * catalog->block_images;
    return ndx_fail(
        message, SQLITE_CORRUPT_VTAB, "%s of layer %s, channel %u in block %u (images %u to %u)%s", what, layer->name,
        neuron - layer->first_neuron, block, first, first + ndx_catalog_lanes(catalog, block) - 1,
#ifdef SQLITE_CORE
        ""
#else
        "; neurodex verify STORE tells what is lost"
#endif
    );
}

static sqlite3_int64 key_of(uint32_t block, uint32_t neuron) {
    return (sqlite3_int64)block << NDX_NEURON_BITS | neuron;
}

/// Whether `value_max` of the row that was stepped to can be a float; `into` is NaN for NULL.
static int maximum(sqlite3_stmt *select, float *into) {
    if (sqlite3_column_type(select, 1) == SQLITE_NULL) {
        *into = NAN;
        return 1;
    }
    double wide = sqlite3_column_double(select, 1);
    *into = (float)wide;
    return sqlite3_column_type(select, 1) == SQLITE_FLOAT && *into == wide;
}

/// Checks the row that was stepped to, and copies it unless its maximum is below `floor`.
static int take(ndx_row *row, sqlite3_stmt *select, const ndx_catalog *catalog, float floor, char **message) {
    uint32_t lanes = ndx_catalog_lanes(catalog, row->block);
    size_t values = lanes * sizeof(float), positions = (size_t)lanes * row->layer->position_bytes;
    // A blob's address is to be asked for before its length.
    const void *value = sqlite3_column_blob(select, 3), *position = sqlite3_column_blob(select, 4);
    if (sqlite3_column_int64(select, 0) != lanes || sqlite3_column_type(select, 3) != SQLITE_BLOB
        || sqlite3_column_type(select, 4) != SQLITE_BLOB || (size_t)sqlite3_column_bytes(select, 3) != values
        || (size_t)sqlite3_column_bytes(select, 4) != positions || !value || (positions && !position)) {
        if (sqlite3_errcode(sqlite3_db_handle(select)) == SQLITE_NOMEM) return SQLITE_NOMEM;
        return ndx_row_damaged(catalog, row->block, row->neuron, "the lengths are wrong in the row", message);
    }
    uint32_t checksum = ndx_checksum(0, value, values);
    if (positions) checksum = ndx_checksum(checksum, position, positions);
    if (sqlite3_column_type(select, 2) != SQLITE_INTEGER || sqlite3_column_int64(select, 2) != checksum)
        return ndx_row_damaged(catalog, row->block, row->neuron, "the checksum differs in the row", message);
    if (!maximum(select, &row->maximum))
        return ndx_row_damaged(catalog, row->block, row->neuron, "the maximum is no value of a float in the row", message);
    float largest = ndx_column_maximum(value, lanes);
    if (largest != row->maximum && !(isnan(largest) && isnan(row->maximum)))
        return ndx_row_damaged(catalog, row->block, row->neuron, "the maximum differs from the values in the row", message);
    if (!isnan(floor) && !(largest >= floor)) return NDX_ROW_PASSED_BY;

    if (row->capacity < values + positions) {
        uint8_t *bytes = sqlite3_realloc64(row->bytes, values + positions);
        if (!bytes) return SQLITE_NOMEM;
        row->bytes = bytes;
        row->capacity = values + positions;
    }
    memcpy(row->bytes, value, values);
    if (positions) memcpy(row->bytes + values, position, positions);
    row->lanes = lanes;
    return SQLITE_OK;
}

/// That the row's key is followed by its successor, or by none if it is the last: all that shows a key that was damaged into another one.
static int check_successor(const ndx_row *row, ndx_store *store, const ndx_catalog *catalog, char **message) {
    uint32_t block = row->block, neuron = row->neuron + 1;
    if (neuron == catalog->neurons) {
        block++;
        neuron = 0;
    }
    int is_last = block > (catalog->lanes - 1) / catalog->block_images;
    int code = sqlite3_step(store->select);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return ndx_fail_sqlite(message, store->connection, store->name);
    if (is_last ? code == SQLITE_DONE : code == SQLITE_ROW && sqlite3_column_int64(store->select, 5) == key_of(block, neuron))
        return SQLITE_OK;
    if (is_last) return ndx_row_damaged(catalog, row->block, row->neuron, "another follows the row", message);
    return ndx_row_damaged(catalog, block, neuron, "there is no row", message);
}

int ndx_row_read(
    ndx_row *row, ndx_store *store, const ndx_catalog *catalog, uint32_t block, uint32_t neuron, float floor, char **message
) {
    if (row->is_loaded && row->block == block && row->neuron == neuron)
        return row->maximum >= floor || isnan(floor) ? SQLITE_OK : NDX_ROW_PASSED_BY;
    row->is_loaded = 0;
    row->block = block;
    row->neuron = neuron;
    row->layer = ndx_catalog_layer(catalog, neuron);
    sqlite3_bind_int64(store->select, 1, key_of(block, neuron));
    int code = sqlite3_step(store->select);
    if (code == SQLITE_ROW && sqlite3_column_int64(store->select, 5) == key_of(block, neuron)) {
        code = take(row, store->select, catalog, floor, message);
        if (code == SQLITE_OK || code == NDX_ROW_PASSED_BY) {
            int next = check_successor(row, store, catalog, message);
            if (next != SQLITE_OK) code = next;
        }
        row->is_loaded = code == SQLITE_OK;
    } else if (code == SQLITE_ROW || code == SQLITE_DONE) {
        code = ndx_row_damaged(catalog, block, neuron, "there is no row", message);
    } else {
        code = ndx_fail_sqlite(message, store->connection, store->name);
    }
    sqlite3_reset(store->select);
    return code;
}

void ndx_row_free(ndx_row *row) {
    sqlite3_free(row->bytes);
}

float ndx_row_value(const ndx_row *row, uint32_t lane) {
    float value;
    memcpy(&value, row->bytes + lane * sizeof value, sizeof value);
    return value + 0.0f;
}

uint32_t ndx_row_position(const ndx_row *row, uint32_t lane) {
    return ndx_position(row->bytes + row->lanes * sizeof(float), row->layer->position_bytes, lane);
}
