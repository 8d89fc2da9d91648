// Fully connected layers.
#ifndef NDX_LINEAR_H
#define NDX_LINEAR_H

#include <stddef.h>

/// Floats that packed weights take.
size_t ndx_linear_packed(size_t inputs, size_t outputs);

/// Packs weights [outputs, inputs].
void ndx_linear_pack(const float *weights, size_t inputs, size_t outputs, float *packed);

/// Columns of 16 outputs that the work is made of.
size_t ndx_linear_columns(size_t outputs);

/// out[r * outputs + o] = bias[o] + Σ_i in[r * inputs + i] · weights[o, i], for the columns first ..< end. Every sum is added up in the same
/// order, whatever the number of rows and columns: 256 products, then those of the next 256.
void ndx_linear_run(
    const float *in, size_t rows, size_t inputs, const float *packed, const float *bias, float *out, size_t outputs, size_t first,
    size_t end);

/// Floats of scratch memory that ndx_product takes.
size_t ndx_product_scratch(size_t inputs, size_t outputs);

/// A product of two matrices of which neither is known before: out[r * outputs + o] = Σ_i in[r * inputs + i] · matrix[i * input_step + o *
/// output_step]. Added up in the order of ndx_linear_run.
void ndx_product(
    const float *in, size_t rows, size_t inputs, const float *matrix, size_t input_step, size_t output_step, float *out,
    size_t outputs, float *scratch);

#endif
