// Functions of one element or two that oneDNN does not have, forward and backward, and normalisations of rows and of groups of channels.
#ifndef NEURODEX_FUNCTIONS_H
#define NEURODEX_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

/// Of x, with a and b: erf x; min(max(a x + b, 0), 1); b (x > 0 ? x : a (exp x - 1)); x > a ? x : 0; x / (1 + |x|); x^a; 1 / x;
/// x > 0 ? x : a (exp(x / a) - 1); -1, 0 or 1; and the functions of these names.
typedef enum {
    NDX_ERF, NDX_HARD_SIGMOID, NDX_SELU, NDX_THRESHOLDED_RELU, NDX_SOFTSIGN, NDX_POWER, NDX_RECIPROCAL, NDX_CELU, NDX_SIGN,
    NDX_SIN, NDX_COS, NDX_TAN, NDX_ASIN, NDX_ACOS, NDX_ATAN, NDX_SINH, NDX_COSH, NDX_ASINH, NDX_ACOSH, NDX_ATANH,
} ndx_kind;

void ndx_function(ndx_kind kind, const float *in, float *out, size_t count, float a, float b);
/// `to = from * f'(in)`.
void ndx_function_backward(ndx_kind kind, const float *in, const float *from, float *to, size_t count, float a, float b);

/// `out = base ^ exponent`, element by element.
void ndx_power(const float *base, const float *exponent, float *out, size_t count);
/// Back to the base: `to = from * exponent * base ^ (exponent - 1)`; back to the exponent: `to = from * log(base) * base ^ exponent`.
void ndx_power_base_backward(const float *base, const float *exponent, const float *from, float *to, size_t count);
void ndx_power_exponent_backward(const float *base, const float *exponent, const float *from, float *to, size_t count);

/// `out = in > 0 ? in : slope * in`, with a slope for each element.
void ndx_prelu(const float *in, const float *slope, float *out, size_t count);
/// Back to the input: `to = from` where it lets signals through (`forward`: where the input is above 0; `backward`: where the signal is),
/// else `from * slope`. Back to the slope: `to = in < 0 ? from * in : 0`.
void ndx_prelu_backward(
    const float *in, const float *slope, const float *from, float *to, size_t count, int forward, int backward);
void ndx_prelu_slope_backward(const float *in, const float *from, float *to, size_t count);

/// A row or a group of channels less its mean, over sqrt(variance + epsilon), times a scale, plus a shift; sums in double precision.
/// Rows of `width` elements with a scale and shift for each; NULL for 1 and 0.
void ndx_normalize_rows(
    const float *in, float *out, size_t rows, size_t width, const float *scale, const float *shift, float epsilon);
void ndx_normalize_rows_backward(
    const float *in, const float *from, float *to, size_t rows, size_t width, const float *scale, float epsilon);
/// A channels-last map of one image, with a scale and shift for each channel.
void ndx_normalize_groups(
    const float *in, float *out, size_t pixels, size_t channels, size_t groups, const float *scale, const float *shift, float epsilon);
void ndx_normalize_groups_backward(
    const float *in, const float *from, float *to, size_t pixels, size_t channels, size_t groups, const float *scale, float epsilon);

typedef enum { NDX_REDUCE_MEAN, NDX_REDUCE_SUM, NDX_REDUCE_MAX, NDX_REDUCE_MIN, NDX_REDUCE_L1, NDX_REDUCE_L2, NDX_REDUCE_SUM_SQUARE, NDX_REDUCE_PRODUCT, NDX_REDUCE_LOG_SUM_EXP } ndx_reduction;

/// `out[at[i]]` = what `in[base[i] + offset[j]]` over all j reduces to.
void ndx_reduce(
    ndx_reduction kind, const float *in, float *out, const int64_t *base, const int64_t *at, size_t count, const int64_t *offset,
    size_t terms);
/// Back to `in`; `out` is what the way forward made. A maximum goes to the first term that is it.
void ndx_reduce_backward(
    ndx_reduction kind, const float *in, const float *out, const float *from, float *to, const int64_t *base, const int64_t *at,
    size_t count, const int64_t *offset, size_t terms);

/// `out[i] = in[index[i]]`, and back: `to[index[i]] += from[i]`.
void ndx_gather(const float *in, float *out, const int64_t *index, size_t count);
void ndx_scatter_add(const float *from, float *to, const int64_t *index, size_t count);

/// A channels-last map of one image made larger or smaller: row y of the result is the sum of `row_weights[y * row_taps + t]` times row
/// `rows[y * row_taps + t]`; columns likewise.
typedef struct {
    size_t height, width, channels, out_height, out_width, row_taps, column_taps;
    const int64_t *rows, *columns;
    const float *row_weights, *column_weights;
} ndx_resampling;

void ndx_resample(const float *in, float *out, const ndx_resampling *plan);
void ndx_resample_backward(const float *from, float *to, const ndx_resampling *plan);

#endif
