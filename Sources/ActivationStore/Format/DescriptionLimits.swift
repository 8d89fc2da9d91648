/// What no network has: a file that tells of it is damaged, or made to break what reads it.
extension StoreDescription {
    /// Bytes of a name, a path or the preprocessing.
    package static let longestText = 1 << 16
    /// Cells of a map along one side, and pixels of the input.
    static let largestSide = 1 << 15
    /// Images of a list.
    static let longestList = 1 << 24
    /// Of sizes and distances in the input, in pixels: whole numbers of a double that are added up safely.
    private static let farthest = Double(1 << 40)
    /// Bytes of the lists of the strongest, while they grow.
    private static let listMemory = 1 << 40

    /// What is impossible of it, in words; nil where all may be.
    var impossibility: String? {
        let sides = 1...Self.largestSide
        guard sides.contains(model.inputHeight), sides.contains(model.inputWidth), (1...1 << 20).contains(model.inputChannels)
        else {
            return "it tells of an input of \(model.inputChannels)×\(model.inputHeight)×\(model.inputWidth)"
        }
        guard (1...1 << 20).contains(model.opset) else { return "it tells of operator set \(model.opset)" }
        guard neuronCount * topCount <= Self.listMemory / 12 else {
            return "it tells of lists of \(topCount) images of \(neuronCount) neurons each"
        }
        if let long = texts.first(where: { $0.text.utf8.count > Self.longestText }) {
            return "\(long.what) has \(long.text.utf8.count) bytes, more than the \(Self.longestText) that it may have"
        }
        for layer in layers {
            guard let field = layer.receptiveField else { continue }
            let lengths = [Double(field.height), Double(field.width), field.strideY, field.strideX]
            guard lengths.allSatisfy({ (0...Self.farthest).contains($0) }),
                [field.offsetY, field.offsetX].allSatisfy({ (-Self.farthest...Self.farthest).contains($0) })
            else { return "the receptive field of its layer \(layer.name) is none" }
        }
        return nil
    }

    private var texts: [(what: String, text: String)] {
        [
            ("the name of its model", model.name), ("the path of its model", model.path), ("its preprocessing", preprocessing),
            ("the hash of its model", model.sha256), ("the name of its output", model.output ?? ""),
            ("what is given of its inputs", model.inputs ?? ""),
        ]
            + layers.flatMap {
                [
                    ("the name of a layer", $0.name), ("the tensor of a layer", $0.tensor),
                    ("the operator of a layer", $0.operatorName),
                ]
            }
            + classes.map { ("the name of a class", $0) }
    }
}
