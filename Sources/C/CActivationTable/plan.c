#include "plan.h"

#include <string.h>

// Costs, in what SQLite takes a step of a scan for, about 0.1 µs.
static const double row_cost = 12;         // to find, check and copy the row of a block
static const double value_cost = 1;        // to hand one activation over
static const double start_cost = 10;       // of xFilter

/// Bytes that rows may take which are held at once, so that a scan of several neurons can go image by image.
static const double most_held = 64 << 20;

/// The operator's letter; 0 for one that is left to SQLite.
static char letter(int op) {
    switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ: return '=';
    case SQLITE_INDEX_CONSTRAINT_LT: return '<';
    case SQLITE_INDEX_CONSTRAINT_GT: return '>';
    case SQLITE_INDEX_CONSTRAINT_LE: return '{';
    case SQLITE_INDEX_CONSTRAINT_GE: return '}';
    default: return 0;
    }
}

/// What the conditions that are used say.
typedef struct {
    int fixed[NDX_COLUMNS];           // equal to one value
    int narrowed[NDX_COLUMNS];        // compared, or in a list
    int is_limited;                   // by LIMIT, and every condition is used
} conditions;

static int is_handled(sqlite3_index_info *info, int index, char op) {
    switch (info->aConstraint[index].iColumn) {
    case NDX_LAYER:
        return op == '=' && !sqlite3_stricmp(sqlite3_vtab_collation(info, index), "BINARY");
    case NDX_SCHEMA: return op == '=';
    case NDX_CHANNEL:
    case NDX_NEURON:
    case NDX_IMAGE:
    case NDX_VALUE: return op != 0;
    default: return 0;
    }
}

/// Chooses the conditions that xFilter is given, and writes `idxStr`.
static int choose(sqlite3_index_info *info, conditions *found) {
    char *text = sqlite3_malloc64(2 * (uint64_t)info->nConstraint + 1);
    if (!text) return SQLITE_NOMEM;
    int count = 0, is_complete = 1, has_limit = 0;
    for (int i = 0; i < info->nConstraint; i++) {
        int column = info->aConstraint[i].iColumn, op = info->aConstraint[i].op, is_usable = info->aConstraint[i].usable;
        char name = (char)('a' + column), code = letter(op);
        if (op == SQLITE_INDEX_CONSTRAINT_LIMIT || op == SQLITE_INDEX_CONSTRAINT_OFFSET) {
            if (!is_usable) {
                is_complete = 0;
                continue;
            }
            has_limit |= op == SQLITE_INDEX_CONSTRAINT_LIMIT;
            name = op == SQLITE_INDEX_CONSTRAINT_LIMIT ? 'k' : 'o';
            code = '=';
        } else if (!is_usable || !is_handled(info, i, code)) {
            // Of another store's rows nothing can be said.
            if (column == NDX_SCHEMA && !is_usable) {
                sqlite3_free(text);
                return SQLITE_CONSTRAINT;
            }
            is_complete = 0;
            continue;
        } else {
            int is_list = (column == NDX_CHANNEL || column == NDX_NEURON) && sqlite3_vtab_in(info, i, -1);
            if (is_list) sqlite3_vtab_in(info, i, 1), code = 'i';
            found->narrowed[column] = 1;
            // An IN that SQLite goes through one by one undoes the order by itself.
            if (code == '=') found->fixed[column] = 1;
            // SQLite's own check would be the same again, but for a second name of a store.
            info->aConstraintUsage[i].omit = column != NDX_SCHEMA;
        }
        info->aConstraintUsage[i].argvIndex = count + 1;
        text[2 * count] = name;
        text[2 * count + 1] = code;
        count++;
    }
    text[2 * count] = 0;
    info->idxStr = text;
    info->needToFreeIdxStr = 1;
    found->is_limited = has_limit && is_complete;
    return SQLITE_OK;
}

/// Whether the `count` columns of `order` are the first of `columns`, which are letters.
static int begins(const char *columns, const int *order, int count) {
    for (int i = 0; i < count; i++)
        if (!columns[i] || columns[i] - 'a' != order[i]) return 0;
    return 1;
}

