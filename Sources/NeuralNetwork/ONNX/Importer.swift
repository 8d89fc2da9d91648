/// ONNX file → graph: names resolved, nodes in order, constants folded, every shape known.
struct Importer {
    private let file: ModelFile
    private var graph = Graph()
    private var ids: [String: Graph.ValueID] = [:]
    /// Images that shapes are of: 1, or as many as the file fixes where it is read once more to see whether it mixes them.
    private var images = 1
    /// The batch that the file was written for, where it fixes one.
    private var fixedBatch = 1
    private var takesOneImage = false
    /// Elements of constants that were computed.
    private var computed = 0
    /// Of these, elements of those that are larger than what they were computed of.
    private var folded = 0

    /// The graph of a file as options say.
    /// - Parameter answer: nil for that of the options.
    /// - Throws: `NetworkError`.
    static func graph(
        of file: ModelFile, _ options: Network.Options, answer: AnswerReading? = nil, leavesWeightsInFile: Bool = false
    ) throws -> Graph {
        try graph(
            of: file, answer: answer ?? AnswerReading(options), inputSize: options.inputSize, inputs: options.inputs,
            leavesWeightsInFile: leavesWeightsInFile)
    }

    /// - Parameters:
    ///   - answer: the output to compute, where the model has several, and what of it.
    ///   - inputSize: height and width for inputs that leave them open.
    ///   - inputs: what inputs beside the image hold.
    ///   - leavesWeightsInFile: for a graph that is compiled at once and then dropped; else it must not depend on the file.
    /// - Throws: `NetworkError`; unsupported operators are all named at once, before anything is computed.
    static func graph(
        of file: ModelFile, answer: AnswerReading, inputSize: (height: Int, width: Int)?, inputs given: [GivenInput],
        leavesWeightsInFile: Bool
    ) throws -> Graph {
        var importer = Importer(file: file)
        let proto = file.proto.graph
        let weights = try file.initializers(leavingInFile: leavesWeightsInFile)
        for (initializer, tensor) in zip(proto.initializer, weights) { try importer.add(initializer, tensor) }
        for sparse in proto.sparseInitializer { try importer.add(sparse.values, file.tensors.read(sparse)) }
        let inputs = proto.realInputs { importer.ids[$0] != nil }
        let input = try ImageInput(inputs.image(beside: given), size: inputSize)
        for value in given { try importer.add(value, inputs) }
        importer.fixedBatch = input.batch ?? 1
        importer.takesOneImage = input.batch == 1
        var whole = importer
        let graph = try importer.run(input, answer)
        if importer.fixedBatch > 1 {
            whole.images = whole.fixedBatch
            _ = try whole.run(input, answer)
            try importer.check(graph, against: whole)
        }
        return graph
    }

    private init(file: ModelFile) { self.file = file }

    private mutating func add(_ initializer: ONNXTensorProto, _ tensor: HostTensor) throws {
        let id = id(initializer.name)
        graph.values[id].constant = tensor
        graph.values[id].type = try file.tensors.type(of: initializer)
        graph.values[id].weight = initializer.name
    }

    /// An input that is the same for all images.
    private mutating func add(_ given: GivenInput, _ inputs: [ONNXValueInfoProto]) throws {
        guard let input = inputs.first(where: { $0.name == given.name }) else { return }
        let (tensor, type) = try input.constant(given)
        let id = id(given.name)
        (graph.values[id].constant, graph.values[id].shape, graph.values[id].type) = (tensor, tensor.shape, type)
    }

    /// Adds the images, and what makes the file's input of them.
    /// - Returns: the name of the images' value, which within is [batch, channels, height, width] whatever the file says.
    private mutating func add(_ input: ImageInput) throws -> String {
        let batched = input.hasBatch ? input.name : "\(input.name), one of a batch"
        let image = input.channelsAreLast ? "\(batched), channels first" : batched
        graph.input = id(image)
        graph.values[graph.input].shape = [images, input.channels, input.height, input.width]
        graph.values[graph.input].type = input.type
        if input.channelsAreLast { try add(.transposing([0, 2, 3, 1], image, to: batched)) }
        if !input.hasBatch {
            let sides =
                input.channelsAreLast
                ? [input.height, input.width, input.channels] : [input.channels, input.height, input.width]
            try reshape(batched, sides, to: input.name)
        }
        return image
    }

    private mutating func reshape(_ name: String, _ sides: [Int], to result: String) throws {
        let size = "\(result), its size"
        graph.values[id(size)].constant = HostTensor(sides, shape: [sides.count])
        try add(.reshaping(name, size, to: result))
    }

