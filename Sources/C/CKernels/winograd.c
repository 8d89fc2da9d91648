// Winograd's minimal filtering F(4×4, 3×3): 36 multiplications for 16 pixels, where the definition takes 144.
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, https://arxiv.org/abs/1509.09308.
//
// A tile d of 6×6 pixels becomes Bᵀ d B, a filter g becomes G g Gᵀ; what they are at each of the 36 points is multiplied and added
// up over the channels, a product of matrices for each point; Aᵀ m A is the tile's 4×4 pixels. The points of interpolation are
// 0, ±√½, ±√2 and ∞: all coefficients lie near 1, and errors are a fifth of those of the points 0, ±1, ±2 and ∞. Channels are added up in runs:
// of 512 channels results lie within 1e-6 of the largest (3e-6 if all are added one after the other), those of the definition within 1.6e-6.
#include "winograd.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"

enum {
    OUT = 4, IN = 6, POINTS = IN * IN,
    LANES = 8,   ///< channels that are transformed at once
    PANEL = 16,  ///< filters whose sums are kept in registers at once
    ROWS = 6,    ///< tiles likewise: 12 vectors of sums on AVX2, which has 16
    RUN = 64,    ///< channels that are added up before they are added to the others
};

typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));
typedef int32_t choices __attribute__((vector_size(LANES * sizeof(float))));
typedef float panel __attribute__((vector_size(PANEL * sizeof(float)), aligned(4)));

#define INLINE static inline __attribute__((always_inline))
#define ROOT 1.41421356237309504880f

static size_t rounded(size_t count, size_t grain) { return (count + grain - 1) / grain * grain; }

// MARK: Sizes

size_t ndx_winograd_packed(size_t channels, size_t filters) { return POINTS * channels * rounded(filters, PANEL); }

static size_t tiles_along(size_t extent) { return (extent + OUT - 1) / OUT; }

size_t ndx_winograd_tiles(const ndx_winograd *s) { return s->batch * tiles_along(s->out_height) * tiles_along(s->out_width); }

/// Tiles done at once: so many that what is made of them stays in the second-level cache, but enough to be worth fetching all weights for.
static size_t tiles_at_once(const ndx_winograd *s) {
    const size_t cache = 384 << 10, least = 24;
    const size_t fitting = cache / (sizeof(float) * POINTS * (s->channels + rounded(s->filters, PANEL)));
    const size_t count = rounded(fitting < least ? least : fitting, ROWS), all = rounded(ndx_winograd_tiles(s), ROWS);
    return count < all ? count : all;
}

/// Floats of one tile at one point, and of all tiles at one point. A cache line more, as planes whose addresses differ by a power of two
/// would drive each other out of the cache.
typedef struct {
    size_t row, plane;
} layout;

static layout layout_of(size_t tiles, size_t channels, size_t grain) {
    const size_t row = rounded(channels, grain);
    return (layout){row, tiles * row + PANEL};
}

size_t ndx_winograd_scratch(const ndx_winograd *s) {
    const size_t count = tiles_at_once(s);
    const layout from = layout_of(count, s->channels, LANES), to = layout_of(count, s->filters, PANEL);
    return sizeof(float) * (POINTS * (from.plane + to.plane) + from.row);
}

// MARK: Weights

/// G of three numbers for each of PANEL filters, in double precision as the result carries on to every pixel.
INLINE void transform_weights(const double from[3][PANEL], double to[IN][PANEL]) {
    const double a = 0.70710678118654752440, b = 1.41421356237309504880;
    for (size_t i = 0; i < PANEL; i++) {
        const double even_a = -2.0 / 3 * from[0][i] - 1.0 / 3 * from[2][i], odd_a = -2.0 / 3 * a * from[1][i];
        const double even_b = 1.0 / 6 * from[0][i] + 1.0 / 3 * from[2][i], odd_b = 1.0 / 6 * b * from[1][i];
        to[0][i] = from[0][i];
        to[1][i] = even_a + odd_a;
        to[2][i] = even_a - odd_a;
        to[3][i] = even_b + odd_b;
        to[4][i] = even_b - odd_b;
        to[5][i] = from[2][i];
    }
}

