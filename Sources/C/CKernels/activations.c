#include "activations.h"

#include <math.h>
#include <string.h>

#include "clones.h"

/// Channels that one pass holds in registers: four vectors of maxima and four of positions on AVX2, two on AVX-512.
enum { TILE = 32 };

/// One tile of channels over all pixels. `width` is a constant where it is called with a full tile, so that the compiler
/// keeps the maxima in registers. Strictly greater keeps the first position; NaN is never greater.
static inline __attribute__((always_inline)) void tile_maxima(const float *map, size_t pixels, size_t width, size_t stride,
                                                              float *values, uint32_t *positions) {
    float best[TILE];
    uint32_t place[TILE];
    for (size_t c = 0; c < width; c++) {
        best[c] = -INFINITY;
        place[c] = 0;
    }
    for (size_t p = 0; p < pixels; p++) {
        const float *row = map + p * stride;
        for (size_t c = 0; c < width; c++) {
            float v = row[c];
            int greater = v > best[c];
            best[c] = greater ? v : best[c];
            place[c] = greater ? (uint32_t)p : place[c];
        }
    }
    memcpy(values, best, width * sizeof(float));
    memcpy(positions, place, width * sizeof(uint32_t));
}

/// A channel that is all NaN or -Inf was never greater than the start: look again, slowly.
static void settle(const float *map, size_t pixels, size_t channels, size_t stride, float *values, uint32_t *positions) {
    for (size_t c = 0; c < channels; c++) {
        if (values[c] != -INFINITY) continue;
        size_t p = 0;
        while (p < pixels && isnan(map[p * stride + c])) p++;
        positions[c] = p < pixels ? (uint32_t)p : 0;
        if (p == pixels) values[c] = NAN;
    }
}

NDX_CLONES
static void maxima(const float *map, size_t pixels, size_t channels, size_t stride, float *values, uint32_t *positions) {
    size_t c = 0;
    for (; c + TILE <= channels; c += TILE)
        tile_maxima(map + c, pixels, TILE, stride, values + c, positions + c);
    for (; c + 16 <= channels; c += 16)
        tile_maxima(map + c, pixels, 16, stride, values + c, positions + c);
    if (c < channels)
        tile_maxima(map + c, pixels, channels - c, stride, values + c, positions + c);
}

void ndx_channel_maxima(const float *map, size_t pixels, size_t channels, size_t stride, float *values, uint32_t *positions) {
    maxima(map, pixels, channels, stride, values, positions);
    settle(map, pixels, channels, stride, values, positions);
}

/// For 16 channels, or fewer, which of them hold a NaN.
static inline __attribute__((always_inline)) void tile_nans(const float *map, size_t pixels, size_t width, size_t stride, int *found) {
    for (size_t c = 0; c < width; c++) found[c] = 0;
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < width; c++) found[c] |= map[p * stride + c] != map[p * stride + c];
}

NDX_CLONES
static void nans(const float *map, size_t pixels, size_t channels, size_t stride, float *values, uint32_t *positions) {
    for (size_t start = 0; start < channels; start += 16) {
        int found[16];
        const size_t width = channels - start < 16 ? channels - start : 16;
        if (width == 16)
            tile_nans(map + start, pixels, 16, stride, found);
        else
            tile_nans(map + start, pixels, width, stride, found);
        for (size_t c = 0; c < width; c++) {
            if (!found[c]) continue;
            size_t p = 0;
            while (!isnan(map[p * stride + start + c])) p++;
            values[start + c] = NAN;
            positions[start + c] = (uint32_t)p;
        }
    }
}

void ndx_channel_maxima_or_nan(
    const float *map, size_t pixels, size_t channels, size_t stride, float *values, uint32_t *positions) {
    ndx_channel_maxima(map, pixels, channels, stride, values, positions);
    nans(map, pixels, channels, stride, values, positions);
}

NDX_CLONES
void ndx_keep_nan(const float *from, float *to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = from[i] != from[i] ? from[i] : to[i];
}

void ndx_keep_nan_rows(const float *from, float *to, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++, from += width, to += width) {
        int found = 0;
        for (size_t i = 0; i < width; i++) found |= from[i] != from[i];
        for (size_t i = 0; found && i < width; i++) to[i] = NAN;
    }
}

