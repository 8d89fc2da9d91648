#include "selections.h"

#include <math.h>

static int holds(ndx_comparison kind, float a, float b) {
    switch (kind) {
    case NDX_EQUAL: return a == b;
    case NDX_LESS: return a < b;
    case NDX_LESS_OR_EQUAL: return a <= b;
    case NDX_GREATER: return a > b;
    case NDX_GREATER_OR_EQUAL: return a >= b;
    case NDX_AND: return a != 0 && b != 0;
    case NDX_OR: return a != 0 || b != 0;
    case NDX_XOR: return (a != 0) != (b != 0);
    }
    return 0;
}

void ndx_compare(ndx_comparison kind, const float *a, const float *b, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = holds(kind, a[i], b[i]) ? 1 : 0;
}

void ndx_select(const float *condition, const float *a, const float *b, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const float *from = condition[i] != 0 ? a : b;
        out[i] = from ? from[i] : 0;
    }
}

void ndx_round(int direction, const float *in, float *out, size_t count) {
    if (direction < 0)
        for (size_t i = 0; i < count; i++) out[i] = floorf(in[i]);
    else if (direction > 0)
        for (size_t i = 0; i < count; i++) out[i] = ceilf(in[i]);
    else
        for (size_t i = 0; i < count; i++) out[i] = rintf(in[i]);
}

/// Whether a stands before b, which comes earlier.
static int precedes(float a, float b, int smallest) {
    if (isnan(a) || isnan(b)) return !smallest ? isnan(a) && !isnan(b) : isnan(b) && !isnan(a);
    return smallest ? a < b : a > b;
}

void ndx_rank(const float *in, const ndx_ranking *ranking, float *values, float *places) {
    const size_t step = ranking->stride;
    size_t count = 0;
    for (size_t i = 0; i < ranking->extent; i++) {
        const float value = in[i * step];
        size_t place = count;
        // Places are kept as numbers: what they stand for is read again.
        while (place > 0 && precedes(value, in[(size_t)places[(place - 1) * step] * step], ranking->smallest)) place--;
        if (place >= ranking->kept) continue;
        if (count < ranking->kept) count++;
        for (size_t k = count - 1; k > place; k--) places[k * step] = places[(k - 1) * step];
        places[place * step] = (float)i;
    }
    if (!values) return;
    for (size_t k = 0; k < count; k++) values[k * step] = in[(size_t)places[k * step] * step];
}
