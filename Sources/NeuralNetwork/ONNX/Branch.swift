/// One of the two graphs of an `If`, as nodes of the graph that it stands in. https://onnx.ai/onnx/operators/onnx__If.html
struct Branch {
    private(set) var nodes: [ONNXNodeProto]
    private(set) var initializers: [ONNXTensorProto]

    /// - Parameter node: an `If`.
    /// - Throws: `Refusal` where it lacks the graph that the condition chooses.
    init(of node: ONNXNodeProto, isTrue: Bool) throws {
        let role = isTrue ? "then_branch" : "else_branch"
        guard let graph = node.attribute.first(where: { $0.name == role })?.g, graph.output.count >= node.output.count
        else {
            throw Refusal("has no \(role) of \(node.output.count) outputs")
        }
        let prefix = "\(node.output.first ?? node.name), \(isTrue ? "then" : "else"): "
        let own = graph.definedNames
        let rename: (String) -> String = { own.contains($0) ? prefix + $0 : $0 }
        nodes = graph.node.map { $0.renamed(rename) }
        initializers = graph.initializer.map { tensor in
            var tensor = tensor
            tensor.name = rename(tensor.name)
            return tensor
        }
        for (outer, inner) in zip(node.output, graph.output) where !outer.isEmpty {
            var passing = ONNXNodeProto()
            (passing.opType, passing.input, passing.output) = ("Identity", [rename(inner.name)], [outer])
            nodes.append(passing)
        }
    }
}

extension ONNXGraphProto {
    /// Of nodes and initializers that stand in it.
    fileprivate var definedNames: Set<String> {
        Set(node.flatMap(\.output) + initializer.map(\.name) + input.map(\.name)).subtracting([""])
    }

    /// What it reads of the graph that it stands in.
    fileprivate var captured: [String] {
        let own = definedNames
        return (node.flatMap(\.allInputs) + output.map(\.name)).filter { !own.contains($0) && !$0.isEmpty }
    }
}

extension ONNXNodeProto {
    /// With what the graphs of its attributes read of the graph that it stands in.
    var allInputs: [String] { input + attribute.flatMap(\.g.captured) }

    /// With other names of values, in its graphs too where they are not their own.
    func renamed(_ rename: (String) -> String) -> ONNXNodeProto {
        var node = self
        node.input = input.map { $0.isEmpty ? $0 : rename($0) }
        node.output = output.map { $0.isEmpty ? $0 : rename($0) }
        for index in attribute.indices where !attribute[index].g.node.isEmpty {
            let own = attribute[index].g.definedNames
            func outer(_ name: String) -> String { own.contains(name) ? name : rename(name) }
            var graph = attribute[index].g
            graph.node = graph.node.map { $0.renamed(outer) }
            graph.output = graph.output.map { output in
                var output = output
                output.name = outer(output.name)
                return output
            }
            node.attribute[index].g = graph
        }
        return node
    }
}
