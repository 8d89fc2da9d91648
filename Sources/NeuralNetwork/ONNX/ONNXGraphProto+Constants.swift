import Foundation

/// Where a constant stands in a graph.
enum ConstantPlace: Hashable {
    case initializer(Int)
    /// The value of a node of the type `Constant`: of the node and its attribute.
    case node(Int, attribute: Int)
}

extension ONNXGraphProto {
    /// Where the constant of a name stands; nil for what is computed.
    func constant(named name: String) -> ConstantPlace? {
        if let index = initializer.firstIndex(where: { $0.name == name }) { return .initializer(index) }
        guard let index = node.firstIndex(where: { $0.opType == "Constant" && $0.output.first == name }),
            let attribute = node[index].attribute.firstIndex(where: { $0.name == "value" })
        else { return nil }
        return .node(index, attribute: attribute)
    }

    subscript(_ place: ConstantPlace) -> ONNXTensorProto {
        get {
            switch place {
            case .initializer(let index): initializer[index]
            case .node(let index, let attribute): node[index].attribute[attribute].t
            }
        }
        set {
            switch place {
            case .initializer(let index): initializer[index] = newValue
            case .node(let index, let attribute): node[index].attribute[attribute].t = newValue
            }
        }
    }

    /// Gives an input of a node a constant that it alone reads: where others read it too, a copy of another name. Returns where that stands.
    mutating func ownConstant(of index: Int, input: Int) -> ConstantPlace? {
        let name = node[index].input[input]
        guard let place = constant(named: name) else { return nil }
        let readers = node.reduce(0) { $0 + $1.input.count { $0 == name } } + output.count { $0.name == name }
        guard readers > 1 else { return place }
        let known = Set(initializer.map(\.name)).union(node.flatMap(\.output)).union(self.input.map(\.name))
        var copy = self[place]
        copy.name = name + ".of." + (node[index].output.first ?? "")
        while known.contains(copy.name) { copy.name += "_" }
        initializer.append(copy)
        node[index].input[input] = copy.name
        return .initializer(initializer.count - 1)
    }
}
