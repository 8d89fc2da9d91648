#include "functions.h"

#include <math.h>
#include <string.h>

#include "clones.h"

#define EACH(EXPRESSION) for (size_t i = 0; i < count; i++) { float x = in[i]; out[i] = (EXPRESSION); }

NDX_CLONES
void ndx_function(ndx_kind kind, const float *in, float *out, size_t count, float a, float b) {
    switch (kind) {
        case NDX_ERF: EACH(erff(x)) break;
        case NDX_HARD_SIGMOID: EACH(a * x + b < 0 ? 0 : a * x + b > 1 ? 1 : a * x + b) break;
        case NDX_SELU: EACH(b * (x > 0 ? x : a * expm1f(x))) break;
        case NDX_THRESHOLDED_RELU: EACH(x <= a ? 0 : x) break;
        case NDX_SOFTSIGN: EACH(x / (1 + fabsf(x))) break;
        case NDX_POWER:
            if (a == 2) EACH(x * x)
            else if (a == 0.5f) EACH(sqrtf(x))
            else EACH(powf(x, a))
            break;
        case NDX_RECIPROCAL: EACH(1 / x) break;
        case NDX_CELU: EACH(x > 0 ? x : a * expm1f(x / a)) break;
        case NDX_SIGN: EACH(x > 0 ? 1 : x < 0 ? -1 : x) break;
        case NDX_SIN: EACH(sinf(x)) break;
        case NDX_COS: EACH(cosf(x)) break;
        case NDX_TAN: EACH(tanf(x)) break;
        case NDX_ASIN: EACH(asinf(x)) break;
        case NDX_ACOS: EACH(acosf(x)) break;
        case NDX_ATAN: EACH(atanf(x)) break;
        case NDX_SINH: EACH(sinhf(x)) break;
        case NDX_COSH: EACH(coshf(x)) break;
        case NDX_ASINH: EACH(asinhf(x)) break;
        case NDX_ACOSH: EACH(acoshf(x)) break;
        case NDX_ATANH: EACH(atanhf(x)) break;
    }
}

#undef EACH
#define EACH(EXPRESSION) for (size_t i = 0; i < count; i++) { float x = in[i]; to[i] = from[i] * (EXPRESSION); }

NDX_CLONES
void ndx_function_backward(ndx_kind kind, const float *in, const float *from, float *to, size_t count, float a, float b) {
    switch (kind) {
        case NDX_ERF: EACH(1.1283791671f * expf(-x * x)) break;  // 2 / sqrt(pi)
        case NDX_HARD_SIGMOID: EACH(a * x + b > 0 && a * x + b < 1 ? a : 0) break;
        case NDX_SELU: EACH(b * (x > 0 ? 1 : a * expf(x))) break;
        case NDX_THRESHOLDED_RELU: EACH(x > a ? 1 : 0) break;
        case NDX_SOFTSIGN: EACH(1 / ((1 + fabsf(x)) * (1 + fabsf(x)))) break;
        case NDX_POWER:
            if (a == 2) EACH(2 * x)
            else EACH(a * powf(x, a - 1))
            break;
        case NDX_RECIPROCAL: EACH(-1 / (x * x)) break;
        case NDX_CELU: EACH(x > 0 ? 1 : expf(x / a)) break;
        case NDX_SIGN: EACH(0) break;
        case NDX_SIN: EACH(cosf(x)) break;
        case NDX_COS: EACH(-sinf(x)) break;
        case NDX_TAN: EACH(1 + tanf(x) * tanf(x)) break;
        case NDX_ASIN: EACH(1 / sqrtf(1 - x * x)) break;
        case NDX_ACOS: EACH(-1 / sqrtf(1 - x * x)) break;
        case NDX_ATAN: EACH(1 / (1 + x * x)) break;
        case NDX_SINH: EACH(coshf(x)) break;
        case NDX_COSH: EACH(sinhf(x)) break;
        case NDX_ASINH: EACH(1 / sqrtf(x * x + 1)) break;
        case NDX_ACOSH: EACH(1 / sqrtf(x * x - 1)) break;
        case NDX_ATANH: EACH(1 / (1 - x * x)) break;
    }
}

void ndx_power(const float *base, const float *exponent, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = powf(base[i], exponent[i]);
}

void ndx_power_base_backward(const float *base, const float *exponent, const float *from, float *to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = from[i] * exponent[i] * powf(base[i], exponent[i] - 1);
}

void ndx_power_exponent_backward(const float *base, const float *exponent, const float *from, float *to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = from[i] * logf(base[i]) * powf(base[i], exponent[i]);
}

NDX_CLONES
void ndx_prelu(const float *in, const float *slope, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = in[i] > 0 ? in[i] : slope[i] * in[i];
}

NDX_CLONES
void ndx_prelu_backward(
    const float *in, const float *slope, const float *from, float *to, size_t count, int forward, int backward) {
    for (size_t i = 0; i < count; i++) {
        int open = (!forward || in[i] > 0) && (!backward || from[i] > 0);
        to[i] = open ? from[i] : from[i] * slope[i];
    }
}

