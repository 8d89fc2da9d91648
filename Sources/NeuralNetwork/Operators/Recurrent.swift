import CKernels

/// A recurrent layer over a sequence, such as the columns of a line of text: `LSTM`, `GRU` and `RNN`, in one direction or both.
///
/// https://onnx.ai/onnx/operators/onnx__LSTM.html, onnx__GRU.html, onnx__RNN.html; Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.
/// Sequences stand in axis 0 of [steps, sequences, channels], or with `layout` 1 in axis 1. The way back goes through all steps.
struct Recurrent: ChannelsFirst {
    static let names = ["LSTM", "GRU", "RNN"]

    let cell: ndx_cell
    let hidden: Int
    /// Channels of the input.
    let inputs: Int
    let directions: [RecurrentDirection]
    /// Whether sequences come before steps.
    let sequencesAreFirst: Bool
    let resetsAfter: Bool
    private let lengths: [Int]?

    init(_ node: NodeReader) throws {
        cell = ["LSTM": NDX_CELL_LSTM, "GRU": NDX_CELL_GRU][node.operatorType] ?? NDX_CELL_PLAIN
        let weights = try node.requiredConstant(1, "weight")
        let recurrent = try node.requiredConstant(2, "recurrent weight")
        let reading = try RecurrentReading(node, weights: weights, recurrent: recurrent)
        (hidden, inputs, directions) = (reading.hidden, weights.shape[2], try reading.directions())
        sequencesAreFirst = reading.sequencesAreFirst
        resetsAfter = node.int("linear_before_reset", default: 0) != 0
        lengths = try node.constant(4, "sequence lengths")?.integers
    }

    var mixesPlaces: Bool { true }
    var saturates: Bool { true }

    /// Steps and sequences of an input.
    private func extents(_ shape: [Int]) -> (steps: Int, sequences: Int) {
        sequencesAreFirst ? (shape[1], shape[0]) : (shape[0], shape[1])
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        guard let shape = inputs.first??.shape, shape.count == 3, shape[2] == self.inputs else {
            throw Refusal(
                "has weights for sequences of \(self.inputs) channels, but gets a tensor of shape \(inputs.first??.shape ?? [])")
        }
        let (steps, sequences) = extents(shape)
        if let lengths, lengths.contains(where: { $0 != steps }) {
            throw Refusal("ends its sequences after \(lengths) of \(steps) steps; neurodex reads sequences of full length")
        }
        for direction in directions {
            for state in [direction.initialHidden, direction.initialCell].compactMap({ $0 })
            where state.count != sequences * hidden {
                throw Refusal(
                    "begins with a state of \(state.count) numbers in each direction; \(sequences) sequences have \(sequences * hidden)"
                )
            }
        }
        let count = directions.count
        let last = sequencesAreFirst ? [sequences, count, hidden] : [count, sequences, hidden]
        return [
            sequencesAreFirst ? [sequences, steps, count, hidden] : [steps, count, sequences, hidden], last,
        ] + (cell == NDX_CELL_LSTM ? [last] : [])
    }

