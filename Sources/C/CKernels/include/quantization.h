// Rounding to the few values that a quantised network knows, and back.
#ifndef NEURODEX_QUANTIZATION_H
#define NEURODEX_QUANTIZATION_H

#include <stddef.h>

/// Which values there are: (q - zero) * scale for the integers q from low to high. `scale` and `zero` hold one number, or one a channel.
typedef struct {
    const float *scale, *zero;
    float low, high;
    int per_channel;
} ndx_grid;

/// `to = min(max(round(from / scale) + zero, low), high)`, halves to the even integer, as ONNX's QuantizeLinear.
void ndx_quantize(const float *from, float *to, size_t pixels, size_t channels, ndx_grid grid);

/// `to = (from - zero) * scale`, as ONNX's DequantizeLinear. `to` may be `from`.
void ndx_dequantize(const float *from, float *to, size_t pixels, size_t channels, ndx_grid grid);

/// Back through ndx_quantize, as if it did not round: `to = from / scale`. With `forward`, 0 where `input` lay outside low...high;
/// with `backward`, 0 where the signal is not above 0.
void ndx_quantize_backward(
    const float *input, const float *from, float *to, size_t pixels, size_t channels, ndx_grid grid, int forward, int backward);

#endif
