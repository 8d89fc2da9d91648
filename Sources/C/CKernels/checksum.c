#include "checksum.h"

#include <string.h>

// Half a byte at a time from a table: for processors without an instruction for it.
static uint32_t portable(uint32_t crc, const uint8_t *bytes, size_t count) {
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

// The CRC of what follows `crc` and as many zero bytes as `constant` stands for: x^(8 · bytes − 33) modulo the polynomial, in reflected
// bits. The instruction itself reduces the product.
__attribute__((target("sse4.2,pclmul")))
static inline uint64_t shifted(uint64_t crc, int64_t constant) {
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)crc), _mm_cvtsi64_si128(constant), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

static inline uint64_t word_at(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

// Three pieces of `piece` bytes at once, as the instruction takes three cycles but may begin in every one. `by_one` and `by_two` stand for
// one piece of zeros and two.
__attribute__((target("sse4.2,pclmul"), always_inline))
static inline const uint8_t *in_three(
    uint64_t *crc, const uint8_t *bytes, size_t *count, size_t piece, int64_t by_one, int64_t by_two) {
    uint64_t first = *crc;
    for (; *count >= 3 * piece; bytes += 3 * piece, *count -= 3 * piece) {
        uint64_t second = 0, third = 0;
        for (size_t i = 0; i < piece; i += 8) {
            first = _mm_crc32_u64(first, word_at(bytes + i));
            second = _mm_crc32_u64(second, word_at(bytes + piece + i));
            third = _mm_crc32_u64(third, word_at(bytes + 2 * piece + i));
        }
        first = shifted(first, by_two) ^ shifted(second, by_one) ^ third;
    }
    *crc = first;
    return bytes;
}

__attribute__((target("sse4.2,pclmul")))
static uint32_t accelerated(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t state = crc;
    bytes = in_three(&state, bytes, &count, 256, 0xb9e02b86, 0xdd7e3b0c);
    bytes = in_three(&state, bytes, &count, 64, 0x9e4addf8, 0x0d3b6092);
    for (; count >= 8; bytes += 8, count -= 8) state = _mm_crc32_u64(state, word_at(bytes));
    if (count & 4) {
        uint32_t four;
        memcpy(&four, bytes, sizeof four);
        state = _mm_crc32_u32((uint32_t)state, four);
        bytes += 4;
    }
    for (count &= 3; count > 0; bytes++, count--) state = _mm_crc32_u8((uint32_t)state, *bytes);
    return (uint32_t)state;
}

uint32_t ndx_checksum(uint32_t crc, const void *bytes, size_t count) {
    int is_able = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
    return ~(is_able ? accelerated(~crc, bytes, count) : portable(~crc, bytes, count));
}

#elif defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>

uint32_t ndx_checksum(uint32_t crc, const void *bytes, size_t count) {
    const uint8_t *at = bytes;
    uint32_t state = ~crc;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        state = __crc32cd(state, word);
    }
    for (; count > 0; at++, count--) state = __crc32cb(state, *at);
    return ~state;
}

#else

uint32_t ndx_checksum(uint32_t crc, const void *bytes, size_t count) {
    return ~portable(~crc, bytes, count);
}

#endif

uint32_t ndx_checksum_portable(uint32_t crc, const void *bytes, size_t count) {
    return ~portable(~crc, bytes, count);
}

void ndx_checksum_rows(const void *bytes, size_t rows, size_t length, uint32_t *sums) {
    for (size_t i = 0; i < rows; i++) sums[i] = ndx_checksum(0, (const uint8_t *)bytes + i * length, length);
}
