#include "transpose.h"

#include "clones.h"

// Sixteen rows make one cache line of the output, so callers bring them sixteen at a time: then every line of the output is
// written once and whole, and sixteen input streams are read in order.
NDX_CLONES
void ndx_transpose_values(const float *in, size_t in_stride, size_t rows, size_t columns, float *out, size_t out_stride) {
    if (rows == 16) {
        for (size_t c = 0; c < columns; c++) {
            float *line = out + c * out_stride;
            for (size_t r = 0; r < 16; r++) line[r] = in[r * in_stride + c];
        }
        return;
    }
    for (size_t c = 0; c < columns; c++)
        for (size_t r = 0; r < rows; r++) out[c * out_stride + r] = in[r * in_stride + c];
}

#define TRANSPOSE_POSITIONS(TYPE)                                                    \
    for (size_t c = 0; c < columns; c++) {                                           \
        TYPE *line = (TYPE *)out + c * out_stride;                                   \
        for (size_t r = 0; r < rows; r++) line[r] = (TYPE)in[r * in_stride + c];     \
    }

NDX_CLONES
uint32_t ndx_transpose_positions(
    const uint32_t *in, size_t in_stride, size_t rows, size_t columns, void *out, size_t out_stride, size_t width) {
    uint32_t largest = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            uint32_t position = in[r * in_stride + c];
            largest = position > largest ? position : largest;
        }
    if (width == 1) {
        TRANSPOSE_POSITIONS(uint8_t)
    } else if (width == 2) {
        TRANSPOSE_POSITIONS(uint16_t)
    } else if (width == 4) {
        TRANSPOSE_POSITIONS(uint32_t)
    }
    return largest;
}
