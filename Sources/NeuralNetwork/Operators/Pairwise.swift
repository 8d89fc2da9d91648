import CKernels
import Foundation

/// `Pow` and `PRelu`: functions of two elements that oneDNN does not have, with broadcasting.
///
/// https://onnx.ai/onnx/operators/onnx__Pow.html; https://onnx.ai/onnx/operators/onnx__PRelu.html (He et al., "Delving Deep into
/// Rectifiers", 2015, https://arxiv.org/abs/1502.01852). PRelu goes back by the rule of rectifiers.
struct Pairwise: Operator {
    static let names = ["Pow", "PRelu"]

    private let isPower: Bool

    /// A rectifier, whose slope is one for each channel.
    var isActivation: Bool { !isPower }

    init(_ node: NodeReader) throws {
        isPower = node.operatorType == "Pow"
        guard node.inputCount == 2, node.input(1) != nil else { throw Refusal("has \(node.inputCount) inputs; it needs 2") }
    }

    /// A power that is one known number is a function of one element.
    static func make(_ node: NodeReader) throws -> any Operator {
        guard node.operatorType == "Pow", let power = node.input(1)?.constant, power.count == 1,
            power.shape.count <= node.input(0)?.shape.count ?? 0
        else { return try Pairwise(node) }
        return ElementFunction(power: power.floats[0])
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shapes = inputs.compactMap { $0?.shape }
        return [try Arithmetic.broadcast(shapes[0], shapes[1])]
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard isPower, let base = inputs[0], let exponent = inputs[1] else { return nil }
        let shape = try Arithmetic.broadcast(base.shape, exponent.shape)
        let (left, right) = (base.expanded(to: shape), exponent.expanded(to: shape))
        if case .int(let bases) = left.elements, case .int(let powers) = right.elements {
            let results = zip(bases, powers).map { Int(exactly: pow(Double($0), Double($1)).rounded(.towardZero)) }
            guard !results.contains(nil) else { throw Refusal("computes a shape that no integer holds") }
            return [HostTensor(results.compactMap { $0 }, shape: shape)]
        }
        return [HostTensor(zip(left.floats, right.floats).map { pow($0, $1) }, shape: shape)]
    }

    func mayMakeNaN(_ operands: [Operand?]) -> Bool {
        isPower || operands.contains { $0?.constant.map { !$0.holdsModerateNumbers } ?? false }
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        try program.emitPairs(of: node, isPower ? ndx_power : ndx_prelu)
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: nil)
        let operands = node.inputs.compactMap { $0 }
        let (left, right) = try (
            program.expanded(operands[0], to: gradient.shape, in: gradient.order),
            program.expanded(operands[1], to: gradient.shape, in: gradient.order)
        )
        let count = gradient.count * program.batch
        let (isPower, rule) = (isPower, program.rule)
        for (index, operand) in operands.enumerated() {
            try program.contribute(to: operand, in: gradient.order) { program, target in
                let full =
                    target.shape == gradient.shape ? target : program.temporary(gradient.shape, in: gradient.order)
                program.emit(reads: [left, right, gradient], writes: [full]) { memory in
                    let (left, right, from, to) = (memory[left], memory[right], memory[gradient], memory[full])
                    switch (isPower, index) {
                    case (true, 0): return { ndx_power_base_backward(left, right, from, to, count) }
                    case (true, _): return { ndx_power_exponent_backward(left, right, from, to, count) }
                    case (false, 0):
                        return {
                            ndx_prelu_backward(
                                left, right, from, to, count, rule.looksAtOutput ? 1 : 0, rule.looksAtSignal ? 1 : 0)
                        }
                    case (false, _): return { ndx_prelu_slope_backward(left, from, to, count) }
                    }
                }
                if full != target { program.sum(full, to: target) }
            }
        }
    }
}

extension ProgramBuilder {
    /// Emits what makes the elements of a node's output of those of its two inputs, each with the other's shape.
    /// - Parameter function: of both inputs' elements, for as many results.
    mutating func emitPairs(
        of node: Graph.Node,
        _ function: @escaping @Sendable (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    ) throws {
        let operands = node.inputs.compactMap { $0 }
        let destination = allocate(node.outputs[0], in: order(of: operands, under: node.outputs[0]))
        let (left, right) = try (
            expanded(operands[0], to: destination.shape, in: destination.order),
            expanded(operands[1], to: destination.shape, in: destination.order)
        )
        let count = destination.count * batch
        emit(reads: [left, right], writes: [destination]) { memory in
            let (left, right, to) = (memory[left], memory[right], memory[destination])
            return { function(left, right, to, count) }
        }
    }
}
