/// A node of an ONNX file while its operator reads it: attributes with their types and defaults checked.
struct NodeReader {
    let operatorType: String
    let opset: Int
    let outputCount: Int
    /// Whether the file itself takes one image, so that what picks the first of a batch takes it all.
    let takesOneImage: Bool
    private let attributes: [String: ONNXAttributeProto]
    private let inputs: [Operand?]
    private let tensors: TensorReader

    init(_ proto: ONNXNodeProto, opset: Int, inputs: [Operand?], tensors: TensorReader, takesOneImage: Bool) {
        operatorType = proto.opType
        self.opset = opset
        outputCount = proto.output.count { !$0.isEmpty }
        attributes = Dictionary(proto.attribute.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.inputs = inputs
        self.tensors = tensors
        self.takesOneImage = takesOneImage
    }

    func has(_ name: String) -> Bool { attributes[name] != nil }
    func int(_ name: String, default value: Int) -> Int { attributes[name].map { Int($0.i) } ?? value }
    func ints(_ name: String) -> [Int]? { attributes[name].map { $0.ints.map { Int($0) } } }
    func float(_ name: String, default value: Float) -> Float { attributes[name]?.f ?? value }
    func floats(_ name: String) -> [Float]? { attributes[name]?.floats }
    func string(_ name: String, default value: String) -> String {
        attributes[name].map { String(decoding: $0.s, as: UTF8.self) } ?? value
    }
    func strings(_ name: String) -> [String]? { attributes[name].map { $0.strings.map { String(decoding: $0, as: UTF8.self) } } }
    func tensor(_ name: String) throws -> HostTensor? {
        try attributes[name]?.$t.map { try tensors.read($0) }
    }

    func tensorType(_ name: String) throws -> ElementType? {
        try attributes[name]?.$t.map { try tensors.type(of: $0) }
    }
    var attributeNames: [String] { attributes.keys.sorted() }

    /// An input that must be known before any image is seen; nil where it is left out.
    func constant(_ index: Int, _ role: String) throws -> HostTensor? {
        guard index < inputs.count, let input = inputs[index] else { return nil }
        guard let constant = input.constant else {
            throw Refusal(
                "its \(role) ('\(input.name)') must be a constant, but depends on the image; what stands before can be read: name a tensor of the file with --output"
            )
        }
        return constant
    }

    /// As `constant`, where the operator cannot do without.
    func requiredConstant(_ index: Int, _ role: String) throws -> HostTensor {
        guard let constant = try constant(index, role) else { throw Refusal("its \(role) (input \(index)) is missing") }
        return constant
    }

    /// Integers that newer operator sets take as an input and older ones as an attribute.
    func integers(input index: Int, attribute name: String) throws -> [Int]? {
        if let listed = ints(name) { return listed }
        guard let tensor = try constant(index, name) else { return nil }
        guard let integers = tensor.integers else { throw Refusal("its \(name) are not integers") }
        return integers
    }

    func input(_ index: Int) -> Operand? { index < inputs.count ? inputs[index] : nil }
    var inputCount: Int { inputs.count }
}
