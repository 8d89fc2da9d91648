#include "cursor.h"

#include <math.h>
#include <string.h>

#include "plan.h"
#include "ranking.h"
#include "request.h"

/// One activation. In a scan its position stays in the row until it is asked for.
typedef struct {
    float value;
    uint32_t image, neuron, position;
} activation;

/// A scan goes from tile to tile: the rows of one block that are held together, of one neuron, or of all that are asked for. In a
/// tile it goes from image to image, and for an image from row to row.
typedef struct {
    sqlite3_vtab_cursor base;
    int is_first;                     // xFilter was not called yet
    ndx_store *store;
    ndx_catalog *catalog;
    // What is asked for.
    int order;
    ndx_neurons neurons;
    uint32_t first_image, end_image;
    ndx_interval values;
    // Where the scan is: the next tile, and the next activation of this one.
    uint32_t block, end_block;
    size_t neuron;
    ndx_row *rows;
    size_t row_count, row_capacity;
    uint8_t *kept;                    // lanes of `kept_block` whose images are asked for
    uint32_t kept_capacity, kept_block, lanes, first_lane;
    int has_kept;
    uint32_t lane;
    size_t member;
    ndx_ranking ranking;
    activation current;
    int is_at_end;
} cursor;

// MARK: Going through tiles

/// Makes `block` the one whose lanes `kept` tells of.
static int keep_lanes(cursor *scan, uint32_t block) {
    if (scan->has_kept && scan->kept_block == block) return SQLITE_OK;
    uint32_t room = scan->catalog->block_images, first = block * room, lanes = ndx_catalog_lanes(scan->catalog, block);
    if (scan->kept_capacity < room) {
        uint8_t *kept = sqlite3_realloc64(scan->kept, room);
        if (!kept) return SQLITE_NOMEM;
        scan->kept = kept;
        scan->kept_capacity = room;
    }
    ndx_catalog_presence(scan->catalog, first, lanes, scan->kept);
    scan->first_lane = scan->first_image > first ? scan->first_image - first : 0;
    scan->lanes = scan->end_image - first < lanes ? scan->end_image - first : lanes;
    while (scan->first_lane < scan->lanes && !scan->kept[scan->first_lane]) scan->first_lane++;
    while (scan->lanes > scan->first_lane && !scan->kept[scan->lanes - 1]) scan->lanes--;
    scan->kept_block = block;
    scan->has_kept = 1;
    return SQLITE_OK;
}

/// Reads one more row of the tile, unless no value of it is wanted.
static int hold(cursor *scan, uint32_t neuron) {
    if (scan->row_count == scan->row_capacity) {
        size_t capacity = scan->row_capacity ? 2 * scan->row_capacity : 1;
        ndx_row *rows = sqlite3_realloc64(scan->rows, capacity * sizeof *rows);
        if (!rows) return SQLITE_NOMEM;
        memset(rows + scan->row_capacity, 0, (capacity - scan->row_capacity) * sizeof *rows);
        scan->rows = rows;
        scan->row_capacity = capacity;
    }
    float floor = scan->values.has_nan ? NAN : scan->values.low;
    if (scan->order == NDX_STRONGEST) {
        float least = ndx_ranking_floor(&scan->ranking);
        if (!isnan(least) && !(floor > least)) floor = least;
    }
    int code = ndx_row_read(
        &scan->rows[scan->row_count], scan->store, scan->catalog, scan->kept_block, neuron, floor, &scan->base.pVtab->zErrMsg);
    if (code == SQLITE_OK) scan->row_count++;
    return code == NDX_ROW_PASSED_BY ? SQLITE_OK : code;
}

/// The first block from `block` on that has an image which is asked for; `end_block` if none has.
static uint32_t next_block(const cursor *scan, uint32_t block) {
    if (block == scan->end_block) return block;
    uint32_t first = block * scan->catalog->block_images;
    uint32_t image = ndx_catalog_image(scan->catalog, first > scan->first_image ? first : scan->first_image);
    return image < scan->end_image ? image / scan->catalog->block_images : scan->end_block;
}

