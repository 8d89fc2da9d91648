import CKernels

/// One direction of a recurrent layer, gates in ONNX's order.
struct RecurrentDirection: Sendable {
    var isReversed: Bool
    /// [gates · hidden, channels]
    var weights: HostTensor
    /// [gates · hidden, hidden]
    var recurrent: HostTensor
    /// [gates · hidden], of what the inputs give, with all that is added there.
    var bias: [Float]
    /// [gates · hidden], of what the hidden values give: not 0 where a GRU resets after the product.
    var recurrentBias: [Float]
    /// [3 · hidden], of input, output and forget gate.
    var peepholes: [Float]?
    /// [sequences · hidden]
    var initialHidden: [Float]?
    var initialCell: [Float]?
    var functions: [ndx_gate_function]
}

/// The attributes and constants of `LSTM`, `GRU` and `RNN`.
struct RecurrentReading {
    let hidden: Int
    let sequencesAreFirst: Bool
    private let node: NodeReader
    private let (weights, recurrent): (HostTensor, HostTensor)
    private let isReversed: [Bool]
    private var gates: Int { ["LSTM": 4, "GRU": 3][node.operatorType] ?? 1 }

    init(_ node: NodeReader, weights: HostTensor, recurrent: HostTensor) throws {
        (self.node, self.weights, self.recurrent) = (node, weights, recurrent)
        let direction = node.string("direction", default: "forward")
        guard let reversed = ["forward": [false], "reverse": [true], "bidirectional": [false, true]][direction] else {
            throw Refusal("has the direction '\(direction)'; neurodex reads forward, reverse and bidirectional")
        }
        isReversed = reversed
        hidden = recurrent.shape.last ?? 0
        sequencesAreFirst = node.int("layout", default: 0) != 0
        let gates = ["LSTM": 4, "GRU": 3][node.operatorType] ?? 1
        guard weights.shape.count == 3, weights.shape[2] > 0, hidden > 0, node.int("hidden_size", default: hidden) == hidden,
            recurrent.shape == [reversed.count, gates * hidden, hidden],
            weights.shape.prefix(2) == [reversed.count, gates * hidden]
        else {
            throw Refusal(
                "goes over \(reversed.count) direction\(reversed.count == 1 ? "" : "s") with \(gates) gates of \(node.int("hidden_size", default: hidden)) values, but its weights have shapes \(weights.shape) and \(recurrent.shape)"
            )
        }
        guard node.float("clip", default: 0) == 0 else {
            throw Refusal("clips what its gates get at \(node.float("clip", default: 0)); neurodex reads those that do not")
        }
        guard node.int("input_forget", default: 0) == 0 else {
            throw Refusal("couples its input and forget gates (input_forget); neurodex reads those with gates of their own")
        }
    }

    func directions() throws -> [RecurrentDirection] {
        let functions = try functions()
        let width = gates * hidden
        let biases = try part(3, "bias", each: 2 * width)
        let peepholes = node.operatorType == "LSTM" ? try part(7, "peepholes", each: 3 * hidden) : nil
        let (first, cells) = (try state(5), node.operatorType == "LSTM" ? try state(6) : nil)
        let splits = node.operatorType == "GRU" && node.int("linear_before_reset", default: 0) != 0
        return isReversed.indices.map { index in
            func slice(_ tensor: HostTensor) -> HostTensor {
                let size = tensor.shape[1] * tensor.shape[2]
                return HostTensor(
                    Array(tensor.floats(in: index * size..<(index + 1) * size)), shape: Array(tensor.shape.dropFirst()))
            }
            let zeros = [Float](repeating: 0, count: width)
            var (input, own) = (zeros, zeros)
            if let both = biases?[index] {
                for gate in 0..<width {
                    let isApart = splits && gate >= 2 * hidden
                    input[gate] = isApart ? both[gate] : both[gate] + both[width + gate]
                    own[gate] = isApart ? both[width + gate] : 0
                }
            }
            return RecurrentDirection(
                isReversed: isReversed[index], weights: slice(weights), recurrent: slice(recurrent), bias: input,
                recurrentBias: own, peepholes: peepholes?[index], initialHidden: first?[index], initialCell: cells?[index],
                functions: functions[index])
        }
    }

    /// The numbers of an input [directions, count] by direction; nil where it is left out.
    private func part(_ index: Int, _ role: String, each count: Int) throws -> [[Float]]? {
        guard let tensor = try node.constant(index, role) else { return nil }
        guard tensor.count == isReversed.count * count else {
            throw Refusal("has \(role) of shape \(tensor.shape); it needs \(count) numbers for each direction")
        }
        let values = tensor.floats
        return isReversed.indices.map { Array(values[$0 * count..<($0 + 1) * count]) }
    }

    /// A state before the first step, [directions, sequences, hidden] or with sequences first, by direction.
    private func state(_ index: Int) throws -> [[Float]]? {
        guard let tensor = try node.constant(index, "state before the first step") else { return nil }
        guard tensor.shape.count == 3, tensor.shape[sequencesAreFirst ? 1 : 0] == isReversed.count, tensor.shape[2] == hidden
        else { throw Refusal("begins with a state of shape \(tensor.shape)") }
        let ordered = sequencesAreFirst ? tensor.transposed([1, 0, 2]) : tensor
        let (values, count) = (ordered.floats, ordered.count / isReversed.count)
        return isReversed.indices.map { Array(values[$0 * count..<($0 + 1) * count]) }
    }