NDX_CLONES
void ndx_winograd_pack(const float *weights, size_t channels, size_t filters, float *packed) {
    const size_t wide = rounded(filters, PANEL);
    for (size_t first = 0; first < filters; first += PANEL) {
        const size_t count = filters - first < PANEL ? filters - first : PANEL;
        for (size_t c = 0; c < channels; c++) {
            double taps[3][3][PANEL] = {{{0}}}, half[3][IN][PANEL], whole[IN][PANEL];
            for (size_t i = 0; i < count; i++)
                for (size_t tap = 0; tap < 9; tap++)
                    // The taps of one column together.
                    taps[tap % 3][tap / 3][i] = weights[((first + i) * channels + c) * 9 + tap];
            for (size_t x = 0; x < 3; x++) transform_weights(taps[x], half[x]);
            for (size_t y = 0; y < IN; y++) {
                double row[3][PANEL];
                for (size_t x = 0; x < 3; x++) memcpy(row[x], half[x][y], sizeof(row[x]));
                transform_weights(row, whole);
                for (size_t x = 0; x < IN; x++) {
                    float *to = packed + ((y * IN + x) * wide + first) * channels + c * PANEL;
                    for (size_t i = 0; i < PANEL; i++) to[i] = (float)whole[x][i];
                }
            }
        }
    }
}

// MARK: Tiles

/// Bᵀ of six vectors.
INLINE void transform_in(const lanes d[IN], lanes *to, size_t step) {
    const lanes even_a = d[4] - 2.f * d[2], odd_a = ROOT / 2 * d[3] - ROOT * d[1];
    const lanes even_b = d[4] - .5f * d[2], odd_b = ROOT * d[3] - ROOT / 2 * d[1];
    to[0] = d[0] - 2.5f * d[2] + d[4];
    to[step] = even_a + odd_a;
    to[2 * step] = even_a - odd_a;
    to[3 * step] = even_b + odd_b;
    to[4 * step] = even_b - odd_b;
    to[5 * step] = d[1] - 2.5f * d[3] + d[5];
}

/// Aᵀ of six vectors.
INLINE void transform_out(const lanes m[IN], lanes *to, size_t step) {
    const lanes sum_a = m[1] + m[2], difference_a = m[1] - m[2], sum_b = m[3] + m[4], difference_b = m[3] - m[4];
    to[0] = m[0] + sum_a + sum_b;
    to[step] = ROOT / 2 * difference_a + ROOT * difference_b;
    to[2 * step] = .5f * sum_a + 2.f * sum_b;
    to[3 * step] = ROOT / 4 * difference_a + 2 * ROOT * difference_b + m[5];
}

typedef struct {
    size_t image, y, x;
} place;

/// Of a tile's first pixel in the output.
INLINE place place_of(const ndx_winograd *s, size_t tile) {
    const size_t across = tiles_along(s->out_width), down = tiles_along(s->out_height);
    return (place){tile / (across * down), tile / across % down * OUT, tile % across * OUT};
}

/// Transforms up to LANES channels from `c` on of a tile's 36 pixels.
INLINE void transform_tile(const float *const from[POINTS], size_t c, size_t count, float *to, size_t plane) {
    lanes half[POINTS];
    for (size_t x = 0; x < IN; x++) {
        lanes column[IN];
        for (size_t y = 0; y < IN; y++) {
            column[y] = (lanes){0};
            memcpy(&column[y], from[y * IN + x] + c, count * sizeof(float));
        }
        transform_in(column, half + x, IN);
    }
    for (size_t y = 0; y < IN; y++) {
        lanes row[IN];
        transform_in(half + y * IN, row, 1);
        for (size_t x = 0; x < IN; x++) *(lanes *)(to + (y * IN + x) * plane + c) = row[x];
    }
}

INLINE void read_tile(const ndx_winograd *s, const float *in, size_t tile, const float *zeros, float *to, size_t plane) {
    const place p = place_of(s, tile);
    const float *from[POINTS];
    for (size_t i = 0; i < POINTS; i++) {
        // Above and left of the map the difference wraps to far beyond it.
        const size_t y = p.y + i / IN - s->pad_top, x = p.x + i % IN - s->pad_left;
        from[i] = y < s->height && x < s->width ? in + ((p.image * s->height + y) * s->width + x) * s->channels : zeros;
    }
    size_t c = 0;
    for (; c + LANES <= s->channels; c += LANES) transform_tile(from, c, LANES, to, plane);
    if (c < s->channels) transform_tile(from, c, s->channels - c, to, plane);
}

/// A macro, as vectors are no arguments where the processor may have none of their size.
#define CHOOSE(condition, a, b) ((lanes)(((condition) & (choices)(a)) | (~(condition) & (choices)(b))))

