// What is computed over one neuron's column of activations: zone map, statistics, histogram, moments, the strongest k.
// Every result is the same bits on every machine and does not depend on how a sequence of lanes is cut into calls;
// only moments belong to the column they were computed from. Columns may lie at any address.
#ifndef NDX_COLUMNS_H
#define NDX_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

/// Buckets of a histogram. Bucket 128 + p holds v >= 0 and 127 - p holds v < 0, four buckets an octave; see schema.sql.
enum { NDX_BUCKETS = 256 };

/// Count, mean and sum of squared deviations of finite values.
typedef struct {
    uint64_t count;
    double mean;
    double m2;
} ndx_moments;

/// What is known of one neuron over the lanes folded so far.
typedef struct {
    uint64_t count;           ///< lanes, NaN included
    uint64_t nan_count;
    uint64_t infinite_count;
    uint64_t zero_count;      ///< +0 and -0
    float minimum;            ///< +infinity while every lane is NaN; -0 is given as 0
    float maximum;            ///< -infinity while every lane is NaN
    ndx_moments settled;      ///< over full blocks only
} ndx_statistics;

/// Statistics of no lanes.
ndx_statistics ndx_statistics_empty(void);

/// The largest value that is not NaN (-0 as 0); NaN if there is none.
float ndx_column_maximum(const void *values, size_t count);

/// Folds `count` lanes into the statistics (all but `settled`) and into NDX_BUCKETS counters.
void ndx_column_fold(const void *values, size_t count, ndx_statistics *statistics, uint32_t *histogram);

/// The moments of a column's finite values.
ndx_moments ndx_column_moments(const void *values, size_t count);

/// The moments of two columns together (Chan, Golub and LeVeque 1983).
ndx_moments ndx_moments_join(ndx_moments a, ndx_moments b);

/// One entry of a list of the strongest.
typedef struct {
    float key;          ///< sign * value; never -0 or NaN
    uint32_t image;
    uint32_t position;
} ndx_top;

/// Folds a column into a heap of at most `capacity` entries whose root is the weakest: the larger key wins, then the smaller
/// image id; NaN never enters. Lane i is image first_image + i, and images come in ascending order from call to call.
/// `sign` is 1 for the strongest, -1 for the weakest. `positions` has `width` bytes a lane (0: all positions are 0).
/// Lanes whose `mask` byte is 0 are passed over; a null mask takes all. Returns the new size.
size_t ndx_top_fold(
    ndx_top *heap, size_t size, size_t capacity, float sign, const void *values, const void *positions, size_t width,
    size_t count, uint32_t first_image, const uint8_t *mask);

/// Sorts a heap so that the strongest comes first. The reverse of a sorted list is a heap again.
void ndx_top_sort(ndx_top *heap, size_t size);

/// The position of lane `lane` in a column with `width` bytes a lane (0, 1, 2 or 4).
uint32_t ndx_position(const void *positions, size_t width, size_t lane);

/// Whether all positions of a column are below `cells`.
int ndx_positions_are_below(const void *positions, size_t width, size_t count, uint64_t cells);

#endif