    /// Of each direction.
    private func functions() throws -> [[ndx_gate_function]] {
        let plain = ["LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]][node.operatorType] ?? ["Tanh"]
        let names = node.strings("activations") ?? isReversed.flatMap { _ in plain }
        guard names.count == plain.count * isReversed.count else {
            throw Refusal("names \(names.count) activation functions; it needs \(plain.count) for each direction")
        }
        var (alphas, betas) = ((node.floats("activation_alpha") ?? [])[...], (node.floats("activation_beta") ?? [])[...])
        let all = try names.map { name in
            switch name.lowercased() {
            case "sigmoid": return ndx_gate_function(kind: NDX_GATE_SIGMOID, alpha: 0, beta: 0)
            case "tanh": return ndx_gate_function(kind: NDX_GATE_TANH, alpha: 0, beta: 0)
            case "relu": return ndx_gate_function(kind: NDX_GATE_RELU, alpha: 0, beta: 0)
            case "hardsigmoid":
                // Numbers are listed for those functions that have some.
                return ndx_gate_function(
                    kind: NDX_GATE_HARD_SIGMOID, alpha: alphas.popFirst() ?? 0.2, beta: betas.popFirst() ?? 0.5)
            default:
                throw Refusal("has the activation function '\(name)'; neurodex reads Sigmoid, Tanh, Relu and HardSigmoid in it")
            }
        }
        return isReversed.indices.map { Array(all[$0 * plain.count..<($0 + 1) * plain.count]) }
    }
}

/// A direction with its weights packed, for sequences of some length.
final class PackedRecurrence: Sendable {
    private let cell: ndx_cell
    private let (steps, sequences, hidden): (Int, Int, Int)
    private let (stepRows, sequenceRows): (Int, Int)
    private let resetsAfter: Bool
    private let direction: RecurrentDirection
    /// Of all gates, and of a GRU's candidate, which is apart; their transposes for the way back.
    private let (gates, candidate): (SharedFloats, SharedFloats?)

    init(_ layer: Recurrent, _ direction: RecurrentDirection, steps: Int, sequences: Int, goesBack: Bool) {
        (cell, hidden, self.steps, self.sequences) = (layer.cell, layer.hidden, steps, sequences)
        (stepRows, sequenceRows) = layer.sequencesAreFirst ? (1, steps) : (sequences, 1)
        (resetsAfter, self.direction) = (layer.resetsAfter, direction)
        let hidden = layer.hidden
        let rows = direction.recurrent.shape[0] - (layer.cell == NDX_CELL_GRU ? hidden : 0)
        let values = direction.recurrent.floats
        func pack(_ range: Range<Int>) -> SharedFloats {
            let part = HostTensor(
                Array(values[range.lowerBound * hidden..<range.upperBound * hidden]), shape: [range.count, hidden])
            let matrix = goesBack ? part.transposed([1, 0]) : part
            let packed = SharedFloats(count: ndx_linear_packed(matrix.shape[1], matrix.shape[0]))
            ndx_linear_pack(matrix.floats, matrix.shape[1], matrix.shape[0], packed.start)
            return packed
        }
        gates = pack(0..<rows)
        candidate = layer.cell == NDX_CELL_GRU ? pack(rows..<rows + hidden) : nil
    }

    /// Bytes.
    var scratch: Int { withLayer { ndx_recurrence_scratch($0) } * MemoryLayout<Float>.size }

    func run(
        gates: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>, extra: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        withLayer { ndx_recurrence_run($0, gates, hidden, extra, scratch) }
    }

    func runBack(
        gates: UnsafePointer<Float>, hidden: UnsafePointer<Float>, extra: UnsafePointer<Float>, from: UnsafePointer<Float>,
        cellFrom: UnsafePointer<Float>, slopes: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
    ) {
        withLayer { ndx_recurrence_backward($0, gates, hidden, extra, from, cellFrom, slopes, scratch) }
    }

    private func withLayer<Result>(_ body: (UnsafePointer<ndx_recurrence>) -> Result) -> Result {
        let functions = direction.functions + Array(repeating: direction.functions[0], count: 3 - direction.functions.count)
        func optional(_ values: [Float]?, _ body: (UnsafePointer<Float>?) -> Result) -> Result {
            guard let values else { return body(nil) }
            return values.withUnsafeBufferPointer { body($0.baseAddress) }
        }
        return optional(direction.peepholes) { peepholes in
            optional(direction.initialHidden) { hidden in
                optional(direction.initialCell) { cell in
                    optional(direction.recurrentBias) { bias in
                        var layer = ndx_recurrence(
                            cell: self.cell, steps: steps, sequences: sequences, hidden: self.hidden, step_rows: stepRows,
                            sequence_rows: sequenceRows, is_reversed: direction.isReversed ? 1 : 0,
                            resets_after: resetsAfter ? 1 : 0, functions: (functions[0], functions[1], functions[2]),
                            recurrent: gates.start, candidate: candidate?.start, recurrent_back: gates.start,
                            candidate_back: candidate?.start, bias: bias, peepholes: peepholes, initial_hidden: hidden,
                            initial_cell: cell)
                        return body(&layer)
                    }
                }
            }
        }
    }
}
