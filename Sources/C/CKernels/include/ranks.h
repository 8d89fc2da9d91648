// The order of one neuron's values over all images, and what is counted along it.
#ifndef NDX_RANKS_H
#define NDX_RANKS_H

#include <stddef.h>
#include <stdint.h>

/// Sorts `count` floats, at any address, ascending: entry >> 32 is a key that orders as the values do (−0 as 0, every NaN below
/// −∞ and equal to every other), and the low 32 bits are the index. Ties ascend by index. `spare` has room for `count` entries;
/// the result is in `entries`.
void ndx_sort_column(const float *values, size_t count, uint64_t *entries, uint64_t *spare);

/// What is counted of each class of images along a sorted column.
typedef struct {
    uint64_t rank_sum;  ///< twice the sum of mid-ranks from 1, which is a whole number
    double precision;   ///< sum over the class's images of the precision where they are reached from the top
} ndx_class_ranks;

/// Goes through a sorted column. `classes` has each image's class, below `class_count`; `sums` one entry a class and is
/// overwritten; `counters` is room for `class_count` numbers. Returns the sum of t³ − t over groups of t ties, for the
/// variance of rank sums. A group of ties is reached at once: precision is that at its end (as scikit-learn has it).
double ndx_rank_classes(
    const uint64_t *entries, size_t count, const uint32_t *classes, size_t class_count, ndx_class_ranks *sums, uint32_t *counters);

/// Writes 2 · midrank − (count + 1) of every image to `ranks`: whole numbers whose sum is 0. Returns the sum of their squares.
double ndx_centred_ranks(const uint64_t *entries, size_t count, float *ranks);

typedef struct {
    int64_t sum;
    uint64_t count;
} ndx_masked_ranks;

/// The sum and number of the ranks whose bits are set in both masks of `words` 64-bit words; the lowest bit is the first rank.
ndx_masked_ranks ndx_sum_masked(const float *ranks, const uint64_t *a, const uint64_t *b, size_t words);

/// out[a * b_count + b] += Σ_i A[a * stride + i] · B[b * stride + i] for i < count. Exact while all sums are whole and below 2⁵³.
void ndx_rank_products(
    const float *A, size_t a_count, const float *B, size_t b_count, size_t stride, size_t count, double *out);

#endif
