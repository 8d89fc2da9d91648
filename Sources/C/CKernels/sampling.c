#include "sampling.h"

#include <math.h>
#include <string.h>

/// A place along one axis in pixels, and how fast it moves with the number that says it.
typedef struct {
    float at, slope;
} place;

static place reflected(place p, float low, float high) {
    const float span = high - low;
    if (span <= 0) return (place){low, 0};
    const float sign = p.at < low ? -1 : 1, distance = fabsf(p.at - low), turns = floorf(distance / span);
    const float rest = distance - turns * span;
    return fmodf(turns, 2) == 0 ? (place){low + rest, sign * p.slope} : (place){high - rest, -sign * p.slope};
}

static place placed(const ndx_sampling *plan, float number, size_t extent) {
    const float last = (float)extent - 1;
    place p = plan->corners_aligned ? (place){(number + 1) / 2 * last, last / 2}
                                    : (place){((number + 1) * (float)extent - 1) / 2, (float)extent / 2};
    // What is no number, or far outside, is nowhere.
    if (!(p.at > -1e8f && p.at < 1e8f)) return (place){-10, 0};
    if (plan->outside == NDX_OUTSIDE_ZERO) return p;
    if (plan->outside == NDX_OUTSIDE_REFLECTED)
        p = plan->corners_aligned ? reflected(p, 0, last) : reflected(p, -0.5f, last + 0.5f);
    if (p.at < 0) return (place){0, 0};
    return p.at > last ? (place){last, 0} : p;
}

/// One of the pixels that a value lies between: its weight, and how that moves with either number.
typedef struct {
    ptrdiff_t pixel;
    float weight, slope_x, slope_y;
} tap;

static size_t taps_at(const ndx_sampling *plan, const float *pair, tap taps[4]) {
    const place x = placed(plan, pair[0], plan->width), y = placed(plan, pair[1], plan->height);
    const int nearest = plan->takes_nearest;
    const float left = nearest ? rintf(x.at) : floorf(x.at), top = nearest ? rintf(y.at) : floorf(y.at);
    const float right = nearest ? 0 : x.at - left, bottom = nearest ? 0 : y.at - top;
    size_t count = 0;
    for (int dy = 0; dy < (nearest ? 1 : 2); dy++)
        for (int dx = 0; dx < (nearest ? 1 : 2); dx++) {
            const float column = left + (float)dx, row = top + (float)dy;
            if (column < 0 || row < 0 || column > (float)plan->width - 1 || row > (float)plan->height - 1) continue;
            const float wx = dx ? right : 1 - right, wy = dy ? bottom : 1 - bottom;
            taps[count++] = (tap){
                (ptrdiff_t)row * (ptrdiff_t)plan->width + (ptrdiff_t)column, wx * wy,
                nearest ? 0 : (dx ? 1 : -1) * wy * x.slope, nearest ? 0 : (dy ? 1 : -1) * wx * y.slope};
        }
    return count;
}

void ndx_sample(const ndx_sampling *plan, const float *map, const float *grid, float *out) {
    const size_t channels = plan->channels;
    memset(out, 0, plan->places * channels * sizeof *out);
    for (size_t i = 0; i < plan->places; i++) {
        tap taps[4];
        const size_t count = taps_at(plan, grid + 2 * i, taps);
        for (size_t t = 0; t < count; t++) {
            const float *pixel = map + taps[t].pixel * (ptrdiff_t)channels;
            for (size_t c = 0; c < channels; c++) out[i * channels + c] += taps[t].weight * pixel[c];
        }
    }
}

void ndx_sample_backward(
    const ndx_sampling *plan, const float *map, const float *grid, const float *from, float *to_map, float *to_grid) {
    const size_t channels = plan->channels;
    for (size_t i = 0; i < plan->places; i++) {
        tap taps[4];
        const size_t count = taps_at(plan, grid + 2 * i, taps);
        float x = 0, y = 0;
        for (size_t t = 0; t < count; t++) {
            const ptrdiff_t start = taps[t].pixel * (ptrdiff_t)channels;
            for (size_t c = 0; c < channels; c++) {
                const float slope = from[i * channels + c];
                if (to_map) to_map[start + (ptrdiff_t)c] += taps[t].weight * slope;
                x += taps[t].slope_x * slope * map[start + (ptrdiff_t)c];
                y += taps[t].slope_y * slope * map[start + (ptrdiff_t)c];
            }
        }
        if (to_grid) to_grid[2 * i] = x, to_grid[2 * i + 1] = y;
    }
}
