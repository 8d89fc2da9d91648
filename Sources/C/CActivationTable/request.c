#include "request.h"

#include <string.h>

#include "table.h"

int ndx_request_read(ndx_request *asked, const char *text, int count, sqlite3_value **arguments) {
    *asked = (ndx_request){.limit = -1, .offset = -1, .text = text, .count = count, .arguments = arguments};
    ndx_range_reset(&asked->channels);
    ndx_range_reset(&asked->neurons);
    ndx_range_reset(&asked->images);
    asked->values = ndx_interval_all();
    for (int i = 0; i < count; i++) {
        char what = text[2 * i], op = text[2 * i + 1];
        ndx_range *range = what == 'a' + NDX_CHANNEL ? &asked->channels
            : what == 'a' + NDX_NEURON ? &asked->neurons : what == 'a' + NDX_IMAGE ? &asked->images : NULL;
        if (range && op == 'i') {
            int code = ndx_range_narrow_to(range, arguments[i]);
            if (code != SQLITE_OK) return code;
        } else if (range) {
            ndx_range_narrow(range, op, arguments[i]);
        } else if (what == 'a' + NDX_VALUE) {
            ndx_interval_narrow(&asked->values, op, arguments[i]);
        } else if (what == 'a' + NDX_SCHEMA) {
            asked->name = (const char *)sqlite3_value_text(arguments[i]);
            if (!asked->name) asked->name = "";
        } else if (what != 'a' + NDX_LAYER && sqlite3_value_type(arguments[i]) == SQLITE_INTEGER) {
            *(what == 'k' ? &asked->limit : &asked->offset) = sqlite3_value_int64(arguments[i]);
        }
    }
    return SQLITE_OK;
}

void ndx_request_free(ndx_request *asked) {
    ndx_range_reset(&asked->channels);
    ndx_range_reset(&asked->neurons);
    ndx_range_reset(&asked->images);
}

/// Whether a layer has the name, or all the names, that are asked for. Numbers are compared as texts.
static int is_named(const ndx_layer *layer, const ndx_request *asked) {
    for (int i = 0; i < asked->count; i++) {
        if (asked->text[2 * i] != 'a' + NDX_LAYER) continue;
        sqlite3_value *value = asked->arguments[i];
        int type = sqlite3_value_type(value);
        if (type == SQLITE_NULL || type == SQLITE_BLOB) return 0;
        const void *name = sqlite3_value_text(value);
        if (!name || sqlite3_value_bytes(value) != layer->name_bytes) return 0;
        if (memcmp(name, layer->name, (size_t)layer->name_bytes)) return 0;
    }
    return 1;
}

static int add(const ndx_request *asked, const ndx_layer *layer, ndx_neurons *neurons) {
    int64_t first = layer->first_neuron, from = asked->channels.first, to = asked->channels.last;
    if (from < 0) from = 0;
    if (to > (int64_t)layer->channels - 1) to = (int64_t)layer->channels - 1;
    for (int64_t channel = from; channel <= to; channel++) {
        if (!ndx_range_has(&asked->channels, channel) || !ndx_range_has(&asked->neurons, first + channel)) continue;
        if (neurons->count == neurons->capacity) {
            size_t capacity = neurons->capacity ? 2 * neurons->capacity : 16;
            uint32_t *ids = sqlite3_realloc64(neurons->ids, capacity * sizeof *ids);
            if (!ids) return SQLITE_NOMEM;
            neurons->ids = ids;
            neurons->capacity = capacity;
        }
        neurons->ids[neurons->count++] = (uint32_t)(first + channel);
    }
    return SQLITE_OK;
}

int ndx_request_neurons(const ndx_request *asked, const ndx_catalog *catalog, ndx_neurons *neurons) {
    neurons->count = 0;
    int code = SQLITE_OK;
    for (uint32_t i = 0; i < catalog->layer_count && code == SQLITE_OK; i++)
        if (is_named(&catalog->layers[i], asked)) code = add(asked, &catalog->layers[i], neurons);
    return code;
}
