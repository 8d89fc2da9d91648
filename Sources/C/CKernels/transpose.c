#include "transpose.h"

#include <string.h>

#include "clones.h"

// Sixteen rows make one cache line of the output, so callers bring them sixteen at a time: then every line of the output is
// written once and whole, and sixteen input streams are read in order. A tile of 16 × 16 is transposed in registers by four
// rounds of interleaving row i with row i + 8 (a perfect shuffle of rows, which after four rounds has swapped the indices).

#define LOW(A, B) __builtin_shufflevector(A, B, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(A, B) __builtin_shufflevector(A, B, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

#define DEFINE_TRANSPOSE(NAME, IN, OUT)                                                                                     \
    static inline __attribute__((always_inline)) void NAME##_tile(                                                          \
        const IN *in, size_t in_stride, OUT *out, size_t out_stride) {                                                      \
        typedef IN wide __attribute__((vector_size(16 * sizeof(IN))));                                                      \
        typedef OUT narrow __attribute__((vector_size(16 * sizeof(OUT))));                                                  \
        narrow a[16], b[16];                                                                                                \
        for (size_t r = 0; r < 16; r++) {                                                                                   \
            wide row;                                                                                                       \
            memcpy(&row, in + r * in_stride, sizeof row);                                                                   \
            a[r] = __builtin_convertvector(row, narrow);                                                                    \
        }                                                                                                                   \
        for (size_t i = 0; i < 8; i++) b[2 * i] = LOW(a[i], a[i + 8]), b[2 * i + 1] = HIGH(a[i], a[i + 8]);                 \
        for (size_t i = 0; i < 8; i++) a[2 * i] = LOW(b[i], b[i + 8]), a[2 * i + 1] = HIGH(b[i], b[i + 8]);                 \
        for (size_t i = 0; i < 8; i++) b[2 * i] = LOW(a[i], a[i + 8]), b[2 * i + 1] = HIGH(a[i], a[i + 8]);                 \
        for (size_t i = 0; i < 8; i++) a[2 * i] = LOW(b[i], b[i + 8]), a[2 * i + 1] = HIGH(b[i], b[i + 8]);                 \
        for (size_t c = 0; c < 16; c++) memcpy(out + c * out_stride, &a[c], sizeof a[c]);                                   \
    }                                                                                                                       \
    static inline __attribute__((always_inline)) void NAME(                                                                 \
        const IN *in, size_t in_stride, size_t rows, size_t columns, OUT *out, size_t out_stride) {                         \
        size_t c = 0;                                                                                                       \
        if (rows == 16)                                                                                                     \
            for (; c + 16 <= columns; c += 16) NAME##_tile(in + c, in_stride, out + c * out_stride, out_stride);            \
        for (; c < columns; c++)                                                                                            \
            for (size_t r = 0; r < rows; r++) out[c * out_stride + r] = (OUT)in[r * in_stride + c];                         \
    }

DEFINE_TRANSPOSE(floats, float, float)
DEFINE_TRANSPOSE(bytes, uint32_t, uint8_t)
DEFINE_TRANSPOSE(shorts, uint32_t, uint16_t)
DEFINE_TRANSPOSE(words, uint32_t, uint32_t)

NDX_CLONES
void ndx_transpose_values(const float *in, size_t in_stride, size_t rows, size_t columns, float *out, size_t out_stride) {
    floats(in, in_stride, rows, columns, out, out_stride);
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
    if (width == 1)
        bytes(in, in_stride, rows, columns, out, out_stride);
    else if (width == 2)
        shorts(in, in_stride, rows, columns, out, out_stride);
    else if (width == 4)
        words(in, in_stride, rows, columns, out, out_stride);
    return largest;
}
