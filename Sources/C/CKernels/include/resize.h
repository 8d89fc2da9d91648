/// The two passes of a separable resize, in exact 32-bit integer arithmetic.
#ifndef NEURODEX_RESIZE_H
#define NEURODEX_RESIZE_H

#include <stddef.h>
#include <stdint.h>

/// The weights are scaled by 2 to this power.
#define RESIZE_PRECISION_BITS 22

/// Horizontal pass. For each of `rows` rows of `source` (3 bytes a pixel, rows `stride` bytes apart) makes `width`
/// pixels of **4 bytes** (the fourth is undefined), rows `4 * width` bytes apart.
///
/// Output pixel i is the sum of `counts[i]` source pixels from `starts[i]`, weighted by `weights[i * taps ...]`,
/// rounded and clamped to 0...255. Reads one byte beyond a pixel: `source` must have a byte after the last one used.
void resize_rows(const uint8_t *source, size_t stride, int rows, uint8_t *out, int width, const int32_t *starts,
                 const int32_t *counts, const int32_t *weights, int taps);

/// Vertical pass. Makes one row of `width` pixels of **3 bytes** from `count` rows of 4 bytes a pixel that start at
/// `source`, `4 * width` bytes apart, weighted by `weights`.
void resize_column(const uint8_t *source, int width, const int32_t *weights, int count, uint8_t *out);

/// Vertical pass where it comes first. Makes one row of `bytes` bytes from `count` rows that start at `source`, `stride` bytes
/// apart, weighted by `weights`.
void resize_column_bytes(const uint8_t *source, size_t stride, size_t bytes, const int32_t *weights, int count, uint8_t *out);

/// OpenCV's linear resize. Sums of two pixels of 3 bytes for `width` pixels: weights[2 i] of pixel first[i] and
/// weights[2 i + 1] of pixel second[i], scaled by 2 to the power of 11.
void resize_linear_row(const uint8_t *row, int width, const int32_t *first, const int32_t *second, const int32_t *weights,
                       int32_t *out);

/// Its vertical pass over two rows of `count` sums, with OpenCV's roundings.
void resize_linear_column(const int32_t *above, const int32_t *below, int count, int32_t above_weight, int32_t below_weight,
                          uint8_t *out);

/// A row of `width` pixels, each the rounded mean of 2 × 2 pixels of 3 bytes; `source` is the upper row, the lower one
/// `stride` bytes on.
void resize_halved(const uint8_t *source, size_t stride, int width, uint8_t *out);

#endif