INLINE void write_tile(
    const ndx_winograd *s, const float *from, size_t plane, size_t tile, const float *bias, ndx_rectifier rectifier, float *out) {
    const place p = place_of(s, tile);
    const size_t rows = s->out_height - p.y < OUT ? s->out_height - p.y : OUT;
    const size_t columns = s->out_width - p.x < OUT ? s->out_width - p.x : OUT;
    float *corner = out + ((p.image * s->out_height + p.y) * s->out_width + p.x) * s->filters;
    const lanes zero = {0};
    for (size_t filter = 0; filter < s->filters; filter += LANES) {
        const size_t count = s->filters - filter < LANES ? s->filters - filter : LANES;
        lanes half[OUT * IN], shift = zero;
        memcpy(&shift, bias + filter, count * sizeof(float));
        for (size_t x = 0; x < IN; x++) {
            lanes column[IN];
            for (size_t y = 0; y < IN; y++) column[y] = *(const lanes *)(from + (y * IN + x) * plane + filter);
            transform_out(column, half + x, IN);
        }
        for (size_t y = 0; y < rows; y++) {
            lanes row[OUT];
            transform_out(half + y * IN, row, 1);
            float *line = corner + y * s->out_width * s->filters + filter;
            for (size_t x = 0; x < OUT; x++) {
                lanes value = row[x] + shift;
                if (rectifier.slope != 1) {
                    const lanes below = rectifier.slope == 0 ? zero : value * rectifier.slope;
                    value = CHOOSE(value > zero, value, below);
                }
                if (rectifier.ceiling < INFINITY) value = CHOOSE(value > rectifier.ceiling, zero + rectifier.ceiling, value);
                row[x] = value;
            }
            if (count == LANES && columns == OUT)
                for (size_t x = 0; x < OUT; x++) *(lanes *)(line + x * s->filters) = row[x];
            else
                for (size_t x = 0; x < columns; x++) memcpy(line + x * s->filters, &row[x], count * sizeof(float));
        }
    }
}

// MARK: Products

/// PANEL filters' sums over the channels of `tiles` tiles.
INLINE void product(size_t tiles, const float *a, size_t a_row, const float *b, size_t channels, float *to, size_t to_row) {
    for (size_t start = 0; start < channels; start += RUN) {
        const size_t end = channels - start < RUN ? channels : start + RUN;
        panel sums[ROWS];
        for (size_t i = 0; i < tiles; i++) sums[i] = (panel){0};
        for (size_t c = start; c < end; c++) {
            const panel weights = *(const panel *)(b + c * PANEL);
            for (size_t i = 0; i < tiles; i++) sums[i] += a[i * a_row + c] * weights;
        }
        for (size_t i = 0; i < tiles; i++) {
            panel *const whole = (panel *)(to + i * to_row);
            *whole = start == 0 ? sums[i] : *whole + sums[i];
        }
    }
}

/// All filters' sums at one point.
INLINE void products(
    size_t tiles, const float *a, size_t a_row, const float *weights, size_t channels, float *to, size_t to_row) {
    for (size_t filter = 0; filter < to_row; filter += PANEL) {
        const float *b = weights + filter * channels;
        size_t t = 0;
        for (; t + ROWS <= tiles; t += ROWS) product(ROWS, a + t * a_row, a_row, b, channels, to + t * to_row + filter, to_row);
        const float *rest = a + t * a_row;
        float *target = to + t * to_row + filter;
        switch (tiles - t) {  // A constant each, so that the sums stay in registers.
            case 1: product(1, rest, a_row, b, channels, target, to_row); break;
            case 2: product(2, rest, a_row, b, channels, target, to_row); break;
            case 3: product(3, rest, a_row, b, channels, target, to_row); break;
            case 4: product(4, rest, a_row, b, channels, target, to_row); break;
            case 5: product(5, rest, a_row, b, channels, target, to_row); break;
            default: break;
        }
    }
}

NDX_CLONES
void ndx_winograd_run(
    const ndx_winograd *s, const float *in, float *out, const float *packed, const float *bias, ndx_rectifier rectifier,
    size_t first, size_t end, void *scratch) {
    const size_t most = tiles_at_once(s);
    const layout from = layout_of(most, s->channels, LANES), to = layout_of(most, s->filters, PANEL);
    float *v = scratch, *m = v + POINTS * from.plane, *zeros = m + POINTS * to.plane;
    memset(zeros, 0, from.row * sizeof(float));
    for (size_t start = first; start < end; start += most) {
        const size_t count = end - start < most ? end - start : most;
        for (size_t t = 0; t < count; t++) read_tile(s, in, start + t, zeros, v + t * from.row, from.plane);
        for (size_t point = 0; point < POINTS; point++)
            products(
                count, v + point * from.plane, from.row, packed + point * to.row * s->channels, s->channels, m + point * to.plane, to.row);
        for (size_t t = 0; t < count; t++) write_tile(s, m + t * to.row, to.plane, start + t, bias, rectifier, out);
    }
}
