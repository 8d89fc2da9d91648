// Products of a small matrix with many columns of numbers: transformations of a picture along one of its axes.
#ifndef NDX_MATRIX_H
#define NDX_MATRIX_H

#include <stddef.h>

/// out[r * columns + c] = Σ_k matrix[r * inner + k] * in[k * columns + c] for r < rows, c < columns; row-major, no overlap.
void ndx_matrix_product(const float *matrix, size_t rows, size_t inner, const float *in, size_t columns, float *out);

#endif
