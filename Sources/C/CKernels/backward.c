#include <math.h>
#include <string.h>

#include "activations.h"
#include "clones.h"

/// Channels that one pass works on.
enum { TILE = 64 };

/// The rows or columns of the input that a window's taps fall on: tap k at start + k * dilation, where it lies inside.
static ptrdiff_t first(size_t position, const ndx_window *w, int axis) {
    return (ptrdiff_t)(position * w->stride[axis]) - (ptrdiff_t)w->pad_before[axis];
}

/// One window and one tile of its channels. `width` is a constant where the tile is full, so that the compiler keeps the maxima in registers.
static inline __attribute__((always_inline)) void tile_switches(
    const float *input, const ndx_pooling *s, const ndx_window *w, ptrdiff_t top, ptrdiff_t left, size_t width, uint32_t *place) {
    float best[TILE];
    for (size_t c = 0; c < width; c++) {
        best[c] = -INFINITY;
        place[c] = UINT32_MAX;
    }
    for (size_t ky = 0; ky < w->kernel[0]; ky++) {
        ptrdiff_t y = top + (ptrdiff_t)(ky * w->dilation[0]);
        if (y < 0 || y >= (ptrdiff_t)s->height) continue;
        for (size_t kx = 0; kx < w->kernel[1]; kx++) {
            ptrdiff_t x = left + (ptrdiff_t)(kx * w->dilation[1]);
            if (x < 0 || x >= (ptrdiff_t)s->width) continue;
            uint32_t pixel = (uint32_t)((size_t)y * s->width + (size_t)x);
            const float *row = input + pixel * s->channels;
            for (size_t c = 0; c < width; c++) {
                int greater = (row[c] > best[c]) | (place[c] == UINT32_MAX);
                best[c] = greater ? row[c] : best[c];
                place[c] = greater ? pixel : place[c];
            }
        }
    }
}

NDX_CLONES
void ndx_max_pooling_backward(
    const float *input, const float *from, float *to, ndx_pooling s, ndx_window w, size_t first_row, size_t end_row) {
    memset(to + first_row * s.width * s.channels, 0, (end_row - first_row) * s.width * s.channels * sizeof(float));
    const uint32_t begin = (uint32_t)(first_row * s.width), count = (uint32_t)((end_row - first_row) * s.width);
    ptrdiff_t reach = (ptrdiff_t)((w.kernel[0] - 1) * w.dilation[0]);
    for (size_t oy = 0; oy < s.out_height; oy++) {
        ptrdiff_t top = first(oy, &w, 0);
        if (top + reach < (ptrdiff_t)first_row || top >= (ptrdiff_t)end_row) continue;
        for (size_t ox = 0; ox < s.out_width; ox++)
            for (size_t start = 0; start < s.channels; start += TILE) {
                size_t width = s.channels - start < TILE ? s.channels - start : TILE;
                uint32_t place[TILE];
                if (width == TILE)
                    tile_switches(input + start, &s, &w, top, first(ox, &w, 1), TILE, place);
                else
                    tile_switches(input + start, &s, &w, top, first(ox, &w, 1), width, place);
                const float *signal = from + (oy * s.out_width + ox) * s.channels + start;
                for (size_t c = 0; c < width; c++)  // Unsigned: no place, and places before the first, are beyond all.
                    if (place[c] - begin < count) to[place[c] * s.channels + start + c] += signal[c];
            }
    }
}

