#include "catalog.h"

#include <string.h>

#define FAULT SQLITE_CORRUPT_VTAB

int ndx_prepare(sqlite3 *connection, const char *name, const char *format, sqlite3_stmt **into, char **message) {
    char *sql = sqlite3_mprintf(format, name, name, name, name);
    if (!sql) return SQLITE_NOMEM;
    int code = sqlite3_prepare_v3(connection, sql, -1, SQLITE_PREPARE_PERSISTENT | SQLITE_PREPARE_NO_VTAB, into, NULL);
    sqlite3_free(sql);
    return code == SQLITE_OK ? code : ndx_fail_sqlite(message, connection, name);
}

/// An integer of the row in low ... high, or a failure that names it.
static int integer(
    sqlite3_stmt *row, int column, const char *what, int64_t low, int64_t high, int64_t *into, char **message
) {
    *into = sqlite3_column_int64(row, column);
    if (sqlite3_column_type(row, column) == SQLITE_INTEGER && *into >= low && *into <= high) return SQLITE_OK;
    const char *found = (const char *)sqlite3_column_text(row, column);
    return ndx_fail(
        message, FAULT, "%s is %.80s, and has to be a number from %lld to %lld", what, found ? found : "NULL", (long long)low,
        (long long)high);
}

/// Ends a statement whose last step gave `code`.
static int finish(sqlite3 *connection, sqlite3_stmt *statement, int code, const char *name, char **message) {
    if (code != SQLITE_DONE && code != SQLITE_OK) code = ndx_fail_sqlite(message, connection, name);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int load_meta(
    sqlite3 *connection, const char *name, ndx_catalog *catalog, int64_t *neurons, int64_t *removed, char **message) {
    sqlite3_stmt *row = NULL;
    int code = ndx_prepare(
        connection, name,
        "SELECT key, value FROM \"%w\".meta WHERE key IN ('block_images', 'neurons', 'byte_order', 'checksum', 'removed')",
        &row, message);
    if (code != SQLITE_OK) return code;
    int64_t block_images = 0;
    int texts = 0;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        const char *key = (const char *)sqlite3_column_text(row, 0), *text = NULL;
        int fault = SQLITE_OK;
        if (!key) fault = SQLITE_NOMEM;
        else if (!strcmp(key, "block_images"))
            fault = integer(row, 1, "meta.block_images", 1, NDX_LARGEST_BLOCK, &block_images, message);
        else if (!strcmp(key, "neurons"))
            fault = integer(row, 1, "meta.neurons", 1, 1 << NDX_NEURON_BITS, neurons, message);
        else if (!strcmp(key, "removed"))
            fault = integer(row, 1, "meta.removed", 0, UINT32_MAX, removed, message);
        else {
            const char *expected = !strcmp(key, "checksum") ? "crc32c" : "little";
            text = (const char *)sqlite3_column_text(row, 1);
            if (!text || strcmp(text, expected))
                fault = ndx_fail(
                    message, FAULT, "meta.%s is %.80s, and this program knows %s alone", key, text ? text : "NULL", expected);
            texts++;
        }
        if (fault != SQLITE_OK) {
            sqlite3_finalize(row);
            return fault;
        }
    }
    code = finish(connection, row, code, name, message);
    if (code == SQLITE_OK && (block_images == 0 || *neurons == 0 || texts < 2))
        return ndx_fail(message, FAULT, "meta lacks block_images, neurons, byte_order or checksum");
    catalog->block_images = (uint32_t)block_images;
    return code;
}

