// What compares, chooses, rounds and ranks numbers, element by element or along an axis.
#ifndef NDX_SELECTIONS_H
#define NDX_SELECTIONS_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    NDX_EQUAL, NDX_LESS, NDX_LESS_OR_EQUAL, NDX_GREATER, NDX_GREATER_OR_EQUAL, NDX_AND, NDX_OR, NDX_XOR
} ndx_comparison;

/// `out = a ? b` as 1 or 0.
void ndx_compare(ndx_comparison kind, const float *a, const float *b, float *out, size_t count);

/// `out = condition != 0 ? a : b`; NULL for zeros.
void ndx_select(const float *condition, const float *a, const float *b, float *out, size_t count);

/// Downwards (-1), upwards (1), or to the nearest whole number, halves to the even one (0).
void ndx_round(int direction, const float *in, float *out, size_t count);

/// The `kept` largest (or smallest) of `extent` numbers that stand `stride` apart, the first of equals first; NaN is the largest. They go to
/// values[i * stride] and their places to places[i * stride]; values may be NULL.
typedef struct {
    size_t extent, kept, stride;
    int smallest;
} ndx_ranking;

void ndx_rank(const float *in, const ndx_ranking *ranking, float *values, float *places);

#endif
