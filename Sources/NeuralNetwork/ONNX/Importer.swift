/// ONNX file → graph: names resolved, nodes in order, constants folded, every shape known.
struct Importer {
    private let file: ModelFile
    private var graph = Graph()
    private var ids: [String: Graph.ValueID] = [:]

    /// - Parameters:
    ///   - output: the output to compute, where the model has several; the first if nil.
    ///   - inputSize: height and width for inputs that leave them open.
    /// - Throws: `NetworkError`; unsupported operators are all named at once, before anything is computed.
    static func graph(of file: ModelFile, output: String? = nil, inputSize: (height: Int, width: Int)? = nil) throws -> Graph {
        var importer = Importer(file: file)
        return try importer.run(output: output, inputSize: inputSize)
    }

    private init(file: ModelFile) { self.file = file }

    private mutating func run(output: String?, inputSize: (height: Int, width: Int)?) throws -> Graph {
        let proto = file.proto.graph
        for initializer in proto.initializer { graph.values[id(initializer.name)].constant = try file.tensors.read(initializer) }
        try declareInput(proto, size: inputSize)
        let target = try chooseOutput(proto, named: output)
        let nodes = try inOrder(proto.node, reaching: target)
        try refuseUnknown(nodes)
        for node in nodes { try add(node) }
        graph.recognizeIdioms()
        guard let outputID = ids[target], graph.values[outputID].shape != nil else {
            throw NetworkError.graph(problem: "no node computes its output '\(target)'")
        }
        graph.output = outputID
        graph.removeDeadNodes()
        guard graph.values[outputID].constant == nil else {
            throw NetworkError.graph(problem: "its output '\(target)' does not depend on the image")
        }
        return graph
    }

    private mutating func id(_ name: String) -> Graph.ValueID {
        if let known = ids[name] { return known }
        graph.values.append(Graph.Value(name: name))
        ids[name] = graph.values.count - 1
        return graph.values.count - 1
    }

    /// The one input that is not a weight, as [1, channels, height, width].
    private mutating func declareInput(_ proto: ONNXGraphProto, size: (height: Int, width: Int)?) throws {
        let inputs = proto.input.filter { input in ids[input.name].map { graph.values[$0].constant == nil } ?? true }
        guard let input = inputs.first, inputs.count == 1 else {
            let names = inputs.map { "'\($0.name)'" }.joined(separator: ", ")
            throw NetworkError.graph(
                problem: inputs.isEmpty
                    ? "it has no input for an image"
                    : "it has \(inputs.count) inputs (\(names)); neurodex reads networks with one, an image")
        }
        let dims = input.type.tensorType.shape.dim
        guard dims.count == 4 else {
            throw NetworkError.graph(
                problem:
                    "its input '\(input.name)' has \(dims.count) axes; neurodex reads images [batch, channels, height, width]")
        }
        let channels = Int(clamping: dims[1].dimValue)
        guard (1...1024).contains(channels) else {
            throw NetworkError.graph(problem: "its input '\(input.name)' does not say how many channels an image has (axis 1)")
        }
        let height = size?.height ?? Int(clamping: dims[2].dimValue)
        let width = size?.width ?? Int(clamping: dims[3].dimValue)
        guard height > 0, width > 0 else {
            throw NetworkError.graph(
                problem: "its input '\(input.name)' leaves the picture's size open; say it with --input-size HEIGHTxWIDTH")
        }
        guard height <= 16384, width <= 16384 else {
            throw NetworkError.graph(
                problem: "its input '\(input.name)' is \(height)×\(width) pixels; at most 16384×16384 are read")
        }
        graph.input = id(input.name)
        graph.values[graph.input].shape = [1, channels, height, width]
    }

    private func chooseOutput(_ proto: ONNXGraphProto, named name: String?) throws -> String {
        guard let first = proto.output.first else { throw NetworkError.graph(problem: "it has no output") }
        guard let name else { return first.name }
        guard proto.output.contains(where: { $0.name == name }) else {
            throw NetworkError.noSuchName(kind: "output", name: name, known: proto.output.map(\.name))
        }
        return name
    }

    /// The nodes that `target` needs, each after those it reads. Files need not keep to that order, and some do not.
    private func inOrder(_ nodes: [ONNXNodeProto], reaching target: String) throws -> [ONNXNodeProto] {
        var makers: [String: Int] = [:]
        for (index, node) in nodes.enumerated() {
            for output in node.output where !output.isEmpty {
                guard ids[output] == nil, makers[output] ?? index == index else {
                    throw NetworkError.graph(problem: "'\(output)', which node '\(node.name)' makes, is there already")
                }
                makers[output] = index
            }
        }
        var ordered: [ONNXNodeProto] = []
        var state = [Int](repeating: 0, count: nodes.count)  // 0 not seen, 1 its inputs are being placed, 2 placed
        var stack: [(name: String, reader: String)] = [(target, "the graph")]
        while let (name, reader) = stack.last {
            guard let maker = makers[name] else {
                guard name.isEmpty || ids[name] != nil else {
                    throw NetworkError.graph(problem: "\(reader) reads '\(name)', which no node makes and is no input")
                }
                stack.removeLast()
                continue
            }
            switch state[maker] {
            case 0:
                state[maker] = 1
                for input in nodes[maker].input.reversed() { stack.append((input, "node '\(nodes[maker].name)'")) }
            case 1 where nodes[maker].input.contains(where: { makers[$0].map { state[$0] < 2 } ?? false }):
                throw NetworkError.graph(problem: "node '\(nodes[maker].name)' depends on itself")
            default:
                if state[maker] == 1 { ordered.append(nodes[maker]) }
                state[maker] = 2
                stack.removeLast()
            }
        }
        return ordered
    }

