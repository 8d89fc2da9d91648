/// The name that the author of a model knows a node by.
///
/// From the name of its weight (`layer1.0.conv1.weight` → `layer1.0.conv1`), else from the exporter's scope (`/layer1/layer1.0/conv1/Conv`
/// of PyTorch's first exporter; the metadata `pkg.torch.onnx.name_scopes` of its second), else the node's own name, else its output's.
/// What the model does outside of all its modules has the name of the operator.
enum LayerNames {
    static func name(for node: ONNXNodeProto, weights: [String]) -> String {
        for weight in weights { if let stem = stem(ofWeight: weight) { return stem } }
        if let scopes = node.metadataProps.first(where: { $0.key == "pkg.torch.onnx.name_scopes" })?.value {
            return lastModule(inScopes: scopes) ?? node.opType
        }
        if node.name.hasPrefix("/") { return module(inScope: node.name) ?? node.opType }
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

    /// `/layer1/layer1.0/conv1/Conv` → `layer1.0.conv1`: a part that begins with the part before it, as those of a Sequential do, takes
    /// its place; any other is joined. Nil where the node stands in no module.
    static func module(inScope scope: String) -> String? {
        var path: [Substring] = []
        for part in scope.split(separator: "/").dropLast() {
            if let last = path.last, part.hasPrefix(last + ".") { path.removeLast() }
            path.append(part)
        }
        return path.isEmpty ? nil : path.joined(separator: ".")
    }

    /// The deepest module of `['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d_1']`: the last but one; nil where there is none.
    private static func lastModule(inScopes text: String) -> String? {
        let parts = text.split(separator: "'", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        return parts.dropLast().last { !$0.isEmpty }
    }

    /// `n56`, `node_12`: a number that some tool gave.
    private static func isNumbered(_ name: String) -> Bool {
        let letters = name.prefix { !$0.isNumber }
        return ["", "n", "node", "node_"].contains(String(letters).lowercased())
            && name.dropFirst(letters.count).allSatisfy(\.isNumber)
    }

    /// Tells nodes of one name apart: the second has `.2` behind it, and so on.
    struct Unique {
        private var taken = Set<String>()
        /// By name: how many there are, so that the next is found at once.
        private var counts: [String: Int] = [:]

        mutating func next(_ name: String) -> String {
            if taken.insert(name).inserted { return name }
            var count = counts[name] ?? 1
            while true {
                count += 1
                guard taken.insert("\(name).\(count)").inserted else { continue }
                counts[name] = count
                return "\(name).\(count)"
            }
        }
    }
}
