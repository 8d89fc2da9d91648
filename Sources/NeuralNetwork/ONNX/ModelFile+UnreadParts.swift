extension ModelFile {
    /// Parts of the format that neurodex does not read, told by what they are: without them a node would read what is not there.
    /// - Throws: `NetworkError.graph`.
    func refuseUnreadParts() throws {
        let called = proto.functions.map(\.name).filter { name in proto.graph.node.contains { $0.opType == name } }
        if let first = called.first {
            let others = called.count > 1 ? " and \(called.count - 1) more" : ""
            throw NetworkError.graph(
                problem:
                    "it calls functions of its own ('\(first)'\(others), ONNX's model-local functions), which neurodex does not read; write them out with onnx.inliner.inline_local_functions"
            )
        }
        let sparse = proto.graph.sparseInitializer
        if let first = sparse.first {
            let others = sparse.count > 1 ? " and \(sparse.count - 1) more" : ""
            throw NetworkError.graph(
                problem:
                    "its weight '\(first.values.$name ?? "without a name")'\(others) is sparse (sparse_initializer), which neurodex does not read; export the network with dense weights"
            )
        }
    }
}