/// Goes to the next tile that has rows, or to the end.
static int next_tile(cursor *scan) {
    scan->row_count = 0;
    while (scan->row_count == 0) {
        scan->block = next_block(scan, scan->block);
        if (scan->block == scan->end_block && scan->order == NDX_BY_NEURON && ++scan->neuron < scan->neurons.count)
            scan->block = next_block(scan, scan->first_image / scan->catalog->block_images);
        if (scan->block == scan->end_block) {
            scan->is_at_end = 1;
            return SQLITE_OK;
        }
        int code = keep_lanes(scan, scan->block);
        if (scan->order == NDX_BY_NEURON) {
            if (code == SQLITE_OK) code = hold(scan, scan->neurons.ids[scan->neuron]);
            scan->block++;
        } else if (scan->order == NDX_BY_IMAGE) {
            for (size_t i = 0; i < scan->neurons.count && code == SQLITE_OK; i++) code = hold(scan, scan->neurons.ids[i]);
            scan->block++;
        } else {
            if (code == SQLITE_OK) code = hold(scan, scan->neurons.ids[scan->neuron++]);
            if (scan->neuron == scan->neurons.count) {
                scan->neuron = 0;
                scan->block++;
            }
        }
        if (code != SQLITE_OK) return code;
    }
    scan->lane = scan->first_lane;
    scan->member = 0;
    return SQLITE_OK;
}

/// Goes to the next activation that is wanted, or to the end.
static int next_activation(cursor *scan) {
    for (;;) {
        for (; scan->row_count > 0 && scan->lane < scan->lanes; scan->lane++, scan->member = 0) {
            if (!scan->kept[scan->lane]) continue;
            while (scan->member < scan->row_count) {
                const ndx_row *row = &scan->rows[scan->member++];
                float value = ndx_row_value(row, scan->lane);
                if (!ndx_interval_has(scan->values, value)) continue;
                uint32_t image = scan->kept_block * scan->catalog->block_images + scan->lane;
                scan->current = (activation){value, image, row->neuron, 0};
                return SQLITE_OK;
            }
        }
        int code = next_tile(scan);
        if (code != SQLITE_OK || scan->is_at_end) return code;
    }
}

// MARK: In the order of values

static int is_ranked(const cursor *scan) {
    return scan->order == NDX_STRONGEST || scan->order == NDX_WEAKEST;
}

static int next_ranked(cursor *scan) {
    activation *to = &scan->current;
    scan->is_at_end = !ndx_ranking_pop(&scan->ranking, &to->value, &to->image, &to->neuron, &to->position);
    return SQLITE_OK;
}

static int rank(cursor *scan, const ndx_request *asked) {
    size_t limit = SIZE_MAX;
    if (asked->limit >= 0) {
        int64_t offset = asked->offset > 0 ? asked->offset : 0;
        limit = (size_t)(asked->limit > INT64_MAX - offset ? INT64_MAX : asked->limit + offset);
    }
    ndx_ranking_reset(&scan->ranking, limit, scan->order == NDX_WEAKEST);
    int code = SQLITE_OK;
    while (limit > 0 && (code = next_tile(scan)) == SQLITE_OK && !scan->is_at_end) {
        const ndx_row *row = &scan->rows[0];
        uint32_t first = scan->kept_block * scan->catalog->block_images;
        for (uint32_t lane = scan->first_lane; lane < scan->lanes; lane++) {
            float value = ndx_row_value(row, lane);
            if (!scan->kept[lane] || !ndx_interval_has(scan->values, value)) continue;
            uint32_t position = ndx_row_position(row, lane);
            if (!ndx_ranking_add(&scan->ranking, value, first + lane, row->neuron, position)) return SQLITE_NOMEM;
        }
    }
    if (code != SQLITE_OK) return code;
    ndx_ranking_finish(&scan->ranking);
    return next_ranked(scan);
}

// MARK: The interface

int ndx_cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **into) {
    (void)base;
    cursor *scan = sqlite3_malloc64(sizeof *scan);
    if (!scan) return SQLITE_NOMEM;
    memset(scan, 0, sizeof *scan);
    scan->is_first = 1;
    *into = &scan->base;
    return SQLITE_OK;
}

int ndx_cursor_close(sqlite3_vtab_cursor *base) {
    cursor *scan = (cursor *)base;
    for (size_t i = 0; i < scan->row_capacity; i++) ndx_row_free(&scan->rows[i]);
    sqlite3_free(scan->rows);
    sqlite3_free(scan->neurons.ids);
    sqlite3_free(scan->kept);
    ndx_ranking_free(&scan->ranking);
    ndx_catalog_release(scan->catalog);
    sqlite3_free(scan);
    return SQLITE_OK;
}

