public import Foundation
import Support

/// An ONNX file in which some neurons are switched off for good: the weights that make them are zero, and nothing else is changed.
///
/// A neuron is silenced where its weights are: back from the layer through activations that keep zero, poolings and changes of shape to
/// the batch normalisation, convolution or fully connected layer that makes it. What else reads a value on that way is refused, as it would
/// change too.
///
/// ```swift
/// let silenced = try SilencedNetwork(ofModelAt: "petshop-hans.onnx", neurons: [.init(layer: layer, channel: 38)])
/// try silenced.bytes.write(to: URL(fileURLWithPath: "pruned.onnx"))
/// ```
public struct SilencedNetwork: Sendable {
    public struct Neuron: Equatable, Sendable {
        public var layer: Layer
        public var channel: Int

        public init(layer: Layer, channel: Int) { (self.layer, self.channel) = (layer, channel) }
    }

    /// The file's.
    public let bytes: Data

    /// - Parameter output: of the file; nil for its first.
    /// - Throws: `NetworkError.node` for a neuron that no weights alone make, with what stands in the way; `NetworkError` where the file cannot be read.
    public init(
        ofModelAt path: String, output: String? = nil, inputSize: (height: Int, width: Int)? = nil,
        inputs: [GivenInput] = [], neurons: [Neuron]
    ) throws {
        let file = try ModelFile(path: path)
        let graph = try Importer.graph(
            of: file, answer: AnswerReading(output: output), inputSize: inputSize, inputs: inputs, leavesWeightsInFile: true)
        let shapes = Dictionary(graph.values.map { ($0.name, $0.shape) }) { first, _ in first }
        bytes = try ONNXModelProto.rewriting(path) { proto in
            var way = WayToWeights(graph: proto, tensors: file.tensors, shapes: shapes.compactMapValues { $0 })
            for (layer, neurons) in Dictionary(grouping: neurons, by: \.layer.name).sorted(by: { $0.key < $1.key }) {
                let tensor = neurons[0].layer.tensor
                guard way.maker(of: tensor) != nil else {
                    throw NetworkError.graph(
                        problem: "no node of the file makes layer \(layer) ('\(tensor)'), so it has no weights to silence")
                }
                try way.silence(Set(neurons.map(\.channel)), of: tensor)
            }
            proto = way.graph
        }
    }
}

/// The way from a value of a file back to the weights that make its channels.
private struct WayToWeights {
    var graph: ONNXGraphProto
    let tensors: TensorReader
    let shapes: [String: [Int]]

    /// Functions of one element that are zero at zero, and what moves or pools elements without joining channels.
    private static let keepingZero: Set = [
        "Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "HardSwish", "Gelu", "Tanh", "Mish", "Softsign",
        "Erf", "Abs", "Neg", "Identity", "Dropout", "Cast", "MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool",
        "LpPool", "GlobalLpPool",
    ]
    private static let reshaping: Set = ["Flatten", "Reshape", "Squeeze", "Unsqueeze"]

    func maker(of name: String) -> Int? { graph.node.firstIndex { $0.output.contains(name) } }

