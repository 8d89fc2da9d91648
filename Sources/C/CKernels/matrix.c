#include "matrix.h"

#include "clones.h"

/// Rows and columns whose sums stay in registers.
enum { ROWS = 4, COLUMNS = 64 };

NDX_CLONES
void ndx_matrix_product(const float *matrix, size_t rows, size_t inner, const float *in, size_t columns, float *out) {
    for (size_t c = 0; c < columns; c += COLUMNS) {
        size_t width = columns - c < COLUMNS ? columns - c : COLUMNS;
        for (size_t r = 0; r < rows; r += ROWS) {
            size_t height = rows - r < ROWS ? rows - r : ROWS;
            float sums[ROWS][COLUMNS] = {{0}};
            if (height == ROWS && width == COLUMNS) {
                for (size_t k = 0; k < inner; k++) {
                    const float *line = in + k * columns + c;
                    const float *m = matrix + r * inner + k;
                    for (size_t j = 0; j < COLUMNS; j++) {
                        sums[0][j] += m[0] * line[j];
                        sums[1][j] += m[inner] * line[j];
                        sums[2][j] += m[2 * inner] * line[j];
                        sums[3][j] += m[3 * inner] * line[j];
                    }
                }
            } else {
                for (size_t k = 0; k < inner; k++)
                    for (size_t i = 0; i < height; i++) {
                        float factor = matrix[(r + i) * inner + k];
                        for (size_t j = 0; j < width; j++) sums[i][j] += factor * in[k * columns + c + j];
                    }
            }
            for (size_t i = 0; i < height; i++)
                for (size_t j = 0; j < width; j++) out[(r + i) * columns + c + j] = sums[i][j];
        }
    }
}
