import Foundation
public import NeuralNetwork

/// Writes small ONNX models for tests.
///
/// ```swift
/// var model = ModelBuilder(input: [1, 3, 8, 8])
/// let weight = model.weight("conv.weight", [4, 3, 3, 3], values)
/// let answer = model.node("Conv", ["image", weight], ["pads": [1, 1, 1, 1]])
/// let network = try model.network(output: answer)
/// ```
public struct ModelBuilder: Sendable {
    public enum Attribute: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
        ExpressibleByArrayLiteral, Sendable
    {
        case int(Int)
        case ints([Int])
        case float(Float)
        case floats([Float])
        case string(String)
        case strings([String])
        case tensor(ProtoMessage)
        case graph(ProtoMessage)

        public init(integerLiteral value: Int) { self = .int(value) }
        public init(floatLiteral value: Float) { self = .float(value) }
        public init(stringLiteral value: String) { self = .string(value) }
        public init(arrayLiteral values: Int...) { self = .ints(values) }
    }

    /// Shared by all copies, so that a model and a node added to it can be said in one expression.
    private final class Storage: @unchecked Sendable {  // A test builds a model on one thread.
        var graph = ProtoMessage()
        var count = 0
    }

    public var opset: Int
    private let storage = Storage()

    /// What comes before the nodes and after; public so that a test can do what no good model does.
    public var graph: ProtoMessage {
        get { storage.graph }
        set { storage.graph = newValue }
    }

    private var count: Int {
        get { storage.count }
        set { storage.count = newValue }
    }

    /// - Parameters:
    ///   - input: the shape of the input; nil for an open extent.
    ///   - type: its ONNX element type: 1 is float32, 2 uint8.
    ///   - name: of the input.
    public init(opset: Int = 17, input: [Int?] = [1, 3, 8, 8], type: Int = 1, name: String = "image") {
        self.opset = opset
        graph.add(11, Self.valueInfo(name, input, type: type))
    }

    public static func valueInfo(_ name: String, _ shape: [Int?], type elementType: Int = 1) -> ProtoMessage {
        var (dims, tensor, type, info) = (ProtoMessage(), ProtoMessage(), ProtoMessage(), ProtoMessage())
        for extent in shape {
            var dim = ProtoMessage()
            if let extent { dim.add(1, extent) } else { dim.add(2, "N") }
            dims.add(1, dim)
        }
        tensor.add(1, elementType)
        tensor.add(2, dims)
        type.add(1, tensor)
        info.add(1, name)
        info.add(2, type)
        return info
    }

    /// A TensorProto; `type` 1 is float32, 7 int64, 10 float16, 11 float64, 16 bfloat16.
    public static func tensor(_ name: String, _ shape: [Int], type: Int, raw: [UInt8]) -> ProtoMessage {
        var tensor = ProtoMessage()
        for extent in shape { tensor.add(1, extent) }
        tensor.add(2, type)
        tensor.add(8, name)
        tensor.add(9, bytes: raw)
        return tensor
    }

    /// Adds float weights and gives their name back.
    public mutating func weight(_ name: String, _ shape: [Int], _ values: [Float]) -> String {
        graph.add(5, Self.tensor(name, shape, type: 1, raw: ProtoMessage.littleEndian(values)))
        return name
    }

    /// Adds integers, as one axis unless `shape` says otherwise, and gives their name back.
    public mutating func integers(_ values: [Int], shape: [Int]? = nil) -> String {
        count += 1
        let name = "integers\(count)"
        graph.add(5, Self.tensor(name, shape ?? [values.count], type: 7, raw: ProtoMessage.littleEndian(values)))
        return name
    }

    /// Adds integers of a byte each, signed (int8) or not (uint8), and gives their name back.
    public mutating func bytes(_ values: [Int], shape: [Int], isSigned: Bool) -> String {
        count += 1
        let name = "bytes\(count)"
        let raw = values.map { UInt8(truncatingIfNeeded: $0) }
        graph.add(5, Self.tensor(name, shape, type: isSigned ? 3 : 2, raw: raw))
        return name
    }

