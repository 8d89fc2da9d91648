#include "recurrent.h"

#include <math.h>
#include <string.h>

#include "linear.h"

static float apply(ndx_gate_function function, float x) {
    switch (function.kind) {
    case NDX_GATE_SIGMOID: return 1 / (1 + expf(-x));
    case NDX_GATE_TANH: return tanhf(x);
    case NDX_GATE_RELU: return x < 0 ? 0 : x;
    case NDX_GATE_HARD_SIGMOID: {
        float y = function.alpha * x + function.beta;
        return y < 0 ? 0 : y > 1 ? 1 : y;
    }
    }
    return x;
}

/// The derivative where the function's value is y.
static float slope(ndx_gate_function function, float y) {
    switch (function.kind) {
    case NDX_GATE_SIGMOID: return y * (1 - y);
    case NDX_GATE_TANH: return 1 - y * y;
    case NDX_GATE_RELU: return y > 0 ? 1 : 0;
    case NDX_GATE_HARD_SIGMOID: return y > 0 && y < 1 ? function.alpha : 0;
    }
    return 1;
}

static size_t gate_count(ndx_cell cell) { return cell == NDX_CELL_LSTM ? 4 : cell == NDX_CELL_GRU ? 3 : 1; }

size_t ndx_recurrence_scratch(const ndx_recurrence *layer) {
    return layer->sequences * layer->hidden * (gate_count(layer->cell) + 6);
}

/// The step that is computed as number `index`.
static size_t step_at(const ndx_recurrence *l, size_t index) { return l->is_reversed ? l->steps - 1 - index : index; }

static size_t row_of(const ndx_recurrence *l, size_t index, size_t sequence) {
    return step_at(l, index) * l->step_rows + sequence * l->sequence_rows;
}

/// What a sequence had `rows` of before step `index`: of the step before, or in the beginning.
static void load_previous(
    const ndx_recurrence *l, size_t index, const float *rows, const float *initial, float *previous) {
    const size_t width = l->hidden;
    for (size_t n = 0; n < l->sequences; n++) {
        const float *from = index > 0 ? rows + row_of(l, index - 1, n) * width : initial ? initial + n * width : NULL;
        if (from) memcpy(previous + n * width, from, width * sizeof(float));
        else memset(previous + n * width, 0, width * sizeof(float));
    }
}

static void multiply(const float *in, size_t rows, size_t inputs, const float *packed, const float *bias, float *out, size_t outputs) {
    ndx_linear_run(in, rows, inputs, packed, bias, out, outputs, 0, ndx_linear_columns(outputs));
}

static void lstm_step(
    const ndx_recurrence *l, float *gates, const float *product, const float *previous, float *cell, float *hidden) {
    const size_t width = l->hidden;
    const float *p = l->peepholes;
    for (size_t j = 0; j < width; j++) {
        const float before = previous[j];
        const float i = apply(l->functions[0], gates[j] + product[j] + (p ? p[j] * before : 0));
        const float f = apply(
            l->functions[0], gates[2 * width + j] + product[2 * width + j] + (p ? p[2 * width + j] * before : 0));
        const float c = apply(l->functions[1], gates[3 * width + j] + product[3 * width + j]);
        cell[j] = f * before + i * c;
        const float o = apply(l->functions[0], gates[width + j] + product[width + j] + (p ? p[width + j] * cell[j] : 0));
        hidden[j] = o * apply(l->functions[2], cell[j]);
        gates[j] = i, gates[width + j] = o, gates[2 * width + j] = f, gates[3 * width + j] = c;
    }
}

/// Update and reset gates of all sequences, and what goes into the candidate's product in place of `previous`: that, reset.
static void gru_gates(const ndx_recurrence *l, size_t index, float *gates, const float *product, const float *previous, float *reset) {
    const size_t width = l->hidden;
    for (size_t n = 0; n < l->sequences; n++) {
        float *own = gates + row_of(l, index, n) * 3 * width;
        for (size_t j = 0; j < 2 * width; j++) own[j] = apply(l->functions[0], own[j] + product[n * 2 * width + j]);
        for (size_t j = 0; j < width; j++)
            reset[n * width + j] = l->resets_after ? previous[n * width + j] : own[width + j] * previous[n * width + j];
    }
}

static void gru_step(const ndx_recurrence *l, float *gates, const float *product, const float *previous, float *extra, float *hidden) {
    const size_t width = l->hidden;
    for (size_t j = 0; j < width; j++) {
        const float added = l->resets_after ? gates[width + j] * product[j] : product[j];
        const float candidate = apply(l->functions[1], gates[2 * width + j] + added);
        extra[j] = product[j];
        gates[2 * width + j] = candidate;
        hidden[j] = (1 - gates[j]) * candidate + gates[j] * previous[j];
    }
}

void ndx_recurrence_run(const ndx_recurrence *l, float *gates, float *hidden, float *extra, float *scratch) {
    const size_t width = l->hidden, count = l->sequences * width, all = gate_count(l->cell) * width;
    float *previous = scratch, *cell = previous + count, *reset = cell + count, *product = reset + count;
    for (size_t index = 0; index < l->steps; index++) {
        load_previous(l, index, hidden, l->initial_hidden, previous);
        if (l->cell == NDX_CELL_GRU) {
            multiply(previous, l->sequences, width, l->recurrent, l->bias, product, 2 * width);
            gru_gates(l, index, gates, product, previous, reset);
            multiply(reset, l->sequences, width, l->candidate, l->bias + 2 * width, product, width);
        } else {
            multiply(previous, l->sequences, width, l->recurrent, l->bias, product, all);
        }
        if (l->cell == NDX_CELL_LSTM) load_previous(l, index, extra, l->initial_cell, cell);
        for (size_t n = 0; n < l->sequences; n++) {
            const size_t row = row_of(l, index, n);
            float *own = gates + row * all, *out = hidden + row * width, *kept = extra + row * width;
            switch (l->cell) {
            case NDX_CELL_LSTM: lstm_step(l, own, product + n * all, cell + n * width, kept, out); break;
            case NDX_CELL_GRU: gru_step(l, own, product + n * width, previous + n * width, kept, out); break;
            case NDX_CELL_PLAIN:
                for (size_t j = 0; j < width; j++) out[j] = own[j] = apply(l->functions[0], own[j] + product[n * all + j]);
            }
        }
    }
}

