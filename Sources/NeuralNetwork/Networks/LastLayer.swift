public import Foundation
import Support

/// The last layer of an ONNX file, where it is linear in a vector of features and its weights are constants: score(c) = bias(c) + Σ_k
/// weight(c,k) feature(k). It can be written with other weights, while all else in the file stays as it is.
///
/// However it is written: `Gemm`, `MatMul` with or without an `Add`, or a `Conv` of 1×1 over one place; before or behind changes of shape,
/// and before a softmax or sigmoid.
///
/// ```swift
/// let last = try LastLayer(ofModelAt: "petshop.onnx")
/// try last.writing(weights: weights, bias: bias).write(to: URL(fileURLWithPath: "repaired.onnx"))
/// ```
public struct LastLayer: Sendable {
    /// Names of the values that hold the features: what the layer reads, and that before changes of shape.
    public let inputs: [String]
    public let classes: Int
    public let features: Int
    /// classes × features.
    public let weights: [Float]
    /// One a class; zeros where the file has none.
    public let bias: [Float]
    /// The SHA-256 of the file, as stores keep it.
    public let sha256: String
    private let path: String
    private let matrix: Matrix

    /// How the file has the weights.
    fileprivate struct Matrix {
        var node: Int
        var isTransposed: Bool
        /// Factors of the product and of the bias.
        var scale: Float = 1
        var biasScale: Float = 1
        var shape: [Int64]
        /// Names of the constants; of the bias nil where there is none.
        var weights: String
        var bias: (node: Int, input: Int)?
    }

    private static let reshaping: Set = ["Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Dropout", "Cast"]
    private static let probabilities: Set = ["Softmax", "LogSoftmax", "Sigmoid"]

    /// - Parameter output: of the file; nil for its first.
    /// - Throws: `NetworkError`, also where the file's answer is made by no such layer.
    public init(ofModelAt path: String, output: String? = nil) throws {
        let file = try ModelFile(path: path)
        let graph = file.proto.graph
        let constants = Dictionary(
            zip(graph.initializer.map(\.name), try file.initializers(leavingInFile: true)), uniquingKeysWith: { $1 })
        var makers: [String: Int] = [:]
        for (index, node) in graph.node.enumerated() { for name in node.output { makers[name] = index } }
        func behind(_ name: String, _ passed: Set<String>) -> [String] {
            guard let index = makers[name], passed.contains(graph.node[index].opType), let input = graph.node[index].input.first
            else { return [name] }
            return [name] + behind(input, passed)
        }
        let answer = output ?? graph.output.first?.name ?? ""
        let scores = behind(answer, Self.reshaping.union(Self.probabilities)).last ?? answer
        guard let index = makers[scores] else {
            throw NetworkError.notAModel(path: path, found: "no node makes '\(answer)'")
        }
        let matrix = try Matrix(index, graph, makers, constants)
        let tensor = constants[matrix.weights]
        let shape = matrix.shape.map(Int.init)
        (classes, features) = matrix.isTransposed ? (shape[1], shape[0]) : (shape[0], shape[1])
        let values = tensor?.floats ?? []
        let (rows, columns) = (classes, features)
        weights = (0..<rows * columns).map { place in
            let (row, column) = (place / columns, place % columns)
            return matrix.scale * values[matrix.isTransposed ? column * rows + row : place]
        }
        let kept = matrix.bias.flatMap { constants[graph.node[$0.node].input[$0.input]] }?.floats ?? []
        switch kept.count {
        case 0: bias = [Float](repeating: 0, count: rows)
        case 1: bias = [Float](repeating: kept[0] * matrix.biasScale, count: rows)
        case rows: bias = kept.map { $0 * matrix.biasScale }
        default: throw NetworkError.notAModel(path: path, found: "\(kept.count) numbers are added to \(rows) scores")
        }
        inputs = behind(graph.node[matrix.node].input[0], Self.reshaping)
        (self.path, self.matrix, sha256) = (path, matrix, file.sha256)
    }

    /// The bytes of the file with other weights in the last layer.
    ///
    /// - Parameters:
    ///   - weights: classes × features.
    ///   - bias: one a class.
    /// - Throws: `NetworkError` where the file cannot be read any more.
    public func writing(weights: [Float], bias: [Float]) throws -> Data {
        precondition(weights.count == classes * features && bias.count == classes, "weights that do not fit")
        let order = (0..<classes * features).map { place in
            let (outer, inner) = matrix.isTransposed ? (place % classes, place / classes) : (place / features, place % features)
            return weights[outer * features + inner] / matrix.scale
        }
        return try ONNXModelProto.rewriting(path) { graph in
            let name = graph.add(constant: order, matrix.shape, in: matrix.weights)
            graph.node[matrix.node].input[1] = name
            let kept = matrix.bias.map { graph.node[$0.node].input[$0.input] }
            let biasName = graph.add(
                constant: bias.map { $0 / matrix.biasScale }, [Int64(classes)], in: kept ?? matrix.weights + ".bias")
            if let place = matrix.bias {
                graph.node[place.node].input[place.input] = biasName
            } else {
                graph.addBias(biasName, to: matrix.node)
            }
            graph.removeUnread([matrix.weights] + (kept.map { [$0] } ?? []))
        }
    }
}

