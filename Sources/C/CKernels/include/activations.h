// What is taken from a channels-last map: maxima, means; and the copies that layouts need.
#ifndef NEURODEX_ACTIVATIONS_H
#define NEURODEX_ACTIVATIONS_H

#include <stddef.h>
#include <stdint.h>

/// The maximum of each channel over `pixels` pixels that stand `stride` floats apart, and the first pixel in row-major order
/// that has it. NaN is below everything: it is a channel's maximum only where all its values are NaN (position 0).
void ndx_channel_maxima(const float *map, size_t pixels, size_t channels, size_t stride, float *values, uint32_t *positions);

/// As ndx_channel_maxima, but a channel that holds a NaN has NaN as its maximum, at the first pixel that has one.
void ndx_channel_maxima_or_nan(const float *map, size_t pixels, size_t channels, size_t stride, float *values, uint32_t *positions);

/// Puts NaN back where a function hid it: `to[i] = NaN` where `from[i]` is.
void ndx_keep_nan(const float *from, float *to, size_t count);

/// As ndx_keep_nan, a whole row of `width` elements at a time.
void ndx_keep_nan_rows(const float *from, float *to, size_t rows, size_t width);

/// Whether all values are numbers, and none so large that sums of products with numbers of the same size overflow.
int ndx_are_moderate(const float *values, size_t count);

/// The mean of each channel, added up in double precision.
void ndx_channel_means(const float *map, size_t pixels, size_t channels, size_t stride, float *means);

/// For each channel the sum over all pixels of a[p][c] · b[p][c], added up in double precision.
void ndx_channel_products(const float *a, const float *b, size_t pixels, size_t channels, float *sums);

/// `to[p][c] = from[p][c]` for channels-last maps whose pixels stand `from_stride` and `to_stride` floats apart.
void ndx_copy_pixels(const float *from, size_t from_stride, float *to, size_t to_stride, size_t pixels, size_t channels);

/// What a number becomes: `slope` times it where it is not above 0 (1: itself; 0: 0), and no more than `ceiling`.
typedef struct {
    float slope, ceiling;
} ndx_rectifier;

/// `to[p][c] = from[p][c] * scale[c] + shift[c]`, and then rectified.
void ndx_channel_affine(
    const float *from, float *to, size_t pixels, size_t channels, const float *scale, const float *shift, ndx_rectifier rectifier);

/// `to[i] = from[i] * scale + shift`, of one channel whose places lie side by side.
void ndx_plane_affine(const float *from, float *to, size_t count, float scale, float shift);

/// A copy between any two strided layouts of up to 6 axes; missing axes have extent 1.
void ndx_copy_strided(const float *from, float *to, const size_t extents[6], const ptrdiff_t from_strides[6],
                     const ptrdiff_t to_strides[6]);

/// What a window of a pooling looks at: kernel, stride, dilation, padding before; [0] vertical, [1] horizontal.
typedef struct {
    size_t kernel[2], stride[2], dilation[2], pad_before[2];
} ndx_window;

/// Sizes of a channels-last map on both sides of a pooling, of one image.
typedef struct {
    size_t height, width, channels, out_height, out_width;
} ndx_pooling;

/// Maximum pooling of one image, the output's rows first_row ..< end_row. NaN is below everything; padding counts for nothing.
void ndx_max_pooling(const float *input, float *output, ndx_pooling size, ndx_window window, size_t first_row, size_t end_row);

/// As ndx_max_pooling, but one NaN makes the maximum NaN.
void ndx_max_pooling_or_nan(
    const float *input, float *output, ndx_pooling size, ndx_window window, size_t first_row, size_t end_row);

/// Back through maximum pooling: what comes to a pixel of the output goes to the pixel of the input that was its maximum,
/// the first in row-major order. `to` is overwritten. Of the input's rows first_row ..< end_row alone.
void ndx_max_pooling_backward(
    const float *input, const float *from, float *to, ndx_pooling size, ndx_window window, size_t first_row, size_t end_row);

/// Back through average pooling. With `counts_padding` every window is divided by its whole size.
void ndx_average_pooling_backward(const float *from, float *to, ndx_pooling size, ndx_window window, int counts_padding);

/// Back through a rectifier whose output was `output`: `to = from` where it lets signals through, else `from * slope`.
/// `forward`: where the output is above 0; `backward`: where the signal itself is.
void ndx_rectify_backward(const float *output, const float *from, float *to, size_t count, float slope, int forward, int backward);

/// Back through a clip to low...high whose output was `output`.
void ndx_clip_backward(const float *output, const float *from, float *to, size_t count, float low, float high);

/// Back to the divisor of dividend / divisor: `to = -from * dividend / divisor²`.
void ndx_divisor_backward(const float *dividend, const float *divisor, const float *from, float *to, size_t count);

/// Back through a maximum (`minimum`: a minimum) of several: `to = from` where `own` goes beyond `rival` or, unless `strict`, equals it;
/// else 0. `to` may be `from`.
void ndx_extremum_backward(const float *own, const float *rival, const float *from, float *to, size_t count, int minimum, int strict);

/// Back through softmax, or its logarithm, over the `channels` of each of `rows`, whose output was `output`.
void ndx_softmax_backward(const float *output, const float *from, float *to, size_t rows, size_t channels, int logarithm);

/// Spreads the channels of a map over pixels, the last step of sub-pixel convolution: with (Y, X) = (y, x) + skipped,
/// `to[y][x][c] = from[Y / stride][X / stride][(Y % stride) * stride + X % stride][c]`. `to`: height × width × channels.
void ndx_interleave(
    const float *from, float *to, size_t height, size_t width, size_t channels, const size_t stride[2], const size_t skipped[2],
    size_t from_width);

/// `to[i] += from[i]`.
void ndx_add(const float *from, float *to, size_t count);

#endif
