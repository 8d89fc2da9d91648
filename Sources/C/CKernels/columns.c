#include "columns.h"

#include <math.h>
#include <string.h>

#include "clones.h"

// The same bits everywhere: no multiply-add may be fused in one clone and not in another.
#pragma STDC FP_CONTRACT OFF

// A float at any address: SQLite hands out pointers into its pages.
typedef float loose_float __attribute__((aligned(1), may_alias));
typedef uint32_t loose_bits __attribute__((aligned(1), may_alias));

enum { LANES = 16 };

ndx_statistics ndx_statistics_empty(void) {
    return (ndx_statistics){.minimum = INFINITY, .maximum = -INFINITY};
}

NDX_CLONES
float ndx_column_maximum(const void *values, size_t count) {
    const loose_float *v = values;
    float best[LANES];
    for (size_t j = 0; j < LANES; j++) best[j] = -INFINITY;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++) best[j] = v[i + j] > best[j] ? v[i + j] : best[j];
    for (; i < count; i++) best[0] = v[i] > best[0] ? v[i] : best[0];
    float largest = -INFINITY;
    for (size_t j = 0; j < LANES; j++) largest = best[j] > largest ? best[j] : largest;
    if (largest == -INFINITY) {
        for (i = 0; i < count; i++)
            if (v[i] == -INFINITY) return largest;
        return NAN;
    }
    return largest + 0.0f;  // -0 becomes 0, whichever of the two was met first
}

static inline uint32_t bucket(uint32_t bits) {
    int32_t p = (int32_t)((bits & 0x7fffffffu) >> 21) - 444;
    p = p < 0 ? 0 : p > 127 ? 127 : p;
    return bits > 0x80000000u ? 127 - (uint32_t)p : 128 + (uint32_t)p;
}

NDX_CLONES
void ndx_column_fold(const void *values, size_t count, ndx_statistics *statistics, uint32_t *histogram) {
    const loose_float *v = values;
    const loose_bits *bits = values;
    uint32_t nans = 0, infinite = 0, zeros = 0;
    float low[LANES], high[LANES];
    for (size_t j = 0; j < LANES; j++) low[j] = INFINITY, high[j] = -INFINITY;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++) {
            uint32_t magnitude = bits[i + j] & 0x7fffffffu;
            nans += magnitude > 0x7f800000u;
            infinite += magnitude == 0x7f800000u;
            zeros += magnitude == 0;
            low[j] = v[i + j] < low[j] ? v[i + j] : low[j];
            high[j] = v[i + j] > high[j] ? v[i + j] : high[j];
        }
    for (; i < count; i++) {
        uint32_t magnitude = bits[i] & 0x7fffffffu;
        nans += magnitude > 0x7f800000u;
        infinite += magnitude == 0x7f800000u;
        zeros += magnitude == 0;
        low[0] = v[i] < low[0] ? v[i] : low[0];
        high[0] = v[i] > high[0] ? v[i] : high[0];
    }
    for (size_t j = 0; j < LANES; j++) {
        if (low[j] < statistics->minimum) statistics->minimum = low[j] + 0.0f;
        if (high[j] > statistics->maximum) statistics->maximum = high[j] + 0.0f;
    }
    statistics->count += count;
    statistics->nan_count += nans;
    statistics->infinite_count += infinite;
    statistics->zero_count += zeros;

    // Four tables in turn: a counter that is met lane after lane, as that of zero is, would be a chain of stores and loads.
    enum { CHUNK = 1024, TABLES = 4 };
    for (size_t start = 0; start < count; start += CHUNK) {
        size_t length = count - start < CHUNK ? count - start : CHUNK;
        uint8_t buckets[CHUNK];
        uint16_t tables[TABLES][NDX_BUCKETS] = {{0}};
        for (i = 0; i < length; i++) buckets[i] = (uint8_t)bucket(bits[start + i]);
        for (i = 0; i + TABLES <= length; i += TABLES)
            for (size_t t = 0; t < TABLES; t++) tables[t][buckets[i + t]]++;
        for (; i < length; i++) tables[0][buckets[i]]++;
        for (size_t b = 0; b < NDX_BUCKETS; b++)
            histogram[b] += (uint32_t)tables[0][b] + tables[1][b] + tables[2][b] + tables[3][b];
    }
    // NaN is rare: it is taken out again.
    if (nans)
        for (i = 0; i < count; i++) histogram[bucket(bits[i])] -= (bits[i] & 0x7fffffffu) > 0x7f800000u;
}