    private mutating func run(_ input: ImageInput, _ answer: AnswerReading) throws -> Graph {
        var proto = file.proto.graph
        let output = try chooseOutput(proto, named: answer.output)
        var target = output
        if let joined = answer.joined {
            target = proto.join(
                target, try chooseOutput(proto, named: joined.name), axis: joined.axis, isTurned: joined.isTurned)
        }
        if answer.isBeforeProbabilities { target = proto.beforeProbabilities(target) }
        var others = try answer.others.map { try chooseOutput(proto, named: $0) }.filter { $0 != output }
        graph.inputType = input.type
        let imageName = try add(input)
        let nodes = try inOrder(proto.node, reaching: [target] + others)
        try refuseUnknown(nodes)
        try refuseChoices(by: imageName, nodes)
        for node in nodes { try add(node) }
        others = try others.map { try spread(batched($0), input).tensor }
        (target, graph.fileAnswer) = try spread(batched(target), input)
        graph.recognizeIdioms()
        graph.joinConcatenations()
        graph.joinReshapes()
        graph.markChannelsPutLast()
        graph.others = try others.map { try computed($0) }
        let outputID = try computed(target)
        graph.output = outputID
        graph.removeDeadNodes()
        for (index, other) in graph.others.enumerated() {
            var single = graph
            single.output = other
            graph.others[index] = AnswerHead(single)?.scores ?? other
        }
        graph.head = AnswerHead(graph)
        graph.isOfProbabilities = graph.head == nil && AnswerRange(graph).isOfProbabilities
        graph.isBesideProbabilities =
            graph.head == nil
            && SiblingOutputs(proto).have(
                probabilitiesBesideBoxes: output, count: (graph.values[outputID].shape ?? []).product)
        return graph
    }

    /// An output that a node has made of the image.
    private func computed(_ name: String) throws -> Graph.ValueID {
        guard let id = ids[name], graph.values[id].shape != nil else {
            throw NetworkError.graph(problem: "no node computes its output '\(name)'")
        }
        guard graph.values[id].constant == nil else {
            throw NetworkError.graph(problem: "its output '\(name)' does not depend on the image")
        }
        return id
    }

    /// An answer that a file of one image gives without the batch's axis, with it; another as it is.
    private mutating func batched(_ target: String) throws -> String {
        guard takesOneImage, let shape = ids[target].flatMap({ graph.values[$0].shape }), (1...2).contains(shape.count),
            shape[0] > 1
        else { return target }
        let answer = "\(target), of one image"
        try reshape(target, [1] + shape, to: answer)
        return answer
    }

    /// The answer of a detector as a map of its places, whose neurons are the numbers that each place has; another answer as it is.
    private mutating func spread(
        _ target: String, _ input: ImageInput
    ) throws -> (tensor: String, file: (shape: [Int], places: Int)?) {
        guard images == 1, let shape = ids[target].flatMap({ graph.values[$0].shape }),
            let axis = PyramidPlaces.axis(of: shape, height: input.height, width: input.width)
        else { return (target, nil) }
        var channelsFirst = target
        if axis == 1 {
            channelsFirst = "\(target), places last"
            try add(.transposing([0, 2, 1], target, to: channelsFirst))
        }
        let map = "\(target) as a map"
        try reshape(channelsFirst, [1, shape[3 - axis], 1, shape[axis]], to: map)
        return (map, (shape, axis))
    }

    /// A file that fixes its batch is run image by image, which is right where its nodes do the same to each image: where, of all images
    /// together, every value is as large along its first axis as that of one image times their number, and as large along all others.
    private func check(_ graph: Graph, against whole: Importer) throws {
        for node in graph.nodes {
            for output in node.outputs where graph.values[output].constant == nil {
                guard let one = graph.values[output].shape, let id = whole.ids[graph.values[output].name],
                    let all = whole.graph.values[id].shape
                else { continue }
                guard let first = one.first, all == [first * fixedBatch] + one.dropFirst() else {
                    throw NetworkError.node(
                        node.use,
                        problem:
                            "mixes the \(fixedBatch) images of the batch that the file fixes (shape \(all)); export it with a batch of 1, or with an open one"
                    )
                }
            }
        }
    }

    private mutating func id(_ name: String) -> Graph.ValueID {
        if let known = ids[name] { return known }
        graph.values.append(Graph.Value(name: name))
        ids[name] = graph.values.count - 1
        return graph.values.count - 1
    }

    /// An output of the file, or any tensor that a node makes: what is not needed for it is not read.
    private func chooseOutput(_ proto: ONNXGraphProto, named name: String?) throws -> String {
        guard let name else {
            guard let first = proto.output.first else { throw NetworkError.graph(problem: "it has no output") }
            return first.name
        }
        guard proto.output.contains(where: { $0.name == name }) || proto.node.contains(where: { $0.output.contains(name) }) else {
            let outputs = proto.output.map(\.name)
            let inner = proto.node.flatMap(\.output).filter { !$0.isEmpty && !outputs.contains($0) }
            throw NetworkError.noSuchName(kind: "output", name: name, known: outputs + inner)
        }
        return name
    }

