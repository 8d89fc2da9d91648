import Foundation

/// What a node is written out as, in nodes that neurodex has: convolutions along one axis, operators that an optimiser has fused, integers' arithmetic.
///
/// Its layers keep the node's name.
struct Expansion {
    /// The node that is written out.
    let node: ONNXNodeProto
    /// Its inputs, as they are known; nil for what is left out.
    let inputs: [Operand?]
    let reader: NodeReader
    private(set) var nodes: [ONNXNodeProto] = []
    private(set) var constants: [(name: String, tensor: HostTensor)] = []
    private var count = 0

    typealias Rule = @Sendable (inout Expansion) throws -> Void

    /// By name, with the domain before it where that is not ONNX's own.
    private static let rules: [String: Rule] = [fusedRules, integerRules, normRules].reduce(into: [:]) {
        $0.merge($1) { first, _ in first }
    }

    /// The ONNX names of operators that exist only so.
    static var names: [String] { rules.keys.sorted() }

    static func name(of node: ONNXNodeProto) -> String {
        ["", "ai.onnx"].contains(node.domain) ? node.opType : "\(node.domain).\(node.opType)"
    }

    static func knows(_ node: ONNXNodeProto) -> Bool { rules[name(of: node)] != nil }

    /// Nil for a node that is read as it stands.
    /// - Parameter reader: made only for a node that is written out.
    /// - Throws: `Refusal` for a form that is not read.
    init?(_ node: ONNXNodeProto, inputs: [Operand?], reader: @autoclosure () -> NodeReader) throws {
        let rule = Self.rules[Self.name(of: node)] ?? OneAxis.rule(node, inputs) ?? FlatAxis.rule(node, inputs)
        guard let rule else { return nil }
        (self.node, self.inputs, self.reader) = (node, inputs, reader())
        try rule(&self)
    }

    /// The name of an input; empty where it is left out.
    func input(_ index: Int) -> String { index < node.input.count ? node.input[index] : "" }

    func has(_ index: Int) -> Bool { !input(index).isEmpty }

    /// An input that the operator cannot do without.
    /// - Throws: `Refusal` where it is not there.
    func operand(_ index: Int) throws -> Operand {
        guard inputs.indices.contains(index), let input = inputs[index] else { throw Refusal("has no input \(index)") }
        return input
    }

    /// Adds a node of one output, whose name it gives back.
    /// - Parameters:
    ///   - output: of the node that is written out, its number; nil for one between.
    ///   - name: of one between; nil for any.
    @discardableResult
    mutating func add(
        _ type: String, _ inputs: [String], _ attributes: [ONNXAttributeProto] = [], output: Int? = nil, as name: String? = nil
    ) -> String {
        var new = ONNXNodeProto()
        (new.opType, new.name, new.input, new.attribute) = (type, node.name, inputs, attributes)
        new.metadataProps = node.metadataProps
        let known = name ?? output.flatMap { $0 < node.output.count ? node.output[$0] : nil } ?? ""
        new.output = [known.isEmpty ? between() : known]
        nodes.append(new)
        return new.output[0]
    }

    /// Adds a node of several outputs.
    mutating func addSplit(_ input: String, axis: Int, sizes: [Int]) -> [String] {
        var new = ONNXNodeProto()
        (new.opType, new.name) = ("Split", node.name)
        new.input = [input, constant(sizes)]
        new.attribute = [.int("axis", axis)]
        new.output = sizes.map { _ in between() }
        nodes.append(new)
        return new.output
    }

    mutating func constant(_ tensor: HostTensor) -> String {
        let name = between()
        constants.append((name, tensor))
        return name
    }

    mutating func constant(_ value: Float) -> String { constant(HostTensor([value], shape: [])) }
    mutating func constant(_ values: [Int]) -> String { constant(HostTensor(values, shape: [values.count])) }

    mutating func reshape(_ input: String, to shape: [Int], output: Int? = nil) -> String {
        let target = constant(shape)
        return add("Reshape", [input, target], output: output)
    }

    mutating func transpose(_ input: String, _ axes: [Int], output: Int? = nil) -> String {
        add("Transpose", [input], [.ints("perm", axes)], output: output)
    }

    /// Nodes that are there already.
    mutating func append(_ nodes: [ONNXNodeProto]) { self.nodes += nodes }

    private mutating func between() -> String {
        count += 1
        return "\(node.output.first { !$0.isEmpty } ?? node.name), part \(count)"
    }
}

extension ONNXAttributeProto {
    private static func named(_ name: String) -> ONNXAttributeProto {
        var attribute = ONNXAttributeProto()
        attribute.name = name
        return attribute
    }
    static func int(_ name: String, _ value: Int) -> ONNXAttributeProto {
        var attribute = named(name)
        attribute.i = Int64(value)
        return attribute
    }
    static func ints(_ name: String, _ values: [Int]) -> ONNXAttributeProto {
        var attribute = named(name)
        attribute.ints = values.map { Int64($0) }
        return attribute
    }
    static func float(_ name: String, _ value: Float) -> ONNXAttributeProto {
        var attribute = named(name)
        attribute.f = value
        return attribute
    }
    static func string(_ name: String, _ value: String) -> ONNXAttributeProto {
        var attribute = named(name)
        attribute.s = Data(value.utf8)
        return attribute
    }
}