// Sums go to sixteen accumulators by lane and are added in one fixed order.
static inline double total(const double *sum) {
    double all = 0;
    for (size_t j = 0; j < LANES; j++) all += sum[j];
    return all;
}

NDX_CLONES
ndx_moments ndx_column_moments(const void *values, size_t count) {
    const loose_float *v = values;
    const loose_bits *bits = values;
    double sum[LANES] = {0};
    uint32_t finite = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++) {
            int keep = (bits[i + j] & 0x7fffffffu) < 0x7f800000u;
            sum[j] += keep ? (double)v[i + j] : 0.0;
            finite += (uint32_t)keep;
        }
    for (size_t j = 0; i + j < count; j++) {
        int keep = (bits[i + j] & 0x7fffffffu) < 0x7f800000u;
        sum[j] += keep ? (double)v[i + j] : 0.0;
        finite += (uint32_t)keep;
    }
    if (finite == 0) return (ndx_moments){0, 0, 0};

    double mean = total(sum) / finite;
    memset(sum, 0, sizeof sum);
    for (i = 0; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++) {
            int keep = (bits[i + j] & 0x7fffffffu) < 0x7f800000u;
            double d = keep ? (double)v[i + j] - mean : 0.0;
            sum[j] += d * d;
        }
    for (size_t j = 0; i + j < count; j++) {
        int keep = (bits[i + j] & 0x7fffffffu) < 0x7f800000u;
        double d = keep ? (double)v[i + j] - mean : 0.0;
        sum[j] += d * d;
    }
    return (ndx_moments){finite, mean, total(sum)};
}

ndx_moments ndx_moments_join(ndx_moments a, ndx_moments b) {
    if (a.count == 0) return b;
    if (b.count == 0) return a;
    uint64_t count = a.count + b.count;
    double difference = b.mean - a.mean;
    double share = (double)b.count / (double)count;
    double mean = a.mean + difference * share;
    double m2 = a.m2 + b.m2 + difference * difference * ((double)a.count * share);
    return (ndx_moments){count, mean, m2};
}

uint32_t ndx_position(const void *positions, size_t width, size_t lane) {
    const uint8_t *byte = (const uint8_t *)positions + lane * width;
    switch (width) {
        case 1: return byte[0];
        case 2: return (uint32_t)byte[0] | (uint32_t)byte[1] << 8;
        case 4: return (uint32_t)byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
        default: return 0;
    }
}

typedef uint16_t loose_half __attribute__((aligned(1), may_alias));

NDX_CLONES
int ndx_positions_are_below(const void *positions, size_t width, size_t count, uint64_t cells) {
    if (width == 0) return cells > 0;
    if (width < 4 && cells >> (8 * width)) return 1;
    uint32_t largest = 0;
    if (width == 1) {
        const uint8_t *p = positions;
        uint8_t found = 0;
        for (size_t i = 0; i < count; i++) found = p[i] > found ? p[i] : found;
        largest = found;
    } else if (width == 2) {
        const loose_half *p = positions;
        uint16_t found = 0;
        for (size_t i = 0; i < count; i++) found = p[i] > found ? p[i] : found;
        largest = found;
    } else {
        const loose_bits *p = positions;
        for (size_t i = 0; i < count; i++) largest = p[i] > largest ? p[i] : largest;
    }
    return largest < cells;
}

// Larger is stronger: the key's bits in an order that integers have, then the smaller image. One comparison without branches.
static inline uint64_t strength(ndx_top entry) {
    uint32_t bits;
    memcpy(&bits, &entry.key, sizeof bits);
    bits ^= (uint32_t)((int32_t)bits >> 31) | 0x80000000u;
    return (uint64_t)bits << 32 | (uint32_t)~entry.image;
}