    /// The nodes that `targets` need, each after those it reads. Files need not keep to that order, and some do not.
    private func inOrder(_ nodes: [ONNXNodeProto], reaching targets: [String]) throws -> [ONNXNodeProto] {
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
        var stack: [(name: String, reader: String)] = targets.reversed().map { ($0, "the graph") }
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
                for input in nodes[maker].allInputs.reversed() { stack.append((input, "node '\(nodes[maker].name)'")) }
            case 1 where nodes[maker].allInputs.contains(where: { makers[$0].map { state[$0] < 2 } ?? false }):
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
        for node in nodes where !node.isRead {
            let name = Expansion.name(of: node)
            guard !uses.contains(where: { $0.operatorType == name }) else { continue }
            uses.append(.init(operatorType: name, node: node.name, layer: LayerNames.name(for: node, weights: node.input)))
        }
        guard uses.isEmpty else { throw NetworkError.unsupportedOperators(uses) }
    }

    /// An `If` whose condition depends on the picture, and not on its size alone, is refused before what makes that condition.
    private func refuseChoices(by image: String, _ nodes: [ONNXNodeProto]) throws {
        guard nodes.contains(where: { $0.opType == "If" }) else { return }
        var varying: Set<String> = [image]
        for node in nodes
        where !["Shape", "Size", "EyeLike"].contains(node.opType) && node.input.contains(where: varying.contains) {
            if node.opType == "If", let condition = node.input.first, varying.contains(condition) {
                throw NetworkError.node(
                    .init(operatorType: node.opType, node: node.name, layer: LayerNames.name(for: node, weights: [])),
                    problem: Self.isChosen(by: condition).problem)
            }
            varying.formUnion(node.output)
        }
    }

    private static func isChosen(by condition: String) -> Refusal {
        Refusal(
            "chooses between two graphs by '\(condition)', which depends on the image; neurodex reads those whose condition is known when the file is loaded"
        )
    }