    /// Adds a node and gives its first output back.
    @discardableResult
    public mutating func node(
        _ type: String, _ inputs: [String], _ attributes: [String: Attribute] = [:], name: String = "", outputs: [String]? = nil,
        domain: String = "", scopes: String? = nil
    ) -> String {
        count += 1
        let outputs = outputs ?? ["value\(count)"]
        var node = ProtoMessage()
        for input in inputs { node.add(1, input) }
        for output in outputs { node.add(2, output) }
        node.add(3, name)
        node.add(4, type)
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) { node.add(5, Self.attribute(name, value)) }
        if !domain.isEmpty { node.add(7, domain) }
        if let scopes {
            var entry = ProtoMessage()
            entry.add(1, "pkg.torch.onnx.name_scopes")
            entry.add(2, scopes)
            node.add(9, entry)
        }
        graph.add(1, node)
        return outputs[0]
    }

    private static func attribute(_ name: String, _ value: Attribute) -> ProtoMessage {
        var attribute = ProtoMessage()
        attribute.add(1, name)
        switch value {
        case .int(let value): attribute.add(3, value)
        case .ints(let values): for value in values { attribute.add(8, value) }
        case .float(let value): attribute.add(2, value)
        case .floats(let values): for value in values { attribute.add(7, value) }
        case .string(let text): attribute.add(4, text)
        case .strings(let texts): for text in texts { attribute.add(9, text) }
        case .tensor(let tensor): attribute.add(5, tensor)
        case .graph(let graph): attribute.add(6, graph)
        }
        return attribute
    }

    /// The file's bytes.
    public func bytes(outputs: [String]) -> [UInt8] {
        var (model, graph, version) = (ProtoMessage(), graph, ProtoMessage())
        for output in outputs { graph.add(12, Self.valueInfo(output, [])) }
        version.add(1, "")
        version.add(2, opset)
        model.add(1, 8)
        model.add(7, graph)
        model.add(8, version)
        return model.bytes
    }

    public func network(output: String, options: Network.Options = .init()) throws -> Network {
        try Network(bytes: bytes(outputs: [output]), options: options)
    }

    /// Whatever it answers counts as scores, unless `options` say otherwise.
    public func differentiableNetwork(output: String, options: Network.Options = .init()) throws -> DifferentiableNetwork {
        var options = options
        options.hasClasses = options.hasClasses ?? true
        let folder = try TemporaryFolder()
        let path = folder.file("model.onnx")
        try Data(bytes(outputs: [output])).write(to: URL(fileURLWithPath: path))
        defer { withExtendedLifetime(folder) {} }
        return try DifferentiableNetwork(contentsOf: path, options: options)
    }
}

extension Network {
    /// From the bytes of a file, through a file that is gone afterwards.
    public convenience init(bytes: [UInt8], options: Options = .init()) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("model.onnx")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { withExtendedLifetime(folder) {} }
        try self.init(contentsOf: path, options: options)
    }

    /// The network's answers to images in ONNX's own order (channels, height, width), run in batches as it is made for.
    public func answers(to images: [[Float]]) throws -> [[Float]] {
        try run(images) { worker, slot in worker.output(image: slot) }
    }

    /// Whatever `read` takes from the worker for every image.
    public func run<Result>(_ images: [[Float]], read: (Worker, Int) -> Result) throws -> [Result] {
        let worker = try makeWorker()
        var results: [Result] = []
        for start in stride(from: 0, to: images.count, by: batch) {
            let slots = 0..<min(batch, images.count - start)
            for slot in slots {
                let target = worker.input(image: slot)
                let pixels = input.height * input.width
                for index in target.indices {
                    target[index] = images[start + slot][index % input.channels * pixels + index / input.channels]
                }
            }
            try worker.run()
            results += slots.map { read(worker, $0) }
        }
        return results
    }
}