static void sift_up(ndx_top *heap, size_t hole, ndx_top entry) {
    uint64_t own = strength(entry);
    while (hole > 0 && own < strength(heap[(hole - 1) / 2])) {
        heap[hole] = heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    heap[hole] = entry;
}

// The hole goes to the bottom along the weaker children, whatever the entry, and the entry rises from there: the choice of a
// child needs no branch, and an entry that just came in seldom rises far (Wegener 1993).
static void sift_down(ndx_top *heap, size_t size, ndx_top entry) {
    size_t hole = 0;
    for (;;) {
        size_t child = 2 * hole + 1;
        if (child + 1 >= size) {
            if (child < size) heap[hole] = heap[child], hole = child;
            break;
        }
        child += strength(heap[child + 1]) < strength(heap[child]);
        heap[hole] = heap[child];
        hole = child;
    }
    sift_up(heap, hole, entry);
}

// A value that at least `capacity` lanes reach and not many more, or -infinity: what is below it cannot be among the strongest.
// Found by halving the interval of the floats in order, which are integers with the magnitude of negative ones turned round.
static inline __attribute__((always_inline)) float reached_by(const loose_float *v, float sign, size_t count, size_t capacity) {
    int32_t low = -0x7f800001, high = 0x7f800000;  // -infinity and +infinity in that order
    float found = -INFINITY;
    while (low < high - 1) {
        int32_t middle = (int32_t)(((int64_t)low + high) >> 1);
        int32_t bits = middle ^ ((middle >> 31) & 0x7fffffff);
        float bound;
        memcpy(&bound, &bits, sizeof bound);
        uint32_t reached = 0;
        for (size_t i = 0; i < count; i++) reached += sign * v[i] >= bound;
        if (reached >= capacity) {
            found = bound;
            low = middle;
            if (reached <= capacity + capacity / 8) break;
        } else {
            high = middle;
        }
    }
    return found;
}

NDX_CLONES
size_t ndx_top_fold(
    ndx_top *heap, size_t size, size_t capacity, float sign, const void *values, const void *positions, size_t width,
    size_t count, uint32_t first_image, const uint8_t *mask) {
    const loose_float *v = values;
    if (capacity == 0) return 0;
    // An empty heap would take in, and give up again, most lanes of its first column: 21 ns a lane, so 4.
    float bound = size == 0 && !mask && count > capacity ? reached_by(v, sign, count, capacity) : -INFINITY;
    for (size_t i = 0; i < count; i += 32) {
        size_t lanes = count - i < 32 ? count - i : 32;
        uint32_t wanted = 0;
        if (lanes == 32) {
            // Images come in ascending order, so an equal value never displaces one that is there.
            if (size == capacity) {
                bound = heap[0].key;
                uint32_t above = 0;
                for (size_t j = 0; j < 32; j++) above |= sign * v[i + j] > bound;
                if (!above) continue;
            }
            for (size_t j = 0; j < 32; j++) wanted |= (uint32_t)(sign * v[i + j] >= bound) << j;
        } else {
            wanted = (1u << lanes) - 1;
        }
        for (; wanted; wanted &= wanted - 1) {
            size_t lane = i + (size_t)__builtin_ctz(wanted);
            float key = sign * v[lane] + 0.0f;  // -0 becomes 0
            if (!(key >= bound) || (mask && !mask[lane])) continue;  // NaN is never listed
            if (size < capacity) {
                ndx_top entry = {key, first_image + (uint32_t)lane, ndx_position(positions, width, lane)};
                sift_up(heap, size++, entry);
            } else if (key > heap[0].key) {
                ndx_top entry = {key, first_image + (uint32_t)lane, ndx_position(positions, width, lane)};
                sift_down(heap, size, entry);
            }
        }
    }
    return size;
}

void ndx_top_sort(ndx_top *heap, size_t size) {
    while (size > 1) {
        ndx_top weakest = heap[0];
        size--;
        sift_down(heap, size, heap[size]);
        heap[size] = weakest;
    }
}
