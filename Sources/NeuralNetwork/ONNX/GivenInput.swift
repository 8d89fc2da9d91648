/// What an input beside the image holds, the same for all images: a size, a scale, the vector of a text.
public struct GivenInput: Codable, Equatable, Hashable, Sendable {
    public var name: String
    /// Nil: as the file declares it; one number then fills it.
    public var shape: [Int]?
    /// Row-major.
    public var values: [Double]

    public init(name: String, shape: [Int]? = nil, values: [Double]) {
        (self.name, self.shape, self.values) = (name, shape, values)
    }
}

extension ONNXGraphProto {
    /// Inputs that are no weights, as old exporters list those too.
    func realInputs(isWeight: (String) -> Bool) -> [ONNXValueInfoProto] { input.filter { !isWeight($0.name) } }
}

extension ONNXValueInfoProto {
    /// Nil for an extent that the file leaves open.
    var extents: [Int?] {
        type.tensorType.shape.dim.map { $0.dimValue > 0 ? Int(clamping: $0.dimValue) : nil }
    }

    /// `'scale_factor' [any, 2]`
    fileprivate var summary: String {
        "'\(name)' [\(extents.map { $0.map(String.init) ?? "any" }.joined(separator: ", "))]"
    }

    /// The input as a constant.
    /// - Throws: `NetworkError.graph` for numbers that do not fit what the file declares.
    func constant(_ given: GivenInput) throws -> (tensor: HostTensor, type: ElementType) {
        let number = type.tensorType.elemType
        guard let type = ElementType(rawValue: number) else {
            throw NetworkError.graph(problem: "its input '\(name)' takes \(ElementType.name(of: number)), and no numbers")
        }
        let (declared, count) = (extents, given.values.count)
        var shape = given.shape ?? declared.map { $0 ?? 1 }
        var values = given.values
        if given.shape == nil, shape.reduce(1.0, { $0 * Double($1) }) <= 0x1p22 {
            let rest = shape.product
            if rest != count, let last = declared.lastIndex(of: nil), count.isMultiple(of: rest) { shape[last] = count / rest }
            if count == 1 { values = Array(repeating: values[0], count: shape.product) }
        }
        let fits =
            shape.count == declared.count && zip(shape, declared).allSatisfy { $1 == nil || $0 == $1 }
            && HostTensor.isReasonable(shape) && shape.product == values.count
        guard fits else {
            throw NetworkError.graph(
                problem:
                    "its input \(summary) is given \(count) number\(count == 1 ? "" : "s")\(given.shape.map { " of shape \($0)" } ?? ""), which do not fit; give as many with --input '\(name)=1,2,…', or a file.npy of that shape"
            )
        }
        guard type.isInteger else { return (HostTensor(values.map { Float($0) }, shape: shape), type) }
        let integers = values.compactMap { Int(exactly: $0) }
        guard integers.count == values.count else {
            throw NetworkError.graph(
                problem:
                    "its input \(summary) takes whole numbers, and is given \(values.prefix(3).map { "\($0)" }.joined(separator: ", "))"
            )
        }
        return (HostTensor(integers, shape: shape), type)
    }
}

extension [ONNXValueInfoProto] {
    /// The image and the other inputs, which must be given.
    /// - Throws: `NetworkError.graph` where one is not, or one that is not there is; `NetworkError.noSuchName`.
    func image(beside given: [GivenInput]) throws -> ONNXValueInfoProto {
        if let stranger = given.first(where: { given in !contains { $0.name == given.name } }) {
            throw NetworkError.noSuchName(kind: "input", name: stranger.name, known: map(\.name))
        }
        let open = filter { input in !given.contains { $0.name == input.name } }
        guard let image = open.first(where: { $0.extents.count == 4 }) ?? open.first else {
            throw NetworkError.graph(
                problem: isEmpty
                    ? "it has no input for an image" : "all of its inputs are given by --input; leave the image's out")
        }
        let others = open.filter { $0.name != image.name }
        guard others.isEmpty else {
            let list = others.map(\.summary).joined(separator: ", ")
            let options = others.map { "--input '\($0.name)=…'" }.joined(separator: " ")
            throw NetworkError.graph(
                problem:
                    "it has \(count) inputs: '\(image.name)' is the image, and \(list) \(others.count == 1 ? "is" : "are") beside it; say what \(others.count == 1 ? "it holds" : "they hold"), the same for all images: \(options), with a number, numbers with commas between, or a file.npy"
            )
        }
        return image
    }
}
