// A map looked up at places that another map says.
#ifndef NDX_SAMPLING_H
#define NDX_SAMPLING_H

#include <stddef.h>

typedef enum { NDX_OUTSIDE_ZERO, NDX_OUTSIDE_BORDER, NDX_OUTSIDE_REFLECTED } ndx_outside;

/// A channels-last map of one image, and `places` pairs (x, y) from -1 to 1. With `corners_aligned` -1 and 1 are the middles of the outer pixels,
/// else their outer edges. `takes_nearest`: one pixel, else what lies between four.
typedef struct {
    size_t height, width, channels, places;
    ndx_outside outside;
    int corners_aligned, takes_nearest;
} ndx_sampling;

/// out: [places, channels].
void ndx_sample(const ndx_sampling *plan, const float *map, const float *grid, float *out);

/// Adds to `to_map` what comes back to the map, and writes to `to_grid` what comes to the places; either may be NULL.
void ndx_sample_backward(
    const ndx_sampling *plan, const float *map, const float *grid, const float *from, float *to_map, float *to_grid);

#endif