    private func refuseUnknown(_ nodes: [ONNXNodeProto]) throws {
        var uses: [NetworkError.OperatorUse] = []
        for node in nodes where operatorsByName[node.opType] == nil || !["", "ai.onnx"].contains(node.domain) {
            let name = node.domain.isEmpty ? node.opType : "\(node.domain).\(node.opType)"
            guard !uses.contains(where: { $0.operatorType == name }) else { continue }
            uses.append(.init(operatorType: name, node: node.name, layer: LayerNames.name(for: node, weights: node.input)))
        }
        guard uses.isEmpty else { throw NetworkError.unsupportedOperators(uses) }
    }

    private mutating func add(_ proto: ONNXNodeProto) throws {
        guard let type = operatorsByName[proto.opType] else { return }
        let inputs = proto.input.map { $0.isEmpty ? nil : id($0) }
        let operands = inputs.map { $0.map { operand($0) } }
        let layer = LayerNames.name(for: proto, weights: operands.compactMap { $0?.constant == nil ? nil : $0?.name })
        let use = NetworkError.OperatorUse(operatorType: proto.opType, node: proto.name, layer: layer)
        do {
            guard inputs.first.flatMap({ $0 }) != nil || type == ConstantNode.self else { throw Refusal("has no first input") }
            let reader = NodeReader(proto, opset: file.opset, inputs: operands, tensors: file.tensors)
            let operation = try type.make(reader)
            let outputs = proto.output.map { $0.isEmpty ? unnamed() : id($0) }
            if let folded = try fold(operation, operands) {
                guard folded.count >= outputs.count else {
                    throw Refusal("has \(outputs.count) outputs; neurodex computes \(folded.count)")
                }
                for (output, constant) in zip(outputs, folded) {
                    try Self.check(constant.shape, from: operands)
                    // What a weight is cast or turned into is as large as it; nothing else that is folded need be large.
                    let largest = operands.reduce(1 << 24) { max($0, $1?.constant?.count ?? 0) }
                    guard constant.count <= largest else { throw Self.impossible(constant.shape, from: operands) }
                    graph.values[output].constant = constant
                    graph.values[output].shape = constant.shape
                }
                return
            }
            guard operands.contains(where: { $0 != nil && $0?.constant == nil }) else {
                throw Refusal("has constant inputs only, of which neurodex does not compute it")
            }
            let shapes = try operation.shapes(operands)
            guard shapes.count >= outputs.count else {
                throw Refusal("has \(outputs.count) outputs; neurodex computes \(shapes.count)")
            }
            for (output, shape) in zip(outputs, shapes) {
                guard shape.allSatisfy({ $0 > 0 }) else { throw Self.impossible(shape, from: operands) }
                try Self.check(shape, from: operands)
                graph.values[output].shape = shape
            }
            graph.nodes.append(
                Graph.Node(
                    name: proto.name, operatorType: proto.opType,
                    layer: layer == proto.opType ? operation.ownName ?? layer : layer, operation: operation, inputs: inputs,
                    outputs: outputs))
            graph.markChannelAxis()
        } catch let refusal as Refusal {
            throw NetworkError.node(use, problem: refusal.problem)
        }
    }

    /// Copies work on up to six axes, the batch's included.
    private static func check(_ shape: [Int], from operands: [Operand?]) throws {
        guard shape.count <= 6, HostTensor.isReasonable(shape) else { throw impossible(shape, from: operands) }
    }

    private static func impossible(_ shape: [Int], from operands: [Operand?]) -> Refusal {
        Refusal("would make a tensor of shape \(shape) from \(operands.compactMap { $0?.shape })")
    }

    private func operand(_ id: Graph.ValueID) -> Operand {
        let value = graph.values[id]
        return Operand(name: value.name, shape: value.constant?.shape ?? value.shape ?? [], constant: value.constant)
    }

    private mutating func unnamed() -> Graph.ValueID {
        graph.values.append(Graph.Value(name: ""))
        return graph.values.count - 1
    }

    private func fold(_ operation: any Operator, _ operands: [Operand?]) throws -> [HostTensor]? {
        if let known = try operation.evaluate(shapesOf: operands) { return known }
        guard operands.allSatisfy({ $0 == nil || $0?.constant != nil }) else { return nil }
        return try operation.evaluate(operands.map { $0?.constant })
    }
}