int ndx_are_moderate(const float *values, size_t count) {
    int beyond = 0;
    for (size_t i = 0; i < count; i++) beyond |= !(fabsf(values[i]) <= 1e18f);
    return !beyond;
}

NDX_CLONES
void ndx_channel_means(const float *map, size_t pixels, size_t channels, size_t stride, float *means) {
    for (size_t start = 0; start < channels; start += TILE) {
        double sum[TILE] = {0};
        size_t width = channels - start < TILE ? channels - start : TILE;
        for (size_t p = 0; p < pixels; p++) {
            const float *row = map + p * stride + start;
            for (size_t c = 0; c < width; c++) sum[c] += row[c];
        }
        for (size_t c = 0; c < width; c++) means[start + c] = (float)(sum[c] / (double)pixels);
    }
}

NDX_CLONES
void ndx_channel_products(const float *a, const float *b, size_t pixels, size_t channels, float *sums) {
    for (size_t start = 0; start < channels; start += TILE) {
        double sum[TILE] = {0};
        size_t width = channels - start < TILE ? channels - start : TILE;
        for (size_t p = 0; p < pixels; p++) {
            const float *x = a + p * channels + start, *y = b + p * channels + start;
            for (size_t c = 0; c < width; c++) sum[c] += (double)x[c] * (double)y[c];
        }
        for (size_t c = 0; c < width; c++) sums[start + c] = (float)sum[c];
    }
}

void ndx_copy_pixels(const float *from, size_t from_stride, float *to, size_t to_stride, size_t pixels, size_t channels) {
    for (size_t p = 0; p < pixels; p++) memcpy(to + p * to_stride, from + p * from_stride, channels * sizeof(float));
}

/// `slope` and `ceiling` are constants where it is called, but in the last case.
static inline __attribute__((always_inline)) void affine(
    const float *from, float *to, size_t pixels, size_t channels, const float *scale, const float *shift, float slope, float ceiling) {
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < channels; c++) {
            float v = from[p * channels + c] * scale[c] + shift[c];
            if (slope != 1) v = v <= 0 ? (slope == 0 ? 0 : v * slope) : v;  // NaN stays what it is.
            to[p * channels + c] = v > ceiling ? ceiling : v;
        }
}

NDX_CLONES
void ndx_channel_affine(
    const float *from, float *to, size_t pixels, size_t channels, const float *scale, const float *shift, ndx_rectifier r) {
    if (r.ceiling == INFINITY && r.slope == 1) return affine(from, to, pixels, channels, scale, shift, 1, INFINITY);
    if (r.ceiling == INFINITY && r.slope == 0) return affine(from, to, pixels, channels, scale, shift, 0, INFINITY);
    affine(from, to, pixels, channels, scale, shift, r.slope, r.ceiling);
}

NDX_CLONES
void ndx_plane_affine(const float *from, float *to, size_t count, float scale, float shift) {
    for (size_t i = 0; i < count; i++) to[i] = from[i] * scale + shift;
}

void ndx_copy_strided(const float *from, float *to, const size_t n[6], const ptrdiff_t f[6], const ptrdiff_t t[6]) {
    for (size_t a = 0; a < n[0]; a++)
        for (size_t b = 0; b < n[1]; b++)
            for (size_t c = 0; c < n[2]; c++)
                for (size_t d = 0; d < n[3]; d++)
                    for (size_t e = 0; e < n[4]; e++) {
                        const float *source = from + (ptrdiff_t)a * f[0] + (ptrdiff_t)b * f[1] + (ptrdiff_t)c * f[2] +
                                              (ptrdiff_t)d * f[3] + (ptrdiff_t)e * f[4];
                        float *target = to + (ptrdiff_t)a * t[0] + (ptrdiff_t)b * t[1] + (ptrdiff_t)c * t[2] +
                                        (ptrdiff_t)d * t[3] + (ptrdiff_t)e * t[4];
                        for (size_t i = 0; i < n[5]; i++) target[(ptrdiff_t)i * t[5]] = source[(ptrdiff_t)i * f[5]];
                    }
}
