/// The name that the author of a model knows a node by.
///
/// From the name of its weight (`layer1.0.conv1.weight` → `layer1.0.conv1`), else from the exporter's scope (`/layer1/layer1.0/conv1/Conv`
/// of PyTorch's first exporter; the metadata `pkg.torch.onnx.name_scopes` of its second), else the node's own name, else its output's.
enum LayerNames {
    static func name(for node: ONNXNodeProto, weights: [String]) -> String {
        for weight in weights { if let stem = stem(ofWeight: weight) { return stem } }
        if let scopes = node.metadataProps.first(where: { $0.key == "pkg.torch.onnx.name_scopes" })?.value {
            if let module = lastModule(inScopes: scopes) { return module }
        }
        if node.name.hasPrefix("/") { return module(inScope: node.name) }
        if !node.name.isEmpty, !isNumbered(node.name) { return strip(node.name, suffixes: ["_fwd"]) ?? node.name }
        return node.output.first ?? node.opType
    }

    /// `layer1.0.conv1` of `layer1.0.conv1.weight`; nil where the name says nothing of a layer.
    static func stem(ofWeight name: String) -> String? {
        strip(
            strip(name, suffixes: ["_quantized"]) ?? name,
            suffixes: [".weight", "_weight", "/weight", "/kernel", ".kernel", "_w_0", ".W", "_W", "_w"])
    }

    private static func strip(_ name: String, suffixes: [String]) -> String? {
        for suffix in suffixes where name.hasSuffix(suffix) && name.count > suffix.count {
            return String(name.dropLast(suffix.count))
        }
        return nil
    }

    /// `/layer1/layer1.0/conv1/Conv` → `layer1.0.conv1`: a part that begins with all that stands before it, as parts of
    /// a Sequential do, takes its place; any other is joined to it. At the root, the operator's own name.
    static func module(inScope scope: String) -> String {
        let parts = scope.split(separator: "/").map(String.init)
        guard parts.count > 1 else { return parts.first ?? scope }
        return parts.dropLast().reduce("") { path, part in
            path.isEmpty || part.hasPrefix(path + ".") ? part : path + "." + part
        }
    }

    /// The deepest module of `['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d_1']`: the last but one.
    private static func lastModule(inScopes text: String) -> String? {
        let parts = text.split(separator: "'", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        return parts.dropLast().last { !$0.isEmpty } ?? parts.last
    }

    /// `n56`, `node_12`: a number that some tool gave.
    private static func isNumbered(_ name: String) -> Bool {
        let letters = name.prefix { !$0.isNumber }
        return ["", "n", "node", "node_"].contains(String(letters).lowercased())
            && name.dropFirst(letters.count).allSatisfy(\.isNumber)
    }
}
