// Convolutions by fewer multiplications.
#ifndef NDX_WINOGRAD_H
#define NDX_WINOGRAD_H

#include "activations.h"

/// A convolution of channels-last maps with 3×3 taps and stride 1; what lies outside the map is 0.
typedef struct {
    size_t batch, height, width, channels, out_height, out_width, filters, pad_top, pad_left;
} ndx_winograd;

/// Floats that packed weights take.
size_t ndx_winograd_packed(size_t channels, size_t filters);

/// Packs weights [filters, channels, 3, 3] into 64-byte aligned memory.
void ndx_winograd_pack(const float *weights, size_t channels, size_t filters, float *packed);

/// Tiles of 4×4 pixels that the output is made of, in all images.
size_t ndx_winograd_tiles(const ndx_winograd *size);

/// Bytes of scratch memory, 64-byte aligned, that a run needs.
size_t ndx_winograd_scratch(const ndx_winograd *size);

/// The tiles first ..< end of the output. `bias`: one float a filter. A pixel's bits depend on its tile alone.
void ndx_winograd_run(
    const ndx_winograd *size, const float *in, float *out, const float *packed, const float *bias, ndx_rectifier rectifier,
    size_t first, size_t end, void *scratch);

#endif