NDX_CLONES
void ndx_average_pooling_backward(const float *from, float *to, ndx_pooling s, ndx_window w, int counts_padding) {
    memset(to, 0, s.height * s.width * s.channels * sizeof(float));
    for (size_t oy = 0; oy < s.out_height; oy++)
        for (size_t ox = 0; ox < s.out_width; ox++) {
            size_t inside = 0;
            for (int pass = 0; pass < 2; pass++) {
                float share = counts_padding ? 1.0f / (float)(w.kernel[0] * w.kernel[1]) : 1.0f / (float)(inside ? inside : 1);
                for (size_t ky = 0; ky < w.kernel[0]; ky++) {
                    ptrdiff_t y = first(oy, &w, 0) + (ptrdiff_t)(ky * w.dilation[0]);
                    if (y < 0 || y >= (ptrdiff_t)s.height) continue;
                    for (size_t kx = 0; kx < w.kernel[1]; kx++) {
                        ptrdiff_t x = first(ox, &w, 1) + (ptrdiff_t)(kx * w.dilation[1]);
                        if (x < 0 || x >= (ptrdiff_t)s.width) continue;
                        if (pass == 0) {
                            inside++;
                            continue;
                        }
                        const float *signal = from + (oy * s.out_width + ox) * s.channels;
                        float *target = to + ((size_t)y * s.width + (size_t)x) * s.channels;
                        for (size_t c = 0; c < s.channels; c++) target[c] += signal[c] * share;
                    }
                }
            }
        }
}

NDX_CLONES
void ndx_rectify_backward(const float *output, const float *from, float *to, size_t count, float slope, int forward, int backward) {
    for (size_t i = 0; i < count; i++) {
        int open = (!forward || output[i] > 0) && (!backward || from[i] > 0);
        to[i] = open ? from[i] : from[i] * slope;
    }
}

NDX_CLONES
void ndx_clip_backward(const float *output, const float *from, float *to, size_t count, float low, float high) {
    for (size_t i = 0; i < count; i++) to[i] = output[i] > low && output[i] < high ? from[i] : 0;
}

NDX_CLONES
void ndx_divisor_backward(const float *dividend, const float *divisor, const float *from, float *to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = -from[i] * dividend[i] / (divisor[i] * divisor[i]);
}

NDX_CLONES
void ndx_extremum_backward(const float *own, const float *rival, const float *from, float *to, size_t count, int minimum, int strict) {
    const float sign = minimum ? -1.0f : 1.0f;
    for (size_t i = 0; i < count; i++) {
        float lead = sign * own[i], behind = sign * rival[i];
        to[i] = lead > behind || (!strict && lead == behind) ? from[i] : 0;
    }
}

NDX_CLONES
void ndx_softmax_backward(const float *output, const float *from, float *to, size_t rows, size_t channels, int logarithm) {
    for (size_t r = 0; r < rows; r++) {
        const float *y = output + r * channels, *g = from + r * channels;
        double sum = 0, whole = 0;
        if (logarithm) {
            for (size_t c = 0; c < channels; c++) sum += g[c], whole += expf(y[c]);
            // The exponentials add up to 1 but for what the logarithm was off by.
            float share = (float)(sum / whole);
            for (size_t c = 0; c < channels; c++) to[r * channels + c] = g[c] - expf(y[c]) * share;
        } else {
            for (size_t c = 0; c < channels; c++) sum += (double)g[c] * y[c];
            for (size_t c = 0; c < channels; c++) to[r * channels + c] = y[c] * (g[c] - (float)sum);
        }
    }
}

void ndx_interleave(
    const float *from, float *to, size_t height, size_t width, size_t channels, const size_t stride[2], const size_t skipped[2],
    size_t from_width) {
    size_t pixel = stride[0] * stride[1] * channels;
    for (size_t y = 0; y < height; y++) {
        size_t row = y + skipped[0], x = 0;
        const float *line = from + row / stride[0] * from_width * pixel + row % stride[0] * stride[1] * channels;
        while (x < width) {
            size_t column = x + skipped[1], within = column % stride[1];
            size_t run = stride[1] - within < width - x ? stride[1] - within : width - x;
            memcpy(to, line + column / stride[1] * pixel + within * channels, run * channels * sizeof(float));
            to += run * channels;
            x += run;
        }
    }
}

NDX_CLONES
void ndx_add(const float *from, float *to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] += from[i];
}