/// `own` is what comes to the hidden values; what comes to the cells, in `cell_own`, becomes that of the step before.
static void lstm_step_back(
    const ndx_recurrence *l, const float *gates, const float *cell, const float *previous, const float *own, float *cell_own,
    float *slopes) {
    const size_t width = l->hidden;
    const float *p = l->peepholes;
    for (size_t j = 0; j < width; j++) {
        const float i = gates[j], o = gates[width + j], f = gates[2 * width + j], c = gates[3 * width + j];
        const float shown = apply(l->functions[2], cell[j]);
        const float output = own[j] * shown * slope(l->functions[0], o);
        const float total = cell_own[j] + own[j] * o * slope(l->functions[2], shown) + (p ? output * p[width + j] : 0);
        const float input = total * c * slope(l->functions[0], i);
        const float forget = total * previous[j] * slope(l->functions[0], f);
        slopes[j] = input, slopes[width + j] = output, slopes[2 * width + j] = forget;
        slopes[3 * width + j] = total * i * slope(l->functions[1], c);
        cell_own[j] = total * f + (p ? input * p[j] + forget * p[2 * width + j] : 0);
    }
}

/// The gates' slopes of one row, as far as the candidate's product is not needed: `product` gets what comes to that.
static void gru_step_back(
    const ndx_recurrence *l, const float *gates, const float *extra, const float *previous, const float *own, float *slopes,
    float *product, float *before) {
    const size_t width = l->hidden;
    for (size_t j = 0; j < width; j++) {
        const float z = gates[j], r = gates[width + j], c = gates[2 * width + j];
        const float candidate = own[j] * (1 - z) * slope(l->functions[1], c);
        slopes[j] = own[j] * (previous[j] - c) * slope(l->functions[0], z);
        slopes[width + j] = l->resets_after ? candidate * extra[j] * slope(l->functions[0], r) : 0;
        slopes[2 * width + j] = candidate;
        product[j] = l->resets_after ? candidate * r : candidate;
        before[j] = own[j] * z;
    }
}

/// The rest of a GRU's row: `reset` is what comes to the values that went into the candidate's product.
static void gru_reset_back(
    const ndx_recurrence *l, const float *gates, const float *previous, const float *reset, float *slopes, float *before) {
    const size_t width = l->hidden;
    for (size_t j = 0; j < width; j++) {
        const float r = gates[width + j];
        if (!l->resets_after) slopes[width + j] = reset[j] * previous[j] * slope(l->functions[0], r);
        before[j] += l->resets_after ? reset[j] : reset[j] * r;
    }
}

/// One row back: `own` becomes what comes to the hidden values of the step before.
static void row_back(
    const ndx_recurrence *l, const float *gates, const float *extra, const float *previous, const float *zeros, float *own,
    float *slopes, float *scratch) {
    const size_t width = l->hidden;
    if (l->cell == NDX_CELL_GRU) {
        float *product = scratch, *before = product + width, *reset = before + width;
        gru_step_back(l, gates, extra, previous, own, slopes, product, before);
        multiply(product, 1, width, l->candidate_back, zeros, reset, width);
        gru_reset_back(l, gates, previous, reset, slopes, before);
        multiply(slopes, 1, 2 * width, l->recurrent_back, before, own, width);
        return;
    }
    if (l->cell == NDX_CELL_PLAIN)
        for (size_t j = 0; j < width; j++) slopes[j] = own[j] * slope(l->functions[0], gates[j]);
    multiply(slopes, 1, gate_count(l->cell) * width, l->recurrent_back, zeros, own, width);
}

void ndx_recurrence_backward(
    const ndx_recurrence *l, const float *gates, const float *hidden, const float *extra, const float *from,
    const float *cell_from, float *slopes, float *scratch) {
    const size_t width = l->hidden, count = l->sequences * width, all = gate_count(l->cell) * width;
    float *own = scratch, *cells = own + count, *previous = cells + count, *zeros = previous + count, *rest = zeros + width;
    memset(own, 0, count * sizeof(float));
    memset(zeros, 0, width * sizeof(float));
    if (cell_from) memcpy(cells, cell_from, count * sizeof(float));
    else memset(cells, 0, count * sizeof(float));
    for (size_t index = l->steps; index-- > 0;) {
        const int isLSTM = l->cell == NDX_CELL_LSTM;
        load_previous(l, index, isLSTM ? extra : hidden, isLSTM ? l->initial_cell : l->initial_hidden, previous);
        for (size_t n = 0; n < l->sequences; n++) {
            const size_t row = row_of(l, index, n);
            float *mine = own + n * width;
            for (size_t j = 0; j < width; j++) mine[j] += from[row * width + j];
            if (isLSTM)
                lstm_step_back(
                    l, gates + row * all, extra + row * width, previous + n * width, mine, cells + n * width, slopes + row * all);
            row_back(
                l, gates + row * all, extra + row * width, previous + n * width, zeros, mine, slopes + row * all, rest);
        }
    }
}
