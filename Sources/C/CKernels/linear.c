#include "linear.h"

#include <string.h>

#include "clones.h"

enum {
    COLUMN = 16,   ///< outputs whose sums are kept in registers at once
    ROWS = 6,      ///< rows likewise: 12 vectors of sums on AVX2, which has 16
    DEPTH = 256,   ///< inputs between two visits to memory: their weights stay in the first-level cache
    BLOCK = 48,    ///< rows that the second-level cache holds, with their outputs
};

typedef float column __attribute__((vector_size(COLUMN * sizeof(float)), aligned(4)));

#define INLINE static inline __attribute__((always_inline))

size_t ndx_linear_columns(size_t outputs) { return (outputs + COLUMN - 1) / COLUMN; }

size_t ndx_linear_packed(size_t inputs, size_t outputs) { return ndx_linear_columns(outputs) * COLUMN * inputs; }

void ndx_linear_pack(const float *weights, size_t inputs, size_t outputs, float *packed) {
    for (size_t first = 0; first < outputs; first += COLUMN) {
        const size_t count = outputs - first < COLUMN ? outputs - first : COLUMN;
        float *to = packed + first * inputs;
        if (count < COLUMN) memset(to, 0, COLUMN * inputs * sizeof(float));
        // A few inputs of all outputs of a column at a time, so that what is written to stays in the cache.
        for (size_t start = 0; start < inputs; start += COLUMN)
            for (size_t o = 0; o < count; o++)
                for (size_t i = start; i < start + COLUMN && i < inputs; i++)
                    to[i * COLUMN + o] = weights[(first + o) * inputs + i];
    }
}

/// Adds the products of `depth` inputs to the outputs of some rows; before the first of them, the outputs are the bias.
INLINE void add_products(
    size_t rows, const float *in, size_t inputs, const float *weights, size_t depth, const float *bias, float *out, size_t outputs,
    size_t width) {
    column sums[ROWS];
    for (size_t r = 0; r < rows; r++) sums[r] = (column){0};
    for (size_t i = 0; i < depth; i++) {
        const column w = *(const column *)(weights + i * COLUMN);
        for (size_t r = 0; r < rows; r++) sums[r] += in[r * inputs + i] * w;
    }
    for (size_t r = 0; r < rows; r++) {
        column total = {0};
        memcpy(&total, bias ? bias : out + r * outputs, width * sizeof(float));
        total += sums[r];
        memcpy(out + r * outputs, &total, width * sizeof(float));
    }
}

/// As add_products, over any number of rows.
INLINE void add_rows(
    size_t rows, const float *in, size_t inputs, const float *weights, size_t depth, const float *bias, float *out, size_t outputs,
    size_t width) {
    size_t r = 0;
    for (; r + ROWS <= rows; r += ROWS)
        add_products(ROWS, in + r * inputs, inputs, weights, depth, bias, out + r * outputs, outputs, width);
    in += r * inputs;
    out += r * outputs;
    switch (rows - r) {  // A constant each, so that the sums stay in registers.
        case 1: add_products(1, in, inputs, weights, depth, bias, out, outputs, width); break;
        case 2: add_products(2, in, inputs, weights, depth, bias, out, outputs, width); break;
        case 3: add_products(3, in, inputs, weights, depth, bias, out, outputs, width); break;
        case 4: add_products(4, in, inputs, weights, depth, bias, out, outputs, width); break;
        case 5: add_products(5, in, inputs, weights, depth, bias, out, outputs, width); break;
        default: break;
    }
}

/// Rows `step` apart by the packed columns first ..< end; before the first products, the outputs are the bias.
INLINE void run(
    const float *in, size_t step, size_t rows, size_t inputs, const float *packed, const float *bias, float *out, size_t outputs,
    size_t first, size_t end) {
    for (size_t start = 0; start < rows; start += BLOCK) {
        const size_t count = rows - start < BLOCK ? rows - start : BLOCK;
        for (size_t input = 0; input < inputs || input == 0; input += DEPTH) {
            const size_t depth = inputs - input < DEPTH ? inputs - input : DEPTH;
            const float *from = in + start * step + input;
            for (size_t c = first; c < end; c++) {
                const size_t output = c * COLUMN, width = outputs - output < COLUMN ? outputs - output : COLUMN;
                const float *weights = packed + output * inputs + input * COLUMN, *begin = input == 0 ? bias + output : NULL;
                float *to = out + start * outputs + output;
                if (width == COLUMN)
                    add_rows(count, from, step, weights, depth, begin, to, outputs, COLUMN);
                else
                    add_rows(count, from, step, weights, depth, begin, to, outputs, width);
            }
        }
    }
}

NDX_CLONES
void ndx_linear_run(
    const float *in, size_t rows, size_t inputs, const float *packed, const float *bias, float *out, size_t outputs, size_t first,
    size_t end) {
    run(in, inputs, rows, inputs, packed, bias, out, outputs, first, end);
}

size_t ndx_product_scratch(size_t inputs, size_t outputs) {
    return ndx_linear_packed(inputs, outputs) + ndx_linear_columns(outputs) * COLUMN;
}

/// Packs a matrix whose element for input i and output o is matrix[i * input_step + o * output_step].
static void pack(const float *matrix, size_t inputs, size_t input_step, size_t outputs, size_t output_step, float *packed) {
    for (size_t first = 0; first < outputs; first += COLUMN) {
        const size_t count = outputs - first < COLUMN ? outputs - first : COLUMN;
        const float *from = matrix + first * output_step;
        float *to = packed + first * inputs;
        if (output_step == 1) {
            for (size_t i = 0; i < inputs; i++) {
                if (count == COLUMN) {
                    memcpy(to + i * COLUMN, from + i * input_step, COLUMN * sizeof(float));
                } else {
                    memset(to + i * COLUMN, 0, COLUMN * sizeof(float));
                    memcpy(to + i * COLUMN, from + i * input_step, count * sizeof(float));
                }
            }
            continue;
        }
        if (count < COLUMN) memset(to, 0, COLUMN * inputs * sizeof(float));
        for (size_t start = 0; start < inputs; start += COLUMN)
            for (size_t o = 0; o < count; o++)
                for (size_t i = start; i < start + COLUMN && i < inputs; i++)
                    to[i * COLUMN + o] = from[i * input_step + o * output_step];
    }
}

NDX_CLONES
void ndx_product(
    const float *in, size_t rows, size_t inputs, const float *matrix, size_t input_step, size_t output_step, float *out,
    size_t outputs, float *scratch) {
    float *zeros = scratch + ndx_linear_packed(inputs, outputs);
    memset(zeros, 0, outputs * sizeof(float));
    pack(matrix, inputs, input_step, outputs, output_step, scratch);
    run(in, inputs, rows, inputs, scratch, zeros, out, outputs, 0, ndx_linear_columns(outputs));
}
