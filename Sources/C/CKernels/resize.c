#include "resize.h"
#include "clones.h"

typedef uint8_t bytes4 __attribute__((vector_size(4), aligned(1), may_alias));
typedef int32_t lanes4 __attribute__((vector_size(16)));

static const int32_t half = 1 << (RESIZE_PRECISION_BITS - 1);

static inline __attribute__((always_inline)) lanes4 clamp4(lanes4 sum) {
  lanes4 value = sum >> RESIZE_PRECISION_BITS;
  value = value & ~(value >> 31);      // below 0
  lanes4 above = (255 - value) >> 31;  // all ones above 255
  return (value | above) & 255;
}

NDX_CLONES void resize_rows(const uint8_t *source, size_t stride, int rows, uint8_t *out, int width, const int32_t *starts,
                        const int32_t *counts, const int32_t *weights, int taps) {
  for (int y = 0; y < rows; y++) {
    const uint8_t *row = source + (size_t)y * stride;
    uint8_t *target = out + (size_t)y * (size_t)width * 4;
    for (int i = 0; i < width; i++) {
      const uint8_t *pixel = row + 3 * (size_t)starts[i];
      const int32_t *weight = weights + (size_t)i * (size_t)taps;
      int count = counts[i];
      lanes4 sum = {half, half, half, half};
      for (int k = 0; k < count; k++, pixel += 3)
        sum += __builtin_convertvector(*(const bytes4 *)pixel, lanes4) * weight[k];
      *(bytes4 *)(target + 4 * (size_t)i) = __builtin_convertvector(clamp4(sum), bytes4);
    }
  }
}

NDX_CLONES void resize_column(const uint8_t *source, int width, const int32_t *weights, int count, uint8_t *out) {
  enum { block = 64 }; // bytes summed at a time: 16 pixels, four 512-bit accumulators
  size_t stride = (size_t)width * 4;
  for (size_t x = 0; x < stride; x += block) {
    int32_t sums[block];
    int lanes = stride - x < block ? (int)(stride - x) : block;
    for (int i = 0; i < block; i++) sums[i] = half;
    if (lanes == block) {
      for (int k = 0; k < count; k++) {
        const uint8_t *row = source + (size_t)k * stride + x;
        int32_t weight = weights[k];
        for (int i = 0; i < block; i++) sums[i] += row[i] * weight;
      }
    } else {
      for (int k = 0; k < count; k++) {
        const uint8_t *row = source + (size_t)k * stride + x;
        for (int i = 0; i < lanes; i++) sums[i] += row[i] * weights[k];
      }
    }
    uint8_t bytes[block];
    for (int i = 0; i < block; i++) {
      int32_t value = sums[i] >> RESIZE_PRECISION_BITS;
      bytes[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
    uint8_t *target = out + x / 4 * 3;
    for (int i = 0; i < lanes / 4; i++) {
      target[3 * i + 0] = bytes[4 * i + 0];
      target[3 * i + 1] = bytes[4 * i + 1];
      target[3 * i + 2] = bytes[4 * i + 2];
    }
  }
}

NDX_CLONES void resize_column_bytes(const uint8_t *source, size_t stride, size_t bytes, const int32_t *weights, int count,
                                uint8_t *out) {
  enum { block = 64 }; // as above
  for (size_t x = 0; x < bytes; x += block) {
    int32_t sums[block];
    int lanes = bytes - x < block ? (int)(bytes - x) : block;
    for (int i = 0; i < block; i++) sums[i] = half;
    for (int k = 0; k < count; k++) {
      const uint8_t *row = source + (size_t)k * stride + x;
      int32_t weight = weights[k];
      if (lanes == block) {
        for (int i = 0; i < block; i++) sums[i] += row[i] * weight;
      } else {
        for (int i = 0; i < lanes; i++) sums[i] += row[i] * weight;
      }
    }
    for (int i = 0; i < lanes; i++) {
      int32_t value = sums[i] >> RESIZE_PRECISION_BITS;
      out[x + (size_t)i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
  }
}

void resize_linear_row(const uint8_t *row, int width, const int32_t *first, const int32_t *second, const int32_t *weights,
                       int32_t *out) {
  for (int i = 0; i < width; i++) {
    const uint8_t *a = row + 3 * (size_t)first[i], *b = row + 3 * (size_t)second[i];
    int32_t left = weights[2 * i], right = weights[2 * i + 1];
    for (int channel = 0; channel < 3; channel++) out[3 * i + channel] = a[channel] * left + b[channel] * right;
  }
}

NDX_CLONES void resize_linear_column(const int32_t *above, const int32_t *below, int count, int32_t above_weight,
                                     int32_t below_weight, uint8_t *out) {
  for (int i = 0; i < count; i++)
    out[i] = (uint8_t)((((above_weight * (above[i] >> 4)) >> 16) + ((below_weight * (below[i] >> 4)) >> 16) + 2) >> 2);
}

void resize_halved(const uint8_t *source, size_t stride, int width, uint8_t *out) {
  const uint8_t *lower = source + stride;
  for (int i = 0; i < width; i++) {
    for (int channel = 0; channel < 3; channel++) {
      int at = 6 * i + channel;
      out[3 * i + channel] = (uint8_t)((source[at] + source[at + 3] + lower[at] + lower[at + 3] + 2) >> 2);
    }
  }
}
