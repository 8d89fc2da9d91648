#include "ranking.h"

#include <math.h>
#include <string.h>

#include "sqlite.h"

// While activations are taken in, the entries are a heap whose root is the worst, or, without a limit, in no order. Then every
// key and tie is complemented, and they are a heap whose root is the best. So one comparison is enough.

static uint32_t score_of(float value) {
    if (isnan(value)) return 0;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static float value_of(uint32_t score) {
    if (score == 0) return NAN;
    uint32_t bits = score & 0x80000000u ? score & 0x7fffffffu : ~score;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int less(ndx_entry a, ndx_entry b) {
    return a.key != b.key ? a.key < b.key : a.tie < b.tie;
}

static void sift_down(ndx_entry *entries, size_t count, size_t hole, ndx_entry entry) {
    for (;;) {
        size_t child = 2 * hole + 1;
        if (child >= count) break;
        if (child + 1 < count && less(entries[child + 1], entries[child])) child++;
        if (!less(entries[child], entry)) break;
        entries[hole] = entries[child];
        hole = child;
    }
    entries[hole] = entry;
}

static void heapify(ndx_entry *entries, size_t count) {
    for (size_t i = count / 2; i-- > 0;) sift_down(entries, count, i, entries[i]);
}

void ndx_ranking_reset(ndx_ranking *ranking, size_t limit, int is_ascending) {
    ranking->limit = limit;
    ranking->is_ascending = is_ascending;
    ranking->count = 0;
}

int ndx_ranking_add(ndx_ranking *ranking, float value, uint32_t image, uint32_t neuron, uint32_t position) {
    if (ranking->limit == 0) return 1;
    uint32_t score = ranking->is_ascending ? ~score_of(value) : score_of(value);
    ndx_entry entry = {(uint64_t)score << 32 | (uint32_t)~image, ~neuron, position};
    if (ranking->count == ranking->limit) {
        if (less(ranking->entries[0], entry)) sift_down(ranking->entries, ranking->count, 0, entry);
        return 1;
    }
    if (ranking->count == ranking->capacity) {
        size_t capacity = ranking->capacity ? 2 * ranking->capacity : 64;
        ndx_entry *entries = sqlite3_realloc64(ranking->entries, capacity * sizeof *entries);
        if (!entries) return 0;
        ranking->entries = entries;
        ranking->capacity = capacity;
    }
    ranking->entries[ranking->count++] = entry;
    if (ranking->count == ranking->limit) heapify(ranking->entries, ranking->count);
    return 1;
}

float ndx_ranking_floor(const ndx_ranking *ranking) {
    if (ranking->is_ascending || ranking->count < ranking->limit || ranking->limit == 0) return NAN;
    return value_of((uint32_t)(ranking->entries[0].key >> 32));
}

void ndx_ranking_finish(ndx_ranking *ranking) {
    for (size_t i = 0; i < ranking->count; i++) {
        ranking->entries[i].key = ~ranking->entries[i].key;
        ranking->entries[i].tie = ~ranking->entries[i].tie;
    }
    heapify(ranking->entries, ranking->count);
}

int ndx_ranking_pop(ndx_ranking *ranking, float *value, uint32_t *image, uint32_t *neuron, uint32_t *position) {
    if (ranking->count == 0) return 0;
    ndx_entry best = ranking->entries[0];
    ranking->count--;
    if (ranking->count > 0) sift_down(ranking->entries, ranking->count, 0, ranking->entries[ranking->count]);
    uint32_t score = (uint32_t)(~best.key >> 32);
    *value = value_of(ranking->is_ascending ? ~score : score);
    *image = (uint32_t)best.key;
    *neuron = best.tie;
    *position = best.position;
    return 1;
}

void ndx_ranking_free(ndx_ranking *ranking) {
    sqlite3_free(ranking->entries);
}