    private mutating func add(_ proto: ONNXNodeProto) throws {
        if proto.opType == "If" { return try choose(proto) }
        if try writeOut(proto) { return }
        guard let type = operatorsByName[proto.opType] else { return }
        let inputs = proto.input.map { $0.isEmpty ? nil : id($0) }
        let operands = inputs.map { $0.map { operand($0) } }
        let weights = inputs.compactMap { $0 }.filter { graph.values[$0].constant != nil }
        let layer = LayerNames.name(for: proto, weights: weights.map { graph.values[$0].weight ?? graph.values[$0].name })
        let use = NetworkError.OperatorUse(operatorType: proto.opType, node: proto.name, layer: layer)
        do {
            guard inputs.first.flatMap({ $0 }) != nil || type == ConstantNode.self else { throw Refusal("has no first input") }
            let reader = reader(of: proto, operands)
            var operation = try type.make(reader)
            if images < fixedBatch { operation = operation.ofOneImage(batch: fixedBatch) }
            let outputs = proto.output.map { $0.isEmpty ? unnamed() : id($0) }
            let weight = inputs.compactMap { $0 }.compactMap { graph.values[$0].weight }.first
            if let folded = try fold(operation, operands) {
                return try keep(folded, as: outputs, operation, operands, weight)
            }
            guard operands.contains(where: { $0 != nil && $0?.constant == nil }) else {
                let constants = try operation.computed(operands, outputs: outputs.count, use: use)
                return try keep(constants, as: outputs, operation, operands, weight)
            }
            try shape(outputs, by: operation, of: operands)
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

    /// Says of what size and type the outputs are that an operator makes of activations.
    private mutating func shape(_ outputs: [Graph.ValueID], by operation: any Operator, of operands: [Operand?]) throws {
        if !operation.takesIntegers, let whole = operands.first(where: { $0?.constant == nil && $0?.type.isInteger == true }) {
            throw Refusal(
                "computes with the integers of '\(whole?.name ?? "")', which depend on the image; neurodex computes with floats, so they must be cast first"
            )
        }
        let shapes = try operation.shapes(operands)
        guard shapes.count >= outputs.count else {
            throw Refusal("has \(outputs.count) outputs; neurodex computes \(shapes.count)")
        }
        for (output, shape) in zip(outputs, shapes) {
            guard shape.allSatisfy({ $0 > 0 }) else { throw Self.impossible(shape, from: operands) }
            try check(shape, from: operands)
            graph.values[output].shape = shape
            graph.values[output].type = operation.type(operands)
        }
    }

    /// Adds the nodes of the graph that an `If` chooses.
    private mutating func choose(_ proto: ONNXNodeProto) throws {
        let use = NetworkError.OperatorUse(
            operatorType: proto.opType, node: proto.name, layer: LayerNames.name(for: proto, weights: []))
        do {
            let condition = proto.input.first.map { operand(id($0)) }
            guard let value = condition?.constant?.numbers.first else {
                throw Self.isChosen(by: condition?.name ?? "")
            }
            let branch = try Branch(of: proto, isTrue: value != 0)
            for initializer in branch.initializers { try add(initializer, file.tensors.read(initializer)) }
            let nodes = try inOrder(branch.nodes, reaching: proto.output.filter { !$0.isEmpty })
            try refuseUnknown(nodes)
            for node in nodes { try add(node) }
        } catch let refusal as Refusal {
            throw NetworkError.node(use, problem: refusal.problem)
        }
    }

    private func reader(of proto: ONNXNodeProto, _ operands: [Operand?]) -> NodeReader {
        NodeReader(proto, opset: file.opset, inputs: operands, tensors: file.tensors, takesOneImage: takesOneImage)
    }

    /// Adds the nodes that a node is written out as; false where it is read as it stands.
    private mutating func writeOut(_ proto: ONNXNodeProto) throws -> Bool {
        let operands = proto.input.map { $0.isEmpty ? nil : operand(id($0)) }
        do {
            guard
                let expansion = try Expansion(
                    proto, inputs: operands,
                    reader: reader(of: proto, operands))
            else { return false }
            for (name, tensor) in expansion.constants {
                let id = id(name)
                (graph.values[id].constant, graph.values[id].shape) = (tensor, tensor.shape)
                if case .int = tensor.elements { graph.values[id].type = .int64 }
            }
            for node in expansion.nodes { try add(node) }
            return true
        } catch let refusal as Refusal {
            throw NetworkError.node(
                .init(operatorType: proto.opType, node: proto.name, layer: LayerNames.name(for: proto, weights: [])),
                problem: refusal.problem)
        }
    }

    /// What a node computes of constants is constant.
    private mutating func keep(
        _ constants: [HostTensor], as outputs: [Graph.ValueID], _ operation: any Operator, _ operands: [Operand?],
        _ weight: String?
    ) throws {
        guard constants.count >= outputs.count else {
            throw Refusal("has \(outputs.count) outputs; neurodex computes \(constants.count)")
        }
        for (output, constant) in zip(outputs, constants) {
            try check(constant, from: operands)
            graph.values[output].constant = constant
            graph.values[output].shape = constant.shape
            graph.values[output].type = operation.type(operands)
            graph.values[output].weight = weight
        }
    }

    /// Copies work on up to six axes, the batch's included.
    private func check(_ shape: [Int], from operands: [Operand?]) throws {
        var ofOne = shape
        if let first = shape.first, first.isMultiple(of: images) { ofOne[0] = first / images }
        guard shape.count <= 6, HostTensor.isReasonable(ofOne) else { throw Self.impossible(shape, from: operands) }
    }

    /// What a weight is cast or turned into is as large as it; nothing else that is computed of constants need be large. Light models of
    /// the ONNX project have ConstantOfShape for weights, 26 million of them in ResNet-50.
    private mutating func check(_ constant: HostTensor, from operands: [Operand?]) throws {
        try check(constant.shape, from: operands)
        computed += constant.count
        guard computed <= 1 << 26 + 8 * file.byteCount else {
            throw Refusal(
                "computes so many constants, \(computed) numbers with those before it, as a file of \(file.byteCount) bytes cannot need"
            )
        }
        guard constant.count > operands.reduce(0, { max($0, $1?.constant?.count ?? 0) }) else { return }
        folded += constant.count
        guard constant.count <= 1 << 24, folded <= 1 << 26 else { throw Self.impossible(constant.shape, from: operands) }
    }

    private static func impossible(_ shape: [Int], from operands: [Operand?]) -> Refusal {
        Refusal("would make a tensor of shape \(shape) from \(operands.compactMap { $0?.shape })")
    }

    private func operand(_ id: Graph.ValueID) -> Operand {
        let value = graph.values[id]
        return Operand(
            name: value.name, shape: value.constant?.shape ?? value.shape ?? [], constant: value.constant, type: value.type)
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

extension ONNXNodeProto {
    /// Whether its operator is read: as it stands, written out in others, or chosen from.
    var isRead: Bool { operatorsByName[Expansion.name(of: self)] != nil || Expansion.knows(self) || opType == "If" }
}