static int load_layer(sqlite3_stmt *row, ndx_catalog *catalog, char **message) {
    int64_t first, channels, height, width, position_bytes;
    int64_t room = (1 << NDX_NEURON_BITS) - (int64_t)catalog->neurons;
    int code = integer(row, 1, "layer.first_neuron", catalog->neurons, catalog->neurons, &first, message);
    if (code == SQLITE_OK) code = integer(row, 2, "layer.channels", 1, room, &channels, message);
    if (code == SQLITE_OK) code = integer(row, 3, "layer.height", 1, UINT32_MAX, &height, message);
    if (code == SQLITE_OK) code = integer(row, 4, "layer.width", 1, UINT32_MAX / height, &width, message);
    if (code != SQLITE_OK) return code;
    int64_t cells = height * width;
    int64_t bytes = cells == 1 ? 0 : cells <= 1 << 8 ? 1 : cells <= 1 << 16 ? 2 : 4;
    code = integer(row, 5, "layer.position_bytes", bytes, bytes, &position_bytes, message);
    if (code != SQLITE_OK) return code;
    const char *text = (const char *)sqlite3_column_text(row, 0);
    if (!text) return ndx_fail(message, FAULT, "a layer has no name");

    if ((catalog->layer_count & (catalog->layer_count + 1)) == 0) {
        // One less than a power of two: room for as many again.
        ndx_layer *layers = sqlite3_realloc64(catalog->layers, (2 * (uint64_t)catalog->layer_count + 1) * sizeof *layers);
        if (!layers) return SQLITE_NOMEM;
        catalog->layers = layers;
    }
    ndx_layer *layer = &catalog->layers[catalog->layer_count];
    layer->name_bytes = sqlite3_column_bytes(row, 0);
    layer->name = sqlite3_malloc64((uint64_t)layer->name_bytes + 1);
    if (!layer->name) return SQLITE_NOMEM;
    memcpy(layer->name, text, (size_t)layer->name_bytes);
    layer->name[layer->name_bytes] = 0;
    layer->first_neuron = (uint32_t)first;
    layer->channels = (uint32_t)channels;
    layer->width = (uint32_t)width;
    layer->cells = (uint32_t)cells;
    layer->position_bytes = (uint8_t)position_bytes;
    catalog->layer_count++;
    catalog->neurons += layer->channels;
    if (layer->channels > catalog->most_channels) catalog->most_channels = layer->channels;
    return SQLITE_OK;
}

static int load_layers(sqlite3 *connection, const char *name, ndx_catalog *catalog, char **message) {
    sqlite3_stmt *row = NULL;
    int code = ndx_prepare(
        connection, name,
        "SELECT name, first_neuron, channels, height, width, position_bytes FROM \"%w\".layer ORDER BY first_neuron", &row,
        message);
    if (code != SQLITE_OK) return code;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        int fault = load_layer(row, catalog, message);
        if (fault != SQLITE_OK) {
            sqlite3_finalize(row);
            return fault;
        }
    }
    return finish(connection, row, code, name, message);
}

static int add_gap(ndx_catalog *catalog, uint32_t first, uint32_t end) {
    if ((catalog->gap_count & (catalog->gap_count + 1)) == 0) {
        ndx_gap *gaps = sqlite3_realloc64(catalog->gaps, (2 * (uint64_t)catalog->gap_count + 1) * sizeof *gaps);
        if (!gaps) return SQLITE_NOMEM;
        catalog->gaps = gaps;
    }
    catalog->gaps[catalog->gap_count++] = (ndx_gap){first, end};
    return SQLITE_OK;
}

static int load_gaps(sqlite3 *connection, const char *name, ndx_catalog *catalog, char **message) {
    sqlite3_stmt *row = NULL;
    int code = ndx_prepare(connection, name, "SELECT id FROM \"%w\".image ORDER BY id", &row, message);
    if (code != SQLITE_OK) return code;
    uint32_t next = 0;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        int64_t id;
        int fault = integer(row, 0, "image.id", next, (int64_t)catalog->lanes - 1, &id, message);
        if (fault == SQLITE_OK && id > next) fault = add_gap(catalog, next, (uint32_t)id);
        if (fault != SQLITE_OK) {
            sqlite3_finalize(row);
            return fault;
        }
        next = (uint32_t)id + 1;
    }
    code = finish(connection, row, code, name, message);
    return code == SQLITE_OK && next < catalog->lanes ? add_gap(catalog, next, catalog->lanes) : code;
}

