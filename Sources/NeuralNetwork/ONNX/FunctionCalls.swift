/// Functions that a file has of its own, written out where they are called. https://onnx.ai/onnx/intro/concepts.html#functions
struct FunctionCalls {
    private let functions: [String: ONNXFunctionProto]
    private var count = 0
    /// Nodes of a whole network; functions that call each other can make any number of a small file.
    private static let most = 1 << 18
    /// Functions within functions.
    private static let deepest = 64

    init(_ functions: [ONNXFunctionProto]) {
        self.functions = Dictionary(functions.map { (Self.key($0.domain, $0.name, $0.overload), $0) }) { first, _ in first }
    }

    private static func key(_ domain: String, _ name: String, _ overload: String) -> String {
        "\(domain == "ai.onnx" ? "" : domain)|\(name)|\(overload)"
    }

    private func function(_ node: ONNXNodeProto) -> ONNXFunctionProto? {
        functions[Self.key(node.domain, node.opType, node.overload)]
    }

    /// The nodes with all calls written out, also in graphs of their attributes.
    /// - Parameter callers: functions that are being written out.
    /// - Throws: `NetworkError.graph` for a function that calls itself, and for too many nodes.
    mutating func written(_ nodes: [ONNXNodeProto], callers: [String] = []) throws -> [ONNXNodeProto] {
        var result: [ONNXNodeProto] = []
        for node in nodes {
            guard let function = function(node) else {
                result.append(try writtenInGraphs(node, callers))
                continue
            }
            let key = Self.key(function.domain, function.name, function.overload)
            guard !callers.contains(key) else {
                throw NetworkError.graph(problem: "its function '\(function.name)' calls itself, so that it never ends")
            }
            guard callers.count < Self.deepest else {
                throw NetworkError.graph(problem: "its functions call each other more than \(Self.deepest) deep")
            }
            result += try written(function.nodes(calledBy: node), callers: callers + [key])
        }
        count += result.count
        guard count <= Self.most else {
            throw NetworkError.graph(problem: "its functions written out are more than \(Self.most) nodes")
        }
        return result
    }

    private mutating func writtenInGraphs(_ node: ONNXNodeProto, _ callers: [String]) throws -> ONNXNodeProto {
        var node = node
        for index in node.attribute.indices where node.attribute[index].$g != nil {
            node.attribute[index].g.node = try written(node.attribute[index].g.node, callers: callers)
        }
        return node
    }
}

extension ONNXFunctionProto {
    /// Its nodes with the values and attributes of a node that calls it.
    fileprivate func nodes(calledBy caller: ONNXNodeProto) -> [ONNXNodeProto] {
        let prefix = "\(caller.output.first { !$0.isEmpty } ?? caller.name), \(name): "
        var names: [String: String] = [:]
        for (index, inner) in input.enumerated() { names[inner] = index < caller.input.count ? caller.input[index] : "" }
        var passed: [ONNXNodeProto] = []
        for (inner, outer) in zip(output, caller.output) where !outer.isEmpty {
            guard let source = names[inner] else {
                names[inner] = outer
                continue
            }
            var identity = ONNXNodeProto()
            (identity.opType, identity.input, identity.output) = ("Identity", [source], [outer])
            passed.append(identity)
        }
        let values = Dictionary(attributeProto.map { ($0.name, $0) }) { first, _ in first }
            .merging(caller.attribute.map { ($0.name, $0) }) { $1 }
        return passed
            + node.map { node in
                var own = node.renamed { names[$0] ?? prefix + $0 }.withAttributes(values)
                let parts = [caller.name, node.name].filter { !$0.isEmpty }
                own.name = parts.joined(separator: "/")
                return own
            }
    }
}

extension ONNXNodeProto {
    /// With attributes that name one of the call's in place of a value; one that the call leaves out is left out.
    fileprivate func withAttributes(_ values: [String: ONNXAttributeProto]) -> ONNXNodeProto {
        var node = self
        node.attribute = attribute.compactMap { attribute in
            var attribute = attribute
            if attribute.$g != nil { attribute.g.node = attribute.g.node.map { $0.withAttributes(values) } }
            guard !attribute.refAttrName.isEmpty else { return attribute }
            var value = values[attribute.refAttrName]
            value?.name = attribute.name
            return value
        }
        return node
    }
}
