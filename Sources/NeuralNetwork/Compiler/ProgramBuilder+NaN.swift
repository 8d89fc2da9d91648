import CKernels
import COneDNN

/// What is no number (NaN) stays none, as in PyTorch and ONNX Runtime: a broken weight must not become a 0 behind a ReLU.
///
/// The fast kernels take a maximum as the processor does, which answers with the number where one of two is none. So a program follows what
/// may hold NaN: what broken or enormous constants touch, what roots, logarithms, powers and divisions give, and all that is computed of it. There,
/// and nowhere else, slower steps are emitted that keep it.
extension ProgramBuilder {
    /// Whether what a node gives may be no number, from what it reads and does.
    func mayGiveNaN(_ node: Graph.Node, _ graph: Graph) -> Bool {
        node.inputs.contains { $0.map(notNumbers.contains) ?? false }
            || node.operation.mayMakeNaN(node.inputs.map { $0.map { graph.operand($0) } }) && !isHarmless(node, graph)
    }

    /// Looks whether the constants that an operator computes with are numbers.
    mutating func examine(_ constants: [Float]...) {
        keepsNaN = keepsNaN || !constants.allSatisfy { ndx_are_moderate($0, $0.count) != 0 }
    }

    /// Emits a function of one element; NaN stays NaN where there may be one.
    mutating func activate(_ activation: Activation, from source: Location, to destination: Location) throws {
        let kernel = try Kernel { nd_elementwise(source.map, destination.map, activation.native) }
        emit(kernel, reads: [source], writes: [destination])
        if keepsNaN { keepNaN(of: source, in: destination) }
    }

    /// Emits what puts NaN back where a step from `source` to `target`, of the same shape and order, hid it.
    mutating func keepNaN(of source: Location, in target: Location) {
        let count = target.count * batch
        emit(reads: [source, target], writes: [target]) { memory in
            let (from, to) = (memory[source], memory[target])
            return { Team.split(count) { ndx_keep_nan(from + $0.lowerBound, to + $0.lowerBound, $0.count) } }
        }
    }

    /// As `keepNaN`, for a step that computes with all channels of a place at once.
    mutating func keepNaNRows(of source: Location, in target: Location) {
        let width = Int(target.map.channels)
        let rows = target.count * batch / width
        emit(reads: [source, target], writes: [target]) { memory in
            let (from, to) = (memory[source], memory[target])
            return { ndx_keep_nan_rows(from, to, rows, width) }
        }
    }
}
