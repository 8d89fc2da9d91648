#include <math.h>

#include "activations.h"
#include "clones.h"

/// The rows or columns of the input that a window at `position` of the output looks at, within the map.
typedef struct {
    size_t first, count;
} reach;

static inline reach reach_of(size_t position, size_t extent, const ndx_window *w, int axis) {
    const size_t step = w->dilation[axis], start = position * w->stride[axis], pad = w->pad_before[axis];
    const size_t skipped = start < pad ? (pad - start + step - 1) / step : 0;
    const size_t first = start + skipped * step - pad;
    const size_t left = w->kernel[axis] > skipped ? w->kernel[axis] - skipped : 0;
    const size_t inside = first < extent ? (extent - first + step - 1) / step : 0;
    return (reach){first, left < inside ? left : inside};
}

/// `width` channels of one window: a constant where it is called, so that the maxima stay in registers. `keeps` (a constant too): whether one NaN
/// makes the maximum NaN.
static inline __attribute__((always_inline)) void window_maxima(
    const float *corner, reach rows, reach columns, size_t row_step, size_t column_step, size_t width, int keeps,
    float *to) {
    float best[32];
    for (size_t c = 0; c < width; c++) best[c] = -INFINITY;
    for (size_t y = 0; y < rows.count; y++)
        for (size_t x = 0; x < columns.count; x++) {
            const float *pixel = corner + y * row_step + x * column_step;
            for (size_t c = 0; c < width; c++)
                best[c] = (pixel[c] > best[c]) | (keeps && pixel[c] != pixel[c]) ? pixel[c] : best[c];
        }
    for (size_t c = 0; c < width; c++) to[c] = best[c];
}

static inline __attribute__((always_inline)) void max_pooling(
    const float *input, float *output, ndx_pooling size, ndx_window window, size_t first_row, size_t end_row, int keeps) {
    const size_t channels = size.channels, line = size.width * channels;
    for (size_t y = first_row; y < end_row; y++) {
        const reach rows = reach_of(y, size.height, &window, 0);
        for (size_t x = 0; x < size.out_width; x++) {
            const reach columns = reach_of(x, size.width, &window, 1);
            const float *corner = input + rows.first * line + columns.first * channels;
            float *to = output + (y * size.out_width + x) * channels;
            const size_t row_step = window.dilation[0] * line, column_step = window.dilation[1] * channels;
            size_t c = 0;
            for (; c + 32 <= channels; c += 32) window_maxima(corner + c, rows, columns, row_step, column_step, 32, keeps, to + c);
            for (; c + 8 <= channels; c += 8) window_maxima(corner + c, rows, columns, row_step, column_step, 8, keeps, to + c);
            if (c < channels) window_maxima(corner + c, rows, columns, row_step, column_step, channels - c, keeps, to + c);
        }
    }
}

NDX_CLONES
void ndx_max_pooling(const float *input, float *output, ndx_pooling size, ndx_window window, size_t first_row, size_t end_row) {
    max_pooling(input, output, size, window, first_row, end_row, 0);
}

NDX_CLONES
void ndx_max_pooling_or_nan(
    const float *input, float *output, ndx_pooling size, ndx_window window, size_t first_row, size_t end_row) {
    max_pooling(input, output, size, window, first_row, end_row, 1);
}