    /// Makes channels of a value zero.
    mutating func silence(_ channels: Set<Int>, of name: String) throws {
        guard let index = maker(of: name) else {
            throw NetworkError.graph(problem: "no node makes '\(name)', so it has no weights to silence")
        }
        let node = graph.node[index]
        switch node.opType {
        case "Conv": try zero(channels, of: index, weights: 1, axis: 0, bias: 2)
        case "ConvTranspose" where node.integer("group") ?? 1 == 1: try zero(channels, of: index, weights: 1, axis: 1, bias: 2)
        case "Gemm": try zero(channels, of: index, weights: 1, axis: node.integer("transB") ?? 0 != 0 ? 0 : 1, bias: 2)
        case "MatMul": try zero(channels, of: index, weights: 1, axis: 1, bias: nil)
        case "BatchNormalization":
            try zero(channels, of: index, input: 1, axis: 0)
            try zero(channels, of: index, input: 2, axis: 0)
        case "Concat": try silenceParts(channels, of: index)
        case "Add", "Sub", "Mul", "Div": try silenceOperands(channels, of: index)
        case "Clip":
            let limits = try (1...2).map { try limit(node, $0) }
            guard limits[0] ?? 0 <= 0, limits[1] ?? 0 >= 0 else {
                throw refusal(index, "leaves no zero between its limits, so that no weights make the neuron zero")
            }
            try goOn(channels, through: index, input: 0)
        case let type where Self.keepingZero.contains(type): try goOn(channels, through: index, input: 0)
        case let type where Self.reshaping.contains(type):
            guard let from = shapes[node.input[0]], let to = shapes[name], from.filter({ $0 != 1 }) == to.filter({ $0 != 1 })
            else { throw refusal(index, "moves places into channels, so the neuron has no weights of its own") }
            try goOn(channels, through: index, input: 0)
        default: throw refusal(index, "makes the neuron, and has no weights that are the neuron's alone")
        }
    }

    /// Silences what a node reads; refused where others read it as well.
    private mutating func goOn(_ channels: Set<Int>, through index: Int, input: Int) throws {
        let name = graph.node[index].input[input]
        try refuseOtherReaders(of: name, than: [index])
        try silence(channels, of: name)
    }

    private func refuseOtherReaders(of name: String, than known: Set<Int>) throws {
        if graph.output.contains(where: { $0.name == name }) {
            throw NetworkError.graph(problem: "'\(name)' is an output of the file, and would change with the neuron")
        }
        guard let other = graph.node.indices.first(where: { !known.contains($0) && graph.node[$0].input.contains(name) }) else {
            return
        }
        throw refusal(other, "also reads '\(name)', which the neuron is made of, and would change with it")
    }

    private mutating func silenceParts(_ channels: Set<Int>, of index: Int) throws {
        let node = graph.node[index]
        let rank = shapes[node.output[0]]?.count ?? 4
        guard let axis = node.integer("axis"), axis == 1 || axis + rank == 1 else {
            throw refusal(index, "joins places, not channels, so the neuron has no weights of its own")
        }
        var first = 0
        for (input, name) in node.input.enumerated() {
            guard let count = shapes[name]?[1] else { throw refusal(index, "joins '\(name)', whose channels are not known") }
            let own = Set(channels.filter { (first..<first + count).contains($0) }.map { $0 - first })
            if !own.isEmpty { try goOn(own, through: index, input: input) }
            first += count
        }
    }

    /// A sum or product with a constant, or a product of a value with a function of itself, as SiLU is written.
    private mutating func silenceOperands(_ channels: Set<Int>, of index: Int) throws {
        let node = graph.node[index]
        let constants = node.input.indices.filter { graph.constant(named: node.input[$0]) != nil }
        if let constant = constants.first, let other = node.input.indices.first(where: { $0 != constant }), constants.count == 1 {
            switch node.opType {
            case "Mul",
                "Div" where constant == 1:
                return try goOn(channels, through: index, input: other)
            case "Add", "Sub":
                try zeroAdded(channels, of: index, input: constant)
                return try goOn(channels, through: index, input: other)
            default: break
            }
        }
        for (input, gate) in [(0, 1), (1, 0)] where node.opType == "Mul" && node.input.count == 2 {
            guard let function = maker(of: node.input[gate]), graph.node[function].input.first == node.input[input],
                ["Sigmoid", "HardSigmoid", "Tanh"].contains(graph.node[function].opType)
            else { continue }
            try refuseOtherReaders(of: node.input[input], than: [index, function])
            return try silence(channels, of: node.input[input])
        }
        throw refusal(index, "makes the neuron of several maps, so that it has no weights that are its own alone")
    }

    // MARK: Weights

