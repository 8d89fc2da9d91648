#include "bfloat16.h"

#include <string.h>

#include "clones.h"

NDX_CLONES
void ndx_to_bfloat16(const float *in, uint16_t *out, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, in + i, sizeof bits);
        const uint32_t rounded = bits + 0x7FFF + (bits >> 16 & 1);
        const uint32_t quiet = bits | 0x00400000;
        out[i] = (uint16_t)(((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded) >> 16);
    }
}