NDX_CLONES
void ndx_prelu_slope_backward(const float *in, const float *from, float *to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = in[i] < 0 ? from[i] * in[i] : 0;
}

enum { LANES = 16 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));
typedef double wide __attribute__((vector_size(LANES * sizeof(double))));

/// Mean, and 1 / sqrt(variance + epsilon). Sums of every LANES-th element, and then of these: a sum of one element after the other waits
/// for itself.
static inline __attribute__((always_inline)) void moments(
    const float *in, size_t pixels, size_t stride, size_t width, float epsilon, double *mean, double *inverse) {
    wide sums = {0}, squares = {0};
    const double count = (double)(pixels * width);
    double sum = 0, square = 0;
    for (size_t p = 0; p < pixels; p++) {
        const float *row = in + p * stride;
        size_t c = 0;
        for (; c + LANES <= width; c += LANES) sums += __builtin_convertvector(*(const lanes *)(row + c), wide);
        for (; c < width; c++) sum += row[c];
    }
    for (size_t i = 0; i < LANES; i++) sum += sums[i];
    *mean = sum / count;
    for (size_t p = 0; p < pixels; p++) {
        const float *row = in + p * stride;
        size_t c = 0;
        for (; c + LANES <= width; c += LANES) {
            const wide d = __builtin_convertvector(*(const lanes *)(row + c), wide) - *mean;
            squares += d * d;
        }
        for (; c < width; c++) square += (row[c] - *mean) * (row[c] - *mean);
    }
    for (size_t i = 0; i < LANES; i++) square += squares[i];
    *inverse = 1 / sqrt(square / count + epsilon);
}

/// One block of `pixels` × `width` elements: a row, or a group of channels.
static inline __attribute__((always_inline)) void normalize(
    const float *in, float *out, size_t pixels, size_t stride, size_t width, const float *scale, const float *shift, float epsilon) {
    double mean, inverse;
    moments(in, pixels, stride, width, epsilon, &mean, &inverse);
    const float m = (float)mean, v = (float)inverse;
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < width; c++)
            out[p * stride + c] = (in[p * stride + c] - m) * v * (scale ? scale[c] : 1) + (shift ? shift[c] : 0);
}

/// With y the normalised elements and g = scale * from: (g - mean g - y mean(g y)) / sqrt(variance + epsilon).
static inline __attribute__((always_inline)) void normalize_backward(
    const float *in, const float *from, float *to, size_t pixels, size_t stride, size_t width, const float *scale, float epsilon) {
    double mean, inverse, sum = 0, product = 0, count = (double)(pixels * width);
    moments(in, pixels, stride, width, epsilon, &mean, &inverse);
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < width; c++) {
            double g = from[p * stride + c] * (double)(scale ? scale[c] : 1);
            sum += g;
            product += g * (in[p * stride + c] - mean) * inverse;
        }
    const double average = sum / count, share = product / count;
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < width; c++) {
            double g = from[p * stride + c] * (double)(scale ? scale[c] : 1), y = (in[p * stride + c] - mean) * inverse;
            to[p * stride + c] = (float)((g - average - y * share) * inverse);
        }
}

NDX_CLONES
void ndx_normalize_rows(
    const float *in, float *out, size_t rows, size_t width, const float *scale, const float *shift, float epsilon) {
    for (size_t r = 0; r < rows; r++) normalize(in + r * width, out + r * width, 1, width, width, scale, shift, epsilon);
}

NDX_CLONES
void ndx_normalize_rows_backward(
    const float *in, const float *from, float *to, size_t rows, size_t width, const float *scale, float epsilon) {
    for (size_t r = 0; r < rows; r++)
        normalize_backward(in + r * width, from + r * width, to + r * width, 1, width, width, scale, epsilon);
}

NDX_CLONES
void ndx_normalize_groups(
    const float *in, float *out, size_t pixels, size_t channels, size_t groups, const float *scale, const float *shift,
    float epsilon) {
    const size_t width = channels / groups;
    for (size_t c = 0; c < channels; c += width)
        normalize(in + c, out + c, pixels, channels, width, scale + c, shift + c, epsilon);
}

NDX_CLONES
void ndx_normalize_groups_backward(
    const float *in, const float *from, float *to, size_t pixels, size_t channels, size_t groups, const float *scale,
    float epsilon) {
    const size_t width = channels / groups;
    for (size_t c = 0; c < channels; c += width)
        normalize_backward(in + c, from + c, to + c, pixels, channels, width, scale + c, epsilon);
}

