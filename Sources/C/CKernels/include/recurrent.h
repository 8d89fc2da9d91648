// Recurrent layers: one direction of an LSTM, a GRU or a plain recurrent network over the sequences of one image.
#ifndef NDX_RECURRENT_H
#define NDX_RECURRENT_H

#include <stddef.h>

typedef enum { NDX_CELL_LSTM, NDX_CELL_GRU, NDX_CELL_PLAIN } ndx_cell;

/// 1 / (1 + exp −x); tanh x; max(x, 0); min(max(alpha x + beta, 0), 1).
typedef enum { NDX_GATE_SIGMOID, NDX_GATE_TANH, NDX_GATE_RELU, NDX_GATE_HARD_SIGMOID } ndx_gate;

typedef struct {
    ndx_gate kind;
    float alpha, beta;
} ndx_gate_function;

/// Rows are numbered step * step_rows + sequence * sequence_rows. Gates stand as in ONNX: input, output, forget, cell of an LSTM; update, reset,
/// candidate of a GRU; one of a plain network.
typedef struct {
    ndx_cell cell;
    size_t steps, sequences, hidden, step_rows, sequence_rows;
    /// Whether the last step is the first to be computed; of a GRU, whether the reset gate comes after the product (linear_before_reset).
    int is_reversed, resets_after;
    /// f, g, h of the ONNX specification.
    ndx_gate_function functions[3];
    /// Packed by ndx_linear_pack from [gates · hidden, hidden]; of a GRU without the candidate, which has its own [hidden, hidden]. Their
    /// transposes are for the way back alone.
    const float *recurrent, *candidate, *recurrent_back, *candidate_back;
    /// [gates · hidden], added to these products.
    const float *bias;
    /// [3 · hidden], of input, output and forget gate; NULL for none.
    const float *peepholes;
    /// [sequences, hidden]; NULL for zeros.
    const float *initial_hidden, *initial_cell;
} ndx_recurrence;

/// Floats of scratch memory that both ways take.
size_t ndx_recurrence_scratch(const ndx_recurrence *layer);

/// - gates: [rows, gates · hidden], the inputs times their weights; they become the gates' values.
/// - hidden: [rows, hidden], what comes out.
/// - extra: the same size; of an LSTM its cells, of a GRU that resets after the product, what the candidate's product is.
void ndx_recurrence_run(const ndx_recurrence *layer, float *gates, float *hidden, float *extra, float *scratch);

/// - gates, hidden, extra: as ndx_recurrence_run left them.
/// - from: the gradient of `hidden`. cell_from: [sequences, hidden], that of the cells of the last step; NULL for none.
/// - slopes: [rows, gates · hidden], the gradient of what `gates` were before.
void ndx_recurrence_backward(
    const ndx_recurrence *layer, const float *gates, const float *hidden, const float *extra, const float *from,
    const float *cell_from, float *slopes, float *scratch);

#endif
