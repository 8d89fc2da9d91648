// Where in a part of a picture a small patch is found.
#ifndef NDX_MATCHING_H
#define NDX_MATCHING_H

#include <stddef.h>

/// The widest part that is searched, in pixels.
#define NDX_WIDEST_REGION 128

/// A patch's best place, and how well it fits there.
typedef struct {
    float score;  ///< the correlation, −1 … 1
    size_t y;     ///< the row and column of the region where the patch begins
    size_t x;
} ndx_patch_match;

/// Compares a patch of `side` × `side` pixels with every window of a region by normalised cross-correlation over all three
/// colours together: Σ (p − mean p)(w − mean w) / (|p − mean p| |w − mean w|). The first of the best, in row-major order.
///
/// Both are three planes, row by row. `least` is the smallest length that a patch or a window less its mean is taken to have,
/// so that what is plain but for noise matches nothing.
///
/// Requires 0 < side <= rows, columns and columns <= NDX_WIDEST_REGION.
ndx_patch_match ndx_match_patch(const float *patch, size_t side, const float *region, size_t rows, size_t columns, double least);

#endif
