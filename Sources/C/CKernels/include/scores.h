// One number an image, made of the activations of several neurons, and the images whose number is largest.
// A score is a double; every lane is folded by itself in the order of the calls, so the bits are the same on every machine.
#ifndef NDX_SCORES_H
#define NDX_SCORES_H

#include <stddef.h>
#include <stdint.h>

/// How a column goes into the scores.
typedef enum {
    NDX_SUM,       ///< score += v
    NDX_SMALLEST,  ///< score = min(score, v)
    NDX_LARGEST,   ///< score = max(score, v)
    NDX_SQUARES,   ///< score += v²
    NDX_PRODUCTS,  ///< score += v · reference
    NDX_L1,        ///< score += |v − reference|
    NDX_L2,        ///< score += (v − reference)²
    NDX_LINF,      ///< score = max(score, |v − reference|)
} ndx_fold;

/// Folds `count` floats, at any address, into as many scores. NaN makes a score NaN, and it stays so.
void ndx_fold_scores(ndx_fold fold, const void *values, size_t count, double reference, double *scores);

/// Writes the indices of the `limit` largest scores to `indices`, largest first, ties by index; NaN is left out.
/// Scores whose `mask` byte is 0 are passed over; a null mask takes all. Returns how many there are.
size_t ndx_largest_scores(const double *scores, size_t count, const uint8_t *mask, size_t limit, uint32_t *indices);

/// Counts the floats, at any address, that are below `value` (as NaN always is) and those that equal it.
void ndx_count_around(const void *values, size_t count, float value, uint64_t *below, uint64_t *equal);

#endif
