// Floats of 16 bits: the first half of a float's.
#ifndef NDX_BFLOAT16_H
#define NDX_BFLOAT16_H

#include <stddef.h>
#include <stdint.h>

/// The nearest of them to each float, the even one of two; NaN stays NaN.
void ndx_to_bfloat16(const float *in, uint16_t *out, size_t count);

#endif
