/// What of a detector's file can be computed before it chooses among its boxes, by operators whose results have as many elements as the picture has
/// things: NonMaxSuppression, TopK, NonZero.
public struct BeforeSelection: Equatable, Sendable {
    /// The operators that are not read, by their first place in the file.
    public var operators: [String]
    /// What they, and whatever depends on them, read of what can be computed; with shapes but for what cannot be all the same.
    public var tensors: [FileOutput]
    /// Of a NonMaxSuppression: [places, 4] and [classes, places].
    public var boxes: String?
    public var scores: String?
    /// Whether its boxes are centres and sizes.
    public var areCentred = false
    /// Whether its boxes have rows before columns, as TensorFlow's.
    public var rowsAreFirst = false

    /// The boxes, else the largest tensor of two axes, such as one of boxes and scores together.
    public var likeliest: String? {
        let flat = tensors.filter { $0.shape?.count == 2 }
        func size(_ tensor: FileOutput) -> Int { (tensor.shape ?? []).product }
        return boxes ?? flat.max { size($0) < size($1) }?.name ?? tensors.first?.name
    }

    /// More are not looked at.
    private static let most = 16

    /// Nil where every operator of the file is read.
    /// - Throws: `NetworkError` for what is no network.
    public init?(of path: String, options: Network.Options = Network.Options()) throws {
        let file = try ModelFile(path: path)
        let proto = file.proto.graph
        func left(_ known: Set<String>) -> [ONNXNodeProto] { proto.node.filter { !Set($0.output).isSubset(of: known) } }
        var (choosing, known) = (Set<String>(), proto.tensors(without: []))
        if left(known).isEmpty {
            // TopK itself is read; what is gathered at the places that it finds is not.
            choosing = ["TopK"]
            guard proto.node.contains(where: { choosing.contains($0.opType) }), !Self.areAllRead(file, options) else {
                return nil
            }
            known = proto.tensors(without: choosing)
        }
        let left = left(known)
        guard !left.isEmpty else { return nil }
        operators = left.filter { !$0.isRead || choosing.contains($0.opType) }.map(\.opType).reduce(into: []) { names, name in
            if !names.contains(name) { names.append(name) }
        }
        let varying = proto.tensorsOfTheImage
        let makers = proto.makers
        var names: [String] = []
        for input in left.flatMap(\.input) where known.contains(input) && varying.contains(input) {
            let name = proto.whole(input, makers, of: varying)
            if !names.contains(name) { names.append(name) }
        }
        tensors = names.prefix(Self.most).compactMap { try? FileOutput(named: $0, of: file, options: options) }
        guard let suppression = left.first(where: { $0.opType == "NonMaxSuppression" }), suppression.input.count > 1 else {
            return
        }
        let inputs = suppression.input.prefix(2).filter { name in tensors.contains { $0.name == name } }
        guard inputs.count == 2 else { return }
        (boxes, scores) = (inputs[0], inputs[1])
        areCentred = suppression.attribute.contains { $0.name == "center_point_box" && $0.i == 1 }
        rowsAreFirst = file.proto.producerName.hasPrefix("tf")
    }
}

extension BeforeSelection {
    /// Whether each output of a file can be computed.
    private static func areAllRead(_ file: ModelFile, _ options: Network.Options) -> Bool {
        file.proto.graph.output.prefix(most).allSatisfy { output in
            (try? FileOutput(named: output.name, of: file, options: options)) != nil
        }
    }
}

extension ONNXGraphProto {
    /// Which node makes each tensor.
    fileprivate var makers: [String: Int] {
        Dictionary(
            node.enumerated().flatMap { index, node in node.output.map { ($0, index) } }, uniquingKeysWith: { first, _ in first })
    }

    /// What a tensor is a part of, or a comparison of a part: torchvision's detectors take the scores class by class, and compare each with a
    /// threshold.
    fileprivate func whole(_ name: String, _ makers: [String: Int], of varying: Set<String>) -> String {
        var name = name
        // A damaged file may go in a circle.
        for _ in node {
            guard let maker = makers[name].map({ node[$0] }), Self.takingParts.contains(maker.opType),
                let first = maker.input.first,
                varying.contains(first)
            else { break }
            name = first
        }
        return name
    }

    private static let takingParts: Set<String> = ["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Gather"]

    /// What nodes make of the file's inputs; a file need not keep to an order, and then some are missed.
    fileprivate var tensorsOfTheImage: Set<String> {
        let weights = Set(initializer.map(\.name))
        var varying = Set(input.map(\.name)).subtracting(weights)
        let inputs = varying
        for node in node where node.input.contains(where: varying.contains) { varying.formUnion(node.output) }
        return varying.subtracting(inputs)
    }

    /// Tensors that no unknown operator is needed for, and none of `others`.
    fileprivate func tensors(without others: Set<String>) -> Set<String> {
        var known = Set(initializer.map(\.name) + input.map(\.name) + [""])
        var rest = node
        // Files need not keep to an order.
        while true {
            let ready = rest.partition { node in
                node.isRead && !others.contains(node.opType) && known.isSuperset(of: node.input)
            }
            guard ready < rest.count else { return known }
            for node in rest[ready...] { known.formUnion(node.output) }
            rest.removeSubrange(ready...)
        }
    }
}