/// The ids of images are below the lanes of all blocks, of which the last images may have been removed, and below the largest id,
/// whose block may be lost. Those that are not there are as many as were removed: else rows of images are lost, and an answer without them
/// would be wrong.
static int load_images(sqlite3 *connection, const char *name, ndx_catalog *catalog, int64_t removed, char **message) {
    sqlite3_stmt *row = NULL;
    int code = ndx_prepare(
        connection, name,
        "SELECT (SELECT count(*) FROM \"%w\".image), (SELECT min(id) FROM \"%w\".image),"
        " (SELECT max(id) FROM \"%w\".image), b.id, b.n FROM (SELECT 1)"
        " LEFT JOIN (SELECT id, n FROM \"%w\".activation_block ORDER BY id DESC LIMIT 1) b",
        &row, message);
    if (code != SQLITE_OK) return code;
    int64_t images = 0, first = 0, last = -1, key = 0, lanes = 0;
    code = sqlite3_step(row);
    if (code == SQLITE_ROW) {
        code = integer(row, 0, "the count of images", 0, UINT32_MAX, &images, message);
        if (code == SQLITE_OK && images > 0) {
            code = integer(row, 1, "image.id", 0, UINT32_MAX - 1, &first, message);
            if (code == SQLITE_OK) code = integer(row, 2, "image.id", first, UINT32_MAX - 1, &last, message);
        }
        if (code == SQLITE_OK && sqlite3_column_type(row, 3) != SQLITE_NULL) {
            int64_t most = UINT32_MAX / catalog->block_images;
            code = integer(row, 3, "activation_block.id", 0, (most << NDX_NEURON_BITS) - 1, &key, message);
            if (code == SQLITE_OK) code = integer(row, 4, "activation_block.n", 1, catalog->block_images, &lanes, message);
            lanes += (key >> NDX_NEURON_BITS) * catalog->block_images;
        }
        if (code == SQLITE_OK) code = SQLITE_DONE;
        else {
            sqlite3_finalize(row);
            return code;
        }
    }
    code = finish(connection, row, code, name, message);
    if (code != SQLITE_OK) return code;
    catalog->images = (uint32_t)images;
    catalog->lanes = (uint32_t)(last + 1 > lanes ? last + 1 : lanes);
    if ((int64_t)catalog->lanes - catalog->images != removed)
        return ndx_fail(
            message, FAULT, "there are %u images of %u, and meta.removed counts %lld that are no more", catalog->images,
            catalog->lanes, (long long)removed);
    return removed == 0 ? SQLITE_OK : load_gaps(connection, name, catalog, message);
}

int ndx_catalog_load(sqlite3 *connection, const char *name, ndx_catalog **into, char **message) {
    ndx_catalog *catalog = sqlite3_malloc64(sizeof *catalog);
    if (!catalog) return SQLITE_NOMEM;
    memset(catalog, 0, sizeof *catalog);
    catalog->references = 1;
    int64_t neurons = 0, removed = 0;
    int code = load_meta(connection, name, catalog, &neurons, &removed, message);
    if (code == SQLITE_OK) code = load_layers(connection, name, catalog, message);
    if (code == SQLITE_OK && neurons != catalog->neurons)
        code = ndx_fail(
            message, FAULT, "meta.neurons is %lld, and the layers have %u channels", (long long)neurons, catalog->neurons);
    if (code == SQLITE_OK) code = load_images(connection, name, catalog, removed, message);
    if (code != SQLITE_OK) {
        ndx_catalog_release(catalog);
        return code;
    }
    *into = catalog;
    return SQLITE_OK;
}

ndx_catalog *ndx_catalog_retain(ndx_catalog *catalog) {
    catalog->references++;
    return catalog;
}

void ndx_catalog_release(ndx_catalog *catalog) {
    if (!catalog || --catalog->references > 0) return;
    for (uint32_t i = 0; i < catalog->layer_count; i++) sqlite3_free(catalog->layers[i].name);
    sqlite3_free(catalog->layers);
    sqlite3_free(catalog->gaps);
    sqlite3_free(catalog);
}

const ndx_layer *ndx_catalog_layer(const ndx_catalog *catalog, uint32_t neuron) {
    uint32_t low = 0, high = catalog->layer_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (catalog->layers[middle].first_neuron <= neuron) low = middle;
        else high = middle;
    }
    return &catalog->layers[low];
}

uint32_t ndx_catalog_lanes(const ndx_catalog *catalog, uint32_t block) {
    uint32_t rest = catalog->lanes - block * catalog->block_images;
    return rest < catalog->block_images ? rest : catalog->block_images;
}

/// The first gap that ends after `id`.
static uint32_t gap_after(const ndx_catalog *catalog, uint32_t id) {
    uint32_t low = 0, high = catalog->gap_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (catalog->gaps[middle].end <= id) low = middle + 1;
        else high = middle;
    }
    return low;
}

uint32_t ndx_catalog_image(const ndx_catalog *catalog, uint32_t id) {
    uint32_t gap = gap_after(catalog, id);
    return gap < catalog->gap_count && catalog->gaps[gap].first <= id ? catalog->gaps[gap].end : id;
}

void ndx_catalog_presence(const ndx_catalog *catalog, uint32_t first, uint32_t count, uint8_t *marks) {
    memset(marks, 1, count);
    for (uint32_t i = gap_after(catalog, first); i < catalog->gap_count && catalog->gaps[i].first < first + count; i++) {
        ndx_gap gap = catalog->gaps[i];
        uint32_t from = gap.first > first ? gap.first - first : 0;
        uint32_t to = gap.end - first < count ? gap.end - first : count;
        memset(marks + from, 0, to - from);
    }
}
