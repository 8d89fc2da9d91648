// What is taken from a channels-last map: maxima, means; and the copies that layouts need.
#ifndef NEURODEX_ACTIVATIONS_H
#define NEURODEX_ACTIVATIONS_H

#include <stddef.h>
#include <stdint.h>

/// The maximum of each channel over `pixels` pixels that stand `stride` floats apart, and the first pixel in row-major order
/// that has it. NaN is below everything: it is a channel's maximum only where all its values are NaN (position 0).
void ndx_channel_maxima(const float *map, size_t pixels, size_t channels, size_t stride, float *values, uint32_t *positions);

/// As ndx_channel_maxima, and copies the map to `copy`, whose pixels stand `copy_stride` floats apart.
void ndx_channel_maxima_copying(const float *map, size_t pixels, size_t channels, size_t stride, float *copy, size_t copy_stride,
                               float *values, uint32_t *positions);

/// The mean of each channel, added up in double precision.
void ndx_channel_means(const float *map, size_t pixels, size_t channels, size_t stride, float *means);

/// `to[p][c] = from[p][c]` for channels-last maps whose pixels stand `from_stride` and `to_stride` floats apart.
void ndx_copy_pixels(const float *from, size_t from_stride, float *to, size_t to_stride, size_t pixels, size_t channels);

/// `to[p][c] = from[p][c] * scale[c] + shift[c]`.
void ndx_channel_affine(const float *from, float *to, size_t pixels, size_t channels, const float *scale, const float *shift);

/// A copy between any two strided layouts of up to 6 axes; missing axes have extent 1.
void ndx_copy_strided(const float *from, float *to, const size_t extents[6], const ptrdiff_t from_strides[6],
                     const ptrdiff_t to_strides[6]);

#endif