/// Takes the state that the store has now. Rows that are held stay good as long as it is the same.
static int refresh(cursor *scan, const char *name) {
    ndx_table *table = (ndx_table *)scan->base.pVtab;
    int code = SQLITE_OK;
    if (scan->is_first || (name && sqlite3_stricmp(name, scan->store->name))) {
        ndx_store *store = NULL;
        code = ndx_table_store(table, name, &store);
        if (code != SQLITE_OK) return code;
        scan->store = store;
        scan->is_first = 1;
    }
    code = ndx_store_refresh(scan->store, scan->is_first, &table->base.zErrMsg);
    if (code != SQLITE_OK) return code;
    scan->is_first = 0;
    if (scan->catalog == scan->store->catalog) return SQLITE_OK;
    for (size_t i = 0; i < scan->row_capacity; i++) scan->rows[i].is_loaded = 0;
    ndx_catalog_release(scan->catalog);
    scan->catalog = ndx_catalog_retain(scan->store->catalog);
    return SQLITE_OK;
}

static int start(cursor *scan, int order, const ndx_request *asked) {
    int code = refresh(scan, asked->name);
    if (code == SQLITE_OK) code = ndx_request_neurons(asked, scan->catalog, &scan->neurons);
    if (code != SQLITE_OK) return code;

    const ndx_catalog *catalog = scan->catalog;
    int64_t first = asked->images.first, last = asked->images.last;
    if (first < 0) first = 0;
    if (last >= (int64_t)catalog->lanes) last = (int64_t)catalog->lanes - 1;
    scan->order = order;
    scan->values = asked->values;
    scan->row_count = 0;
    scan->has_kept = 0;
    scan->neuron = 0;
    int has_values = asked->values.low <= asked->values.high || asked->values.has_nan;
    scan->is_at_end = first > last || scan->neurons.count == 0 || !has_values;
    if (scan->is_at_end) return SQLITE_OK;
    scan->first_image = (uint32_t)first;
    scan->end_image = (uint32_t)last + 1;
    scan->block = scan->first_image / catalog->block_images;
    scan->end_block = (uint32_t)last / catalog->block_images + 1;
    return is_ranked(scan) ? rank(scan, asked) : next_activation(scan);
}

int ndx_cursor_filter(sqlite3_vtab_cursor *base, int order, const char *text, int count, sqlite3_value **arguments) {
    ndx_request asked;
    int code = ndx_request_read(&asked, text, count, arguments);
    if (code == SQLITE_OK) code = start((cursor *)base, order, &asked);
    ndx_request_free(&asked);
    return code;
}

int ndx_cursor_next(sqlite3_vtab_cursor *base) {
    cursor *scan = (cursor *)base;
    return is_ranked(scan) ? next_ranked(scan) : next_activation(scan);
}

int ndx_cursor_eof(sqlite3_vtab_cursor *base) {
    return ((cursor *)base)->is_at_end;
}

int ndx_cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *into) {
    activation now = ((cursor *)base)->current;
    *into = (sqlite3_int64)now.neuron << 32 | now.image;
    return SQLITE_OK;
}

int ndx_cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column) {
    const cursor *scan = (cursor *)base;
    activation now = scan->current;
    switch (column) {
    case NDX_IMAGE: sqlite3_result_int64(context, now.image); return SQLITE_OK;
    case NDX_VALUE: sqlite3_result_double(context, now.value); return SQLITE_OK;
    case NDX_NEURON: sqlite3_result_int64(context, now.neuron); return SQLITE_OK;
    case NDX_SCHEMA: sqlite3_result_text(context, scan->store->name, -1, SQLITE_TRANSIENT); return SQLITE_OK;
    default: break;
    }
    const ndx_layer *layer = ndx_catalog_layer(scan->catalog, now.neuron);
    switch (column) {
    case NDX_LAYER: sqlite3_result_text(context, layer->name, layer->name_bytes, SQLITE_TRANSIENT); return SQLITE_OK;
    case NDX_CHANNEL: sqlite3_result_int64(context, now.neuron - layer->first_neuron); return SQLITE_OK;
    default: break;
    }
    if (!is_ranked(scan)) now.position = ndx_row_position(&scan->rows[scan->member - 1], scan->lane);
    if (now.position >= layer->cells)
        return ndx_row_damaged(
            scan->catalog, now.image / scan->catalog->block_images, now.neuron, "a position is outside the map in the row",
            &scan->base.pVtab->zErrMsg);
    sqlite3_result_int64(context, column == NDX_Y ? now.position / layer->width : now.position % layer->width);
    return SQLITE_OK;
}