    /// A step's neurons are its hidden values; steps are places.
    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? {
        shape.count == 4 && !sequencesAreFirst && shape[0] > 1 ? .standard : nil
    }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        guard output.index == 0, let known = inputs.first?.places, known.axes.count == 3, known.tokens.isEmpty else { return nil }
        func channels(_ extent: Int) -> [Places.Part] { [.init(origin: .channels, step: 1, extent: extent)] }
        let (both, own) = (channels(directions.count), channels(hidden))
        return Places(axes: [known.axes[0]] + (sequencesAreFirst ? [known.axes[1], both, own] : [both, known.axes[1], own]))
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: .rowMajor)
        let traces = try run(source, into: &program)
        let results = try Results(self, node, source.shape) { program.allocate($0, in: .rowMajor) }
        for (number, trace) in traces.enumerated() {
            let reads = [trace.hidden, trace.extra]
            program.emit(reads: reads, writes: results.locations) { [batch = program.batch] memory in
                { results.write(from: memory[trace.hidden], cells: memory[trace.extra], direction: number, memory, batch: batch) }
            }
        }
    }

    /// What a direction has computed: gates [rows, gates · hidden], hidden values and cells [rows, hidden] of one image.
    private struct Trace { var gates, hidden, extra: Location }

    /// Emits the steps of all directions.
    private func run(_ source: Location, into program: inout ProgramBuilder) throws -> [Trace] {
        let (steps, sequences) = extents(source.shape)
        guard program.batch == 1 || sequencesAreFirst || steps == 1 else { throw Refusal("moves the batch axis") }
        let rows = steps * sequences
        return directions.map { direction in
            let width = direction.weights.shape[0]
            let trace = Trace(
                gates: program.temporary([1, rows, width]), hidden: program.temporary([1, rows, hidden]),
                extra: program.temporary([1, rows, hidden]))
            let matrix = PackedMatrix(direction.weights, bias: direction.bias)
            program.keepsNaN = program.keepsNaN || !matrix.holdsModerateNumbers
            matrix.emit(from: source, to: trace.gates, into: &program)
            let layer = PackedRecurrence(self, direction, steps: steps, sequences: sequences, goesBack: false)
            program.emit(reads: [trace.gates], writes: [trace.gates, trace.hidden, trace.extra], scratch: layer.scratch) {
                [batch = program.batch] memory in
                let (gates, hidden, extra) = (memory[trace.gates], memory[trace.hidden], memory[trace.extra])
                let scratch = memory.scratch.assumingMemoryBound(to: Float.self)
                return {
                    for image in 0..<batch {
                        layer.run(
                            gates: gates + image * trace.gates.count, hidden: hidden + image * trace.hidden.count,
                            extra: extra + image * trace.extra.count, scratch)
                    }
                }
            }
            return trace
        }
    }

    /// The way forward again, for its gates, and then all steps from the last to the first.
    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let source = try program.location(node.inputs[0], in: .rowMajor)
        let traces = try run(source, into: &program.forward)
        var gradients: [Location?] = []
        for output in node.outputs.indices {
            gradients.append(
                program.hasGradient(node, output: output) ? try program.incoming(node, output: output, in: .rowMajor) : nil)
        }
        let results = Results(self, source.shape, gradients)
        try program.contribute(to: node.inputs[0], in: .rowMajor) { program, target in
            for (number, trace) in traces.enumerated() {
                let part = number == 0 ? target : program.temporary(target.shape, in: .rowMajor)
                goBack(trace, results, direction: number, to: part, into: &program)
                if number > 0 { program.add(part, to: target) }
            }
        }
    }

    private func goBack(
        _ trace: Trace, _ results: Results, direction number: Int, to target: Location, into program: inout BackwardBuilder
    ) {
        let (steps, sequences) = extents(target.shape)
        let (own, slopes) = (program.temporary(trace.hidden.shape), program.temporary(trace.gates.shape))
        let cells = program.temporary([1, sequences * hidden])
        let layer = PackedRecurrence(self, directions[number], steps: steps, sequences: sequences, goesBack: true)
        let reads = results.locations + [trace.gates, trace.hidden, trace.extra]
        program.forward.emit(reads: reads, writes: [own, cells, slopes], scratch: layer.scratch) {
            [batch = program.batch] memory in
            let (gates, hidden, extra) = (memory[trace.gates], memory[trace.hidden], memory[trace.extra])
            let (from, cellFrom, slope) = (memory[own], memory[cells], memory[slopes])
            let scratch = memory.scratch.assumingMemoryBound(to: Float.self)
            return {
                results.read(to: from, cells: cellFrom, direction: number, memory, batch: batch)
                for image in 0..<batch {
                    let start = image * trace.hidden.count
                    layer.runBack(
                        gates: gates + image * trace.gates.count, hidden: hidden + start, extra: extra + start,
                        from: from + start, cellFrom: cellFrom + image * cells.count,
                        slopes: slope + image * slopes.count, scratch)
                }
            }
        }
        let transposed = directions[number].weights.transposed([1, 0])
        let zeros = [Float](repeating: 0, count: inputs)
        PackedMatrix(transposed, bias: zeros).emit(from: slopes, to: target, into: &program.forward)
    }

    /// Where hidden values and cells stand in the outputs: all of them, the last of each sequence, the last cell of each.
    private struct Results: Sendable {
        private let all: Location?
        private let last: Location?
        private let lastCell: Location?
        private let layer: Recurrent
        private let (steps, sequences): (Int, Int)

        init(_ layer: Recurrent, _ shape: [Int], _ outputs: [Location?]) {
            (steps, sequences) = layer.extents(shape)
            self.layer = layer
            func output(_ index: Int) -> Location? { outputs.indices.contains(index) ? outputs[index] : nil }
            (all, last, lastCell) = (output(0), output(1), output(2))
        }

        init(_ layer: Recurrent, _ node: Graph.Node, _ shape: [Int], _ allocate: (Graph.ValueID) -> Location) throws {
            self.init(layer, shape, node.outputs.map { allocate($0) })
        }

        var locations: [Location] { [all, last, lastCell].compactMap { $0 } }

        /// Calls `copy` with every row's place in the trace (in rows) and in an output (in elements).
        private func eachRow(_ direction: Int, _ copy: (_ row: Int, _ place: Int) -> Void) {
            let (width, count) = (layer.hidden, layer.directions.count)
            for step in 0..<steps {
                for sequence in 0..<sequences {
                    if layer.sequencesAreFirst {
                        let row = sequence * steps + step
                        copy(row, (row * count + direction) * width)
                    } else {
                        copy(step * sequences + sequence, ((step * count + direction) * sequences + sequence) * width)
                    }
                }
            }
        }

        /// The same of the step that is computed last.
        private func eachLastRow(_ direction: Int, _ copy: (_ row: Int, _ sequence: Int, _ place: Int) -> Void) {
            let (width, count) = (layer.hidden, layer.directions.count)
            let step = layer.directions[direction].isReversed ? 0 : steps - 1
            for sequence in 0..<sequences {
                let row = layer.sequencesAreFirst ? sequence * steps + step : step * sequences + sequence
                let place = layer.sequencesAreFirst ? sequence * count + direction : direction * sequences + sequence
                copy(row, sequence, place * width)
            }
        }

        func write(
            from hidden: UnsafePointer<Float>, cells: UnsafePointer<Float>, direction: Int, _ memory: WorkerMemory, batch: Int
        ) {
            let width = layer.hidden
            for image in 0..<batch {
                let start = image * steps * sequences * width
                if let all {
                    let to = memory[all] + image * all.count
                    eachRow(direction) { row, place in
                        (to + place).update(from: hidden + start + row * width, count: width)
                    }
                }
                for (location, values) in [(last, hidden), (lastCell, cells)] {
                    guard let location else { continue }
                    let to = memory[location] + image * location.count
                    eachLastRow(direction) { row, _, place in
                        (to + place).update(from: values + start + row * width, count: width)
                    }
                }
            }
        }

        /// The gradients of the outputs as those of the hidden values of all rows and of the last cells.
        func read(
            to hidden: UnsafeMutablePointer<Float>, cells: UnsafeMutablePointer<Float>, direction: Int, _ memory: WorkerMemory,
            batch: Int
        ) {
            let width = layer.hidden
            hidden.update(repeating: 0, count: batch * steps * sequences * width)
            cells.update(repeating: 0, count: batch * sequences * width)
            for image in 0..<batch {
                let start = hidden + image * steps * sequences * width
                if let all {
                    let from = memory[all] + image * all.count
                    eachRow(direction) { row, place in (start + row * width).update(from: from + place, count: width) }
                }
                if let last {
                    let from = memory[last] + image * last.count
                    eachLastRow(direction) { row, _, place in ndx_add(from + place, start + row * width, width) }
                }
                if let lastCell {
                    let from = memory[lastCell] + image * lastCell.count
                    eachLastRow(direction) { _, sequence, place in
                        (cells + (image * sequences + sequence) * width).update(from: from + place, count: width)
                    }
                }
            }
        }
    }
}
