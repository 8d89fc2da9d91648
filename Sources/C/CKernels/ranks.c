#include "ranks.h"

#include <string.h>

#include "clones.h"

static inline uint32_t ordered_key(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0;  // NaN: below everything
    if (bits == 0x80000000u) bits = 0;                 // -0 equals 0
    return bits ^ ((uint32_t)((int32_t)bits >> 31) | 0x80000000u);
}

// Three passes by 11, 11 and 10 bits; a pass whose digit is the same everywhere is left out.
void ndx_sort_column(const float *values, size_t count, uint64_t *entries, uint64_t *spare) {
    enum { DIGITS = 3, BITS = 11, BUCKETS = 1 << BITS };
    static const int shifts[DIGITS] = {32, 43, 54};
    uint32_t counters[DIGITS][BUCKETS] = {{0}};
    for (size_t i = 0; i < count; i++) {
        uint64_t entry = (uint64_t)ordered_key(values[i]) << 32 | (uint32_t)i;
        entries[i] = entry;
        for (int d = 0; d < DIGITS; d++) counters[d][entry >> shifts[d] & (BUCKETS - 1)]++;
    }
    uint64_t *from = entries, *to = spare;
    for (int d = 0; d < DIGITS && count > 0; d++) {
        uint32_t *places = counters[d];
        if (places[from[0] >> shifts[d] & (BUCKETS - 1)] == count) continue;
        uint32_t next = 0;
        for (size_t b = 0; b < BUCKETS; b++) {
            uint32_t length = places[b];
            places[b] = next;
            next += length;
        }
        for (size_t i = 0; i < count; i++) to[places[from[i] >> shifts[d] & (BUCKETS - 1)]++] = from[i];
        uint64_t *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != entries) memcpy(entries, from, count * sizeof *entries);
}

// The end of the group of ties that ends (begins) at an entry.
static inline size_t group_start(const uint64_t *entries, size_t end) {
    size_t start = end - 1;
    while (start > 0 && entries[start - 1] >> 32 == entries[end - 1] >> 32) start--;
    return start;
}

double ndx_rank_classes(
    const uint64_t *entries, size_t count, const uint32_t *classes, size_t class_count, ndx_class_ranks *sums, uint32_t *counters) {
#pragma STDC FP_CONTRACT OFF  // the same bits everywhere
    memset(sums, 0, class_count * sizeof *sums);
    memset(counters, 0, class_count * sizeof *counters);
    double ties = 0;
    for (size_t end = count; end > 0;) {
        size_t start = group_start(entries, end);
        uint64_t rank = start + 1 + end;                   // twice the mid-rank of ranks start + 1 ... end
        double reached = 1.0 / (double)(count - start);  // images from the top to the group's end
        for (size_t i = start; i < end; i++) {
            uint32_t class = classes[(uint32_t)entries[i]];
            sums[class].rank_sum += rank;
            counters[class]++;
        }
        for (size_t i = start; i < end; i++) {
            uint32_t class = classes[(uint32_t)entries[i]];
            sums[class].precision += (double)counters[class] * reached;
        }
        double length = (double)(end - start);
        ties += length * length * length - length;
        end = start;
    }
    return ties;
}

double ndx_centred_ranks(const uint64_t *entries, size_t count, float *ranks) {
    double squares = 0;
    for (size_t end = count; end > 0;) {
        size_t start = group_start(entries, end);
        double rank = (double)(start + 1 + end) - (double)(count + 1);
        for (size_t i = start; i < end; i++) ranks[(uint32_t)entries[i]] = (float)rank;
        squares += rank * rank * (double)(end - start);
        end = start;
    }
    return squares;
}

ndx_masked_ranks ndx_sum_masked(const float *ranks, const uint64_t *a, const uint64_t *b, size_t words) {
    ndx_masked_ranks found = {0, 0};
    for (size_t word = 0; word < words; word++) {
        uint64_t bits = a[word] & b[word];
        found.count += (uint64_t)__builtin_popcountll(bits);
        const float *first = ranks + word * 64;
        // Ranks are whole numbers below 2^24, so a word's sum is exact in int64.
        for (; bits; bits &= bits - 1) found.sum += (int64_t)first[__builtin_ctzll(bits)];
    }
    return found;
}

// A tile of 4 × 4 rows: each float that is read meets four others. Sums are of whole numbers, so their order is no matter.
enum { TILE = 4, LANES = 8 };

static inline __attribute__((always_inline)) void tile_products(
    const float *A, const float *B, size_t stride, size_t count, double *out, size_t out_stride) {
    double sums[TILE][TILE][LANES] = {{{0}}};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t a = 0; a < TILE; a++)
            for (size_t b = 0; b < TILE; b++)
                for (size_t j = 0; j < LANES; j++)
                    sums[a][b][j] += (double)A[a * stride + i + j] * (double)B[b * stride + i + j];
    for (size_t a = 0; a < TILE; a++)
        for (size_t b = 0; b < TILE; b++) {
            double sum = 0;
            for (size_t j = 0; j < LANES; j++) sum += sums[a][b][j];
            for (size_t rest = i; rest < count; rest++) sum += (double)A[a * stride + rest] * (double)B[b * stride + rest];
            out[a * out_stride + b] += sum;
        }
}

NDX_CLONES
void ndx_rank_products(
    const float *A, size_t a_count, const float *B, size_t b_count, size_t stride, size_t count, double *out) {
    enum { CHUNK = 1024 };  // rows of both sides stay in the cache while their tiles are gone through
    for (size_t first = 0; first < count; first += CHUNK) {
        size_t length = count - first < CHUNK ? count - first : CHUNK;
        for (size_t a = 0; a < a_count; a += TILE)
            for (size_t b = 0; b < b_count; b += TILE) {
                const float *left = A + a * stride + first, *right = B + b * stride + first;
                double *to = out + a * b_count + b;
                if (a + TILE <= a_count && b + TILE <= b_count) {
                    tile_products(left, right, stride, length, to, b_count);
                } else {
                    for (size_t r = 0; r < TILE && a + r < a_count; r++)
                        for (size_t c = 0; c < TILE && b + c < b_count; c++) {
                            double sum = 0;
                            for (size_t i = 0; i < length; i++)
                                sum += (double)left[r * stride + i] * (double)right[c * stride + i];
                            to[r * b_count + c] += sum;
                        }
                }
            }
    }
}
