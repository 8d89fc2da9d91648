// Activations in the order of their values: at most a given number of them, or all, which are then sorted only as far as they are
// asked for.
#ifndef NDX_RANKING_H
#define NDX_RANKING_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t key;
    uint32_t tie;
    uint32_t position;
} ndx_entry;

/// Best first: larger values (or smaller ones, if `is_ascending`), ties by image id, then by neuron. As in SQL, NaN is less than
/// everything.
typedef struct {
    int is_ascending;
    size_t limit;
    ndx_entry *entries;
    size_t count, capacity;
} ndx_ranking;

/// Empties a ranking for the best `limit`.
void ndx_ranking_reset(ndx_ranking *ranking, size_t limit, int is_ascending);

/// Takes an activation in if it is among the best. Returns 0 if there is no memory.
int ndx_ranking_add(ndx_ranking *ranking, float value, uint32_t image, uint32_t neuron, uint32_t position);

/// What a value has to reach to enter a full ranking of the largest; NaN while any may enter.
float ndx_ranking_floor(const ndx_ranking *ranking);

/// Ends the taking in.
void ndx_ranking_finish(ndx_ranking *ranking);

/// The best activation that was not popped yet; 0 if there is none.
int ndx_ranking_pop(ndx_ranking *ranking, float *value, uint32_t *image, uint32_t *neuron, uint32_t *position);

void ndx_ranking_free(ndx_ranking *ranking);

#endif