extension LastLayer.Matrix {
    /// - Parameter index: of the node that makes the scores.
    fileprivate init(
        _ index: Int, _ graph: ONNXGraphProto, _ makers: [String: Int], _ constants: [String: HostTensor]
    ) throws {
        func refusal(_ index: Int, _ problem: String) -> NetworkError { graph.refusal(of: index, problem) }
        func factor(_ node: ONNXNodeProto, _ name: String) -> Float { node.number(name) ?? 1 }
        func flag(_ node: ONNXNodeProto, _ name: String) -> Bool { node.integer(name) ?? 0 != 0 }
        var (place, bias) = (index, (node: Int, input: Int)?.none)
        let last = graph.node[index]
        if last.opType == "Add", last.input.count == 2, let input = last.input.firstIndex(where: { constants[$0] != nil }),
            let maker = makers[last.input[1 - input]]
        {
            (place, bias) = (maker, (index, input))
        }
        let node = graph.node[place]
        guard ["Gemm", "MatMul", "Conv"].contains(node.opType), node.input.count > 1 else {
            throw refusal(
                place, "makes the scores, and is no fully connected layer, so there is no last layer to train anew")
        }
        guard let tensor = constants[node.input[1]] else {
            throw refusal(place, "makes the scores of weights that are computed ('\(node.input[1])'), not kept in the file")
        }
        let shape = tensor.shape
        guard shape.count == (node.opType == "Conv" ? 4 : 2), shape.dropFirst(2).allSatisfy({ $0 == 1 }), !flag(node, "transA")
        else { throw refusal(place, "makes the scores with weights of shape \(shape), and is no fully connected layer") }
        if node.opType != "MatMul", bias == nil, node.input.count > 2, !node.input[2].isEmpty {
            guard constants[node.input[2]] != nil else {
                throw refusal(place, "has a bias that is computed, not kept in the file")
            }
            bias = (place, 2)
        }
        let isTransposed = node.opType == "MatMul" || node.opType == "Gemm" && !flag(node, "transB")
        let isGemm = node.opType == "Gemm"
        self.init(
            node: place, isTransposed: isTransposed, scale: isGemm ? factor(node, "alpha") : 1,
            biasScale: isGemm && bias?.node == place ? factor(node, "beta") : 1, shape: shape.map(Int64.init),
            weights: node.input[1], bias: bias)
    }
}

extension ONNXGraphProto {
    /// Keeps floats as an initializer: in place of one that a single node reads, else as a new one. Returns its name.
    fileprivate mutating func add(constant values: [Float], _ shape: [Int64], in name: String) -> String {
        let readers = node.reduce(0) { $0 + $1.input.count { $0 == name } }
        let known = Set(initializer.map(\.name))
        var chosen = name
        if known.contains(name), readers > 1 {
            chosen = name + ".repaired"
            while known.contains(chosen) { chosen += "_" }
        }
        var tensor = ONNXTensorProto()
        (tensor.name, tensor.dims, tensor.dataType) = (chosen, shape, 1)
        tensor.rawData = FileBytes(values.withUnsafeBytes { Data($0) })
        if let index = initializer.firstIndex(where: { $0.name == chosen }) {
            initializer[index] = tensor
        } else {
            initializer.append(tensor)
        }
        return chosen
    }

    /// Gives a node that has no bias one: `Gemm` and `Conv` as their third input, `MatMul` by an `Add` behind it.
    fileprivate mutating func addBias(_ name: String, to index: Int) {
        guard node[index].opType == "MatMul" else {
            node[index].input = Array(node[index].input.prefix(2)) + [name]
            return
        }
        let (result, product) = (node[index].output[0], node[index].output[0] + ".product")
        node[index].output[0] = product
        var sum = ONNXNodeProto()
        (sum.opType, sum.name, sum.input, sum.output) = ("Add", node[index].name + ".bias", [product, name], [result])
        node.insert(sum, at: index + 1)
    }

    /// Drops initializers that no node reads any more.
    fileprivate mutating func removeUnread(_ names: [String]) {
        let read = Set(node.flatMap(\.input)).union(output.map(\.name))
        initializer.removeAll { names.contains($0.name) && !read.contains($0.name) }
    }
}
