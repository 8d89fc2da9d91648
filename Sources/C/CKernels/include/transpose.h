// From one image's activations of all neurons (rows) to one neuron's activations on all images (columns).
#ifndef NDX_TRANSPOSE_H
#define NDX_TRANSPOSE_H

#include <stddef.h>
#include <stdint.h>

/// out[c * out_stride + r] = in[r * in_stride + c] for r < rows, c < columns. Strides in elements.
void ndx_transpose_values(const float *in, size_t in_stride, size_t rows, size_t columns, float *out, size_t out_stride);

/// The same for positions, each written with `width` bytes (1, 2 or 4). Returns the largest position met, so that the caller
/// can tell that all of them fitted.
uint32_t ndx_transpose_positions(
    const uint32_t *in, size_t in_stride, size_t rows, size_t columns, void *out, size_t out_stride, size_t width);

#endif