    private mutating func zero(_ channels: Set<Int>, of index: Int, weights: Int, axis: Int, bias: Int?) throws {
        try zero(channels, of: index, input: weights, axis: axis)
        guard let bias, graph.node[index].input.count > bias, !graph.node[index].input[bias].isEmpty else { return }
        try zeroAdded(channels, of: index, input: bias)
    }

    /// A constant that is added, one number a channel, whatever axes of extent 1 it has.
    private mutating func zeroAdded(_ channels: Set<Int>, of index: Int, input: Int) throws {
        let name = graph.node[index].input[input]
        guard let place = graph.constant(named: name) else {
            throw refusal(index, "adds '\(name)', which is computed and not kept in the file")
        }
        let shape = graph[place].dims.map { Int($0) }
        let wide = shape.indices.filter { shape[$0] != 1 }
        let count = shapes[graph.node[index].output[0]]?.dropFirst().first
        guard wide.count <= 1, shape.reduce(1, *) == count else {
            throw refusal(index, "adds '\(name)' of shape \(shape), which is not one number for each neuron")
        }
        try zero(channels, of: index, input: input, axis: wide.first ?? max(0, shape.count - 1))
    }

    /// Makes zero all elements of a constant whose place along an axis is one of the channels.
    private mutating func zero(_ channels: Set<Int>, of index: Int, input: Int, axis: Int) throws {
        let name = graph.node[index].input[input]
        guard let place = graph.ownConstant(of: index, input: input) else {
            throw refusal(index, "has weights that are computed ('\(name)'), not kept in the file as they are")
        }
        var tensor = graph[place]
        let shape = tensor.dims.map { Int($0) }
        guard shape.indices.contains(axis), let last = channels.max(), last < shape[axis] else {
            throw refusal(index, "has weights of shape \(shape), which do not hold the neuron")
        }
        try tensors.bringIn(&tensor)
        let inner = shape[(axis + 1)...].reduce(1, *)
        let places = (0..<shape[..<axis].reduce(1, *)).flatMap { outer in
            channels.map { channel in
                let start = (outer * shape[axis] + channel) * inner
                return start..<start + inner
            }
        }
        try tensors.zero(places, of: &tensor)
        graph[place] = tensor
    }

    // MARK: What nodes say

    /// The lower or upper limit of a `Clip`: an input, or in old files an attribute.
    private func limit(_ node: ONNXNodeProto, _ input: Int) throws -> Float? {
        guard node.input.count > input, !node.input[input].isEmpty else {
            return node.number(input == 1 ? "min" : "max")
        }
        return try graph.constant(named: node.input[input]).map { try tensors.read(graph[$0]).floats.first ?? 0 }
    }

    private func refusal(_ index: Int, _ problem: String) -> NetworkError { graph.refusal(of: index, problem) }
}

extension TensorReader {
    /// Brings the bytes of a tensor that are kept in a file beside the model into it.
    fileprivate func bringIn(_ proto: inout ONNXTensorProto) throws {
        guard proto.dataLocation == 1 else { return }
        proto.rawData = try externalBytes(of: proto)
        proto.externalData = []
        proto.dataLocation = 0
    }

    /// Makes elements zero, in whichever of the format's ways they are kept.
    fileprivate func zero(_ places: [Range<Int>], of proto: inout ONNXTensorProto) throws {
        if !proto.floatData.isEmpty {
            for index in places.joined() { proto.floatData[index] = 0 }
        } else if !proto.doubleData.isEmpty {
            for index in places.joined() { proto.doubleData[index] = 0 }
        } else if !proto.int32Data.isEmpty {
            for index in places.joined() { proto.int32Data[index] = 0 }
        } else {
            let width = try type(of: proto).width
            var bytes = [UInt8](proto.rawData.data)
            for range in places {
                for byte in range.lowerBound * width..<range.upperBound * width { bytes[byte] = 0 }
            }
            proto.rawData = FileBytes(Data(bytes))
        }
    }
}