/// The order to read in. If it is the order that is asked for, SQLite is told.
static int choose_order(sqlite3_index_info *info, const conditions *found, const ndx_catalog *catalog) {
    int is_one_neuron = found->fixed[NDX_NEURON] || (found->fixed[NDX_LAYER] && found->fixed[NDX_CHANNEL]);
    // Equal rows need only be neighbours. Of GROUP BY, SQLite 3.40 says so (1) where it counts on the order too.
    int is_grouping = sqlite3_vtab_distinct(info) == 2;
    // What is asked for without the columns that have one value alone.
    int order[3], count = 0, is_descending = 0;
    for (int i = 0; i < info->nOrderBy; i++) {
        int column = info->aOrderBy[i].iColumn, is_down = info->aOrderBy[i].desc && !is_grouping;
        if (column < 0 || column >= NDX_COLUMNS) return NDX_BY_BLOCK;
        if (found->fixed[column] || column == NDX_SCHEMA) continue;
        if (is_one_neuron && (column == NDX_LAYER || column == NDX_CHANNEL || column == NDX_NEURON)) continue;
        // Within a layer channels and neurons have one order.
        if (column == NDX_CHANNEL && found->fixed[NDX_LAYER]) column = NDX_NEURON;
        if (count == 3 || (is_down && !(count == 0 && column == NDX_VALUE))) return NDX_BY_BLOCK;
        if (count == 0) is_descending = is_down;
        order[count++] = column;
    }
    info->orderByConsumed = 1;
    if (count == 0) return NDX_BY_BLOCK;
    static const char by_image[] = {'a' + NDX_IMAGE, 'a' + NDX_NEURON, 0};
    static const char by_neuron[] = {'a' + NDX_NEURON, 'a' + NDX_IMAGE, 0};
    static const char by_name[] = {'a' + NDX_LAYER, 'a' + NDX_CHANNEL, 'a' + NDX_IMAGE, 0};
    static const char by_value[] = {'a' + NDX_VALUE, 'a' + NDX_IMAGE, 'a' + NDX_NEURON, 0};
    if (begins(by_value, order, count) && (is_one_neuron || found->is_limited))
        return is_descending ? NDX_STRONGEST : NDX_WEAKEST;
    if (begins(by_neuron, order, count)) return NDX_BY_NEURON;
    // All of a layer come together, and all of a channel in it, though layers are not in the order of their names.
    if (is_grouping && begins(by_name, order, count)) return NDX_BY_NEURON;
    double held = catalog ? (double)catalog->most_channels * catalog->block_images * 8 : 0;
    if (begins(by_image, order, count) && (is_one_neuron || (found->fixed[NDX_LAYER] && held <= most_held)))
        return NDX_BY_IMAGE;
    info->orderByConsumed = 0;
    return NDX_BY_BLOCK;
}

static void estimate(sqlite3_index_info *info, const conditions *found, const ndx_catalog *catalog) {
    double images = catalog ? catalog->images : 50000, blocks = catalog ? catalog->lanes / catalog->block_images + 1 : 79;
    double neurons = catalog ? catalog->neurons : 10000, layers = catalog ? catalog->layer_count : 50;
    const int *fixed = found->fixed, *narrowed = found->narrowed;
    if (fixed[NDX_NEURON] || (fixed[NDX_LAYER] && fixed[NDX_CHANNEL])) neurons = 1;
    else if (fixed[NDX_LAYER]) neurons /= layers;
    else if (fixed[NDX_CHANNEL]) neurons = layers;
    if (neurons > 1 && !fixed[NDX_CHANNEL] && (narrowed[NDX_CHANNEL] || narrowed[NDX_NEURON])) neurons = neurons / 8 + 1;
    if (fixed[NDX_IMAGE]) images = blocks = 1;
    else if (narrowed[NDX_IMAGE]) images = images / 4 + 1, blocks = blocks / 4 + 1;
    double activations = neurons * images;
    if (fixed[NDX_VALUE]) activations = activations / 100 + 1;
    else if (narrowed[NDX_VALUE]) activations = activations / 4 + 1;
    info->estimatedCost = start_cost + neurons * blocks * row_cost + activations * value_cost;
    info->estimatedRows = (sqlite3_int64)(activations < 1 ? 1 : activations);
    if (neurons == 1 && fixed[NDX_IMAGE]) info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
}

int ndx_plan(sqlite3_vtab *base, sqlite3_index_info *info) {
    ndx_table *table = (ndx_table *)base;
    // For estimates any state of any store will do. What keeps one from being read is told by xFilter.
    ndx_store *store = table->stores;
    if (!store && ndx_table_store(table, NULL, &store) == SQLITE_OK) ndx_store_refresh(store, 1, &base->zErrMsg);
    const ndx_catalog *catalog = store ? store->catalog : NULL;
    sqlite3_free(base->zErrMsg);
    base->zErrMsg = NULL;

    conditions found = {0};
    int code = choose(info, &found);
    if (code != SQLITE_OK) return code;
    info->idxNum = choose_order(info, &found, catalog);
    estimate(info, &found, catalog);
    return SQLITE_OK;
}
