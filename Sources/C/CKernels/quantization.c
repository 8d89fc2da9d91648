#include "quantization.h"

#include <math.h>

#include "clones.h"

static inline float quantized(float value, float scale, float zero, float low, float high) {
    float rounded = rintf(value / scale) + zero;
    return rounded < low ? low : rounded > high ? high : rounded;
}

static inline float passed(float value, float signal, float scale, float zero, float low, float high, int forward, int backward) {
    float rounded = rintf(value / scale) + zero;
    int blocked = (forward & ((rounded < low) | (rounded > high))) | (backward & (signal <= 0));
    return blocked ? 0 : signal / scale;
}

NDX_CLONES
void ndx_quantize(const float *from, float *to, size_t pixels, size_t channels, ndx_grid g) {
    if (!g.per_channel) {
        const float scale = *g.scale, zero = *g.zero;
        for (size_t i = 0; i < pixels * channels; i++) to[i] = quantized(from[i], scale, zero, g.low, g.high);
        return;
    }
    for (size_t p = 0; p < pixels; p++, from += channels, to += channels)
        for (size_t c = 0; c < channels; c++) to[c] = quantized(from[c], g.scale[c], g.zero[c], g.low, g.high);
}

NDX_CLONES
void ndx_dequantize(const float *from, float *to, size_t pixels, size_t channels, ndx_grid g) {
    if (!g.per_channel) {
        const float scale = *g.scale, zero = *g.zero;
        for (size_t i = 0; i < pixels * channels; i++) to[i] = (from[i] - zero) * scale;
        return;
    }
    for (size_t p = 0; p < pixels; p++, from += channels, to += channels)
        for (size_t c = 0; c < channels; c++) to[c] = (from[c] - g.zero[c]) * g.scale[c];
}

NDX_CLONES
void ndx_quantize_backward(
    const float *input, const float *from, float *to, size_t pixels, size_t channels, ndx_grid g, int forward, int backward) {
    if (!g.per_channel) {
        const float scale = *g.scale, zero = *g.zero;
        for (size_t i = 0; i < pixels * channels; i++)
            to[i] = passed(input[i], from[i], scale, zero, g.low, g.high, forward, backward);
        return;
    }
    for (size_t p = 0; p < pixels; p++, input += channels, from += channels, to += channels)
        for (size_t c = 0; c < channels; c++)
            to[c] = passed(input[c], from[c], g.scale[c], g.zero[c], g.low, g.high, forward, backward);
}
