#include "matching.h"

#include <math.h>
#include <string.h>

#include "clones.h"

// The same bits everywhere: no multiply-add may be fused in one clone and not in another.
#pragma STDC FP_CONTRACT OFF

enum { PLANES = 3 };

/// Adds to each window its part of the sums that one row of the region makes: of p · w, of w and of w².
static inline void add_row(
    const float *patch, double mean, size_t side, const float *row, size_t columns, double *products, double *sums,
    double *squares) {
    size_t across = columns - side + 1;
    for (size_t dx = 0; dx < side; dx++) {
        double weight = (double)patch[dx] - mean;
        for (size_t x = 0; x < across; x++) {
            double w = (double)row[x + dx];
            products[x] += weight * w;
            sums[x] += w;
            squares[x] += w * w;
        }
    }
}

NDX_CLONES
ndx_patch_match ndx_match_patch(
    const float *patch, size_t side, const float *region, size_t rows, size_t columns, double least) {
    const size_t count = PLANES * side * side;
    double mean = 0, length = 0;
    for (size_t i = 0; i < count; i++) mean += (double)patch[i];
    mean /= (double)count;
    for (size_t i = 0; i < count; i++) length += ((double)patch[i] - mean) * ((double)patch[i] - mean);
    length = fmax(sqrt(length), least);

    ndx_patch_match best = {-2, 0, 0};
    for (size_t y = 0; y + side <= rows; y++) {
        double products[NDX_WIDEST_REGION] = {0}, sums[NDX_WIDEST_REGION] = {0}, squares[NDX_WIDEST_REGION] = {0};
        for (size_t plane = 0; plane < PLANES; plane++) {
            for (size_t dy = 0; dy < side; dy++) {
                add_row(
                    patch + (plane * side + dy) * side, mean, side, region + (plane * rows + y + dy) * columns, columns, products,
                    sums, squares);
            }
        }
        for (size_t x = 0; x + side <= columns; x++) {
            double spread = squares[x] - sums[x] * sums[x] / (double)count;
            float score = (float)(products[x] / (length * fmax(sqrt(fmax(spread, 0)), least)));
            if (score > best.score) best = (ndx_patch_match){score, y, x};
        }
    }
    return best;
}