void ndx_reduce(
    ndx_reduction kind, const float *in, float *out, const int64_t *base, const int64_t *at, size_t count, const int64_t *offset,
    size_t terms) {
    for (size_t i = 0; i < count; i++) {
        const float *x = in + base[i];
        double sum = kind == NDX_REDUCE_PRODUCT ? 1 : 0;
        float extreme = x[offset[0]];
        for (size_t j = 0; j < terms; j++) {
            float v = x[offset[j]];
            switch (kind) {
                case NDX_REDUCE_MEAN: case NDX_REDUCE_SUM: sum += v; break;
                case NDX_REDUCE_MAX: case NDX_REDUCE_LOG_SUM_EXP: extreme = v > extreme || v != v ? v : extreme; break;
                case NDX_REDUCE_MIN: extreme = v < extreme || v != v ? v : extreme; break;
                case NDX_REDUCE_L1: sum += fabsf(v); break;
                case NDX_REDUCE_L2: case NDX_REDUCE_SUM_SQUARE: sum += (double)v * v; break;
                case NDX_REDUCE_PRODUCT: sum *= v; break;
            }
        }
        if (kind == NDX_REDUCE_MEAN) sum /= (double)terms;
        if (kind == NDX_REDUCE_L2) sum = sqrt(sum);
        if (kind == NDX_REDUCE_LOG_SUM_EXP) {
            for (size_t j = 0; j < terms; j++) sum += exp((double)x[offset[j]] - extreme);
            sum = log(sum) + extreme;
        }
        out[at[i]] = kind == NDX_REDUCE_MAX || kind == NDX_REDUCE_MIN ? extreme : (float)sum;
    }
}

void ndx_reduce_backward(
    ndx_reduction kind, const float *in, const float *out, const float *from, float *to, const int64_t *base, const int64_t *at,
    size_t count, const int64_t *offset, size_t terms) {
    for (size_t i = 0; i < count; i++) {
        const float *x = in + base[i];
        float *target = to + base[i];
        float g = from[at[i]], y = out[at[i]];
        int found = 0;
        for (size_t j = 0; j < terms; j++) {
            float v = x[offset[j]], d = 0;
            switch (kind) {
                case NDX_REDUCE_MEAN: d = 1 / (float)terms; break;
                case NDX_REDUCE_SUM: d = 1; break;
                case NDX_REDUCE_MAX: case NDX_REDUCE_MIN:
                    d = !found && v == y ? 1 : 0;
                    found |= d > 0;
                    break;
                case NDX_REDUCE_L1: d = v > 0 ? 1 : v < 0 ? -1 : 0; break;
                case NDX_REDUCE_L2: d = y > 0 ? v / y : 0; break;
                case NDX_REDUCE_SUM_SQUARE: d = 2 * v; break;
                case NDX_REDUCE_PRODUCT:
                    d = 1;
                    for (size_t k = 0; k < terms; k++) d *= k == j ? 1 : x[offset[k]];
                    break;
                case NDX_REDUCE_LOG_SUM_EXP: d = expf(v - y); break;
            }
            target[offset[j]] = g * d;
        }
    }
}

void ndx_gather(const float *in, float *out, const int64_t *index, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = in[index[i]];
}

void ndx_scatter_add(const float *from, float *to, const int64_t *index, size_t count) {
    for (size_t i = 0; i < count; i++) to[index[i]] += from[i];
}

NDX_CLONES
void ndx_resample(const float *in, float *out, const ndx_resampling *p) {
    memset(out, 0, p->out_height * p->out_width * p->channels * sizeof(float));
    for (size_t y = 0; y < p->out_height; y++)
        for (size_t x = 0; x < p->out_width; x++) {
            float *to = out + (y * p->out_width + x) * p->channels;
            for (size_t r = 0; r < p->row_taps; r++)
                for (size_t c = 0; c < p->column_taps; c++) {
                    const float w = p->row_weights[y * p->row_taps + r] * p->column_weights[x * p->column_taps + c];
                    if (w == 0) continue;
                    const size_t row = (size_t)p->rows[y * p->row_taps + r], column = (size_t)p->columns[x * p->column_taps + c];
                    const float *from = in + (row * p->width + column) * p->channels;
                    for (size_t i = 0; i < p->channels; i++) to[i] += w * from[i];
                }
        }
}

NDX_CLONES
void ndx_resample_backward(const float *from, float *to, const ndx_resampling *p) {
    memset(to, 0, p->height * p->width * p->channels * sizeof(float));
    for (size_t y = 0; y < p->out_height; y++)
        for (size_t x = 0; x < p->out_width; x++) {
            const float *signal = from + (y * p->out_width + x) * p->channels;
            for (size_t r = 0; r < p->row_taps; r++)
                for (size_t c = 0; c < p->column_taps; c++) {
                    const float w = p->row_weights[y * p->row_taps + r] * p->column_weights[x * p->column_taps + c];
                    if (w == 0) continue;
                    const size_t row = (size_t)p->rows[y * p->row_taps + r], column = (size_t)p->columns[x * p->column_taps + c];
                    float *target = to + (row * p->width + column) * p->channels;
                    for (size_t i = 0; i < p->channels; i++) target[i] += w * signal[i];
                }
        }
}
