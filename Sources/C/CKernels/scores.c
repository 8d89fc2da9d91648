#include "scores.h"

#include <math.h>

#include "clones.h"

// The same bits everywhere: no multiply-add may be fused in one clone and not in another.
#pragma STDC FP_CONTRACT OFF

typedef float loose_float __attribute__((aligned(1), may_alias));

NDX_CLONES
void ndx_fold_scores(ndx_fold fold, const void *values, size_t count, double reference, double *restrict scores) {
    const loose_float *v = values;
    switch (fold) {
        case NDX_SUM:
            for (size_t i = 0; i < count; i++) scores[i] += (double)v[i];
            break;
        case NDX_SMALLEST:  // Neither comparison holds where one of the two is NaN; their sum is NaN then.
            for (size_t i = 0; i < count; i++) {
                double a = scores[i], b = (double)v[i];
                scores[i] = a <= b ? a : b <= a ? b : a + b;
            }
            break;
        case NDX_LARGEST:
            for (size_t i = 0; i < count; i++) {
                double a = scores[i], b = (double)v[i];
                scores[i] = a >= b ? a : b >= a ? b : a + b;
            }
            break;
        case NDX_SQUARES:
            for (size_t i = 0; i < count; i++) scores[i] += (double)v[i] * (double)v[i];
            break;
        case NDX_PRODUCTS:
            for (size_t i = 0; i < count; i++) scores[i] += (double)v[i] * reference;
            break;
        case NDX_L1:
            for (size_t i = 0; i < count; i++) scores[i] += fabs((double)v[i] - reference);
            break;
        case NDX_L2:
            for (size_t i = 0; i < count; i++) {
                double d = (double)v[i] - reference;
                scores[i] += d * d;
            }
            break;
        case NDX_LINF:
            for (size_t i = 0; i < count; i++) {
                double a = scores[i], b = fabs((double)v[i] - reference);
                scores[i] = a >= b ? a : b >= a ? b : a + b;
            }
            break;
    }
}

// The weaker of two scores comes first: smaller, or as large and later.
static inline int is_weaker(const double *scores, uint32_t a, uint32_t b) {
    return scores[a] < scores[b] || (scores[a] == scores[b] && a > b);
}

static void sift_down(const double *scores, uint32_t *heap, size_t size, size_t hole, uint32_t entry) {
    for (;;) {
        size_t child = 2 * hole + 1;
        if (child >= size) break;
        if (child + 1 < size && is_weaker(scores, heap[child + 1], heap[child])) child++;
        if (!is_weaker(scores, heap[child], entry)) break;
        heap[hole] = heap[child];
        hole = child;
    }
    heap[hole] = entry;
}

size_t ndx_largest_scores(const double *scores, size_t count, const uint8_t *mask, size_t limit, uint32_t *indices) {
    size_t size = 0;
    if (limit == 0) return 0;
    for (size_t i = 0; i < count; i++) {
        if ((mask && !mask[i]) || isnan(scores[i])) continue;
        if (size < limit) {
            indices[size++] = (uint32_t)i;
            if (size == limit)
                for (size_t j = size / 2; j-- > 0;) sift_down(scores, indices, size, j, indices[j]);
        } else if (scores[i] > scores[indices[0]]) {  // indices ascend, so an equal score never displaces one that is there
            sift_down(scores, indices, size, 0, (uint32_t)i);
        }
    }
    if (size < limit)
        for (size_t j = size / 2; j-- > 0;) sift_down(scores, indices, size, j, indices[j]);
    for (size_t rest = size; rest > 1; rest--) {
        uint32_t weakest = indices[0];
        sift_down(scores, indices, rest - 1, 0, indices[rest - 1]);
        indices[rest - 1] = weakest;
    }
    return size;
}

NDX_CLONES
void ndx_count_around(const void *values, size_t count, float value, uint64_t *below, uint64_t *equal) {
    const loose_float *v = values;
    uint32_t not_below = 0, same = 0;
    for (size_t i = 0; i < count; i++) {
        not_below += v[i] >= value;
        same += v[i] == value;
    }
    *below += count - not_below;
    *equal += same;
}
