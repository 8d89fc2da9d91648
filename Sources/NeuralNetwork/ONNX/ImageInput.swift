/// The input of a file that is no weight and is not given: an image, as the file declares it.
struct ImageInput {
    let name: String
    let channels: Int
    let height: Int
    let width: Int
    /// How many images the file runs at once; nil where it leaves that open.
    let batch: Int?
    /// [batch, height, width, channels], as TensorFlow has it; else [batch, channels, height, width].
    let channelsAreLast: Bool
    let type: ElementType

    /// Whether the first axis is the batch; else the file takes one image, [channels, height, width] or [height, width, channels], as
    /// torchvision's detectors do.
    let hasBatch: Bool

    /// - Parameter size: height and width, for an input that leaves them open.
    /// - Throws: `NetworkError.graph` for an input that takes no image, `NetworkError.openInputSize` where its size is not known.
    init(_ input: ONNXValueInfoProto, size: (height: Int, width: Int)?) throws {
        let number = input.type.tensorType.elemType
        guard let type = ElementType(rawValue: number), type != .bool else {
            throw NetworkError.graph(
                problem: "its input '\(input.name)' takes \(ElementType.name(of: number)), and no numbers that an image has")
        }
        var dims = input.extents
        hasBatch = dims.count != 3
        if !hasBatch { dims.insert(1, at: 0) }
        guard dims.count == 4 else {
            throw NetworkError.graph(
                problem:
                    "its input '\(input.name)' has \(dims.count) axes; neurodex reads images [batch, channels, height, width] or [batch, height, width, channels], or one without the batch"
            )
        }
        name = input.name
        self.type = type
        batch = dims[0]
        // Pictures have one channel or three, and at least eight rows and columns.
        channelsAreLast = [dims[1], dims[2]].allSatisfy { ($0 ?? .max) >= 8 } && (dims[3] == 1 || dims[3] == 3)
        let (channels, first) = channelsAreLast ? (dims[3], 1) : (dims[1], 2)
        guard let channels, (1...1024).contains(channels) else {
            throw NetworkError.graph(problem: "its input '\(input.name)' does not say how many channels an image has (axis 1)")
        }
        self.channels = channels
        (height, width) = try Self.size(dims[first], dims[first + 1], given: size, input: input.name)
    }

    private static func size(
        _ height: Int?, _ width: Int?, given: (height: Int, width: Int)?, input: String
    ) throws -> (Int, Int) {
        if let given, given.height != height ?? given.height || given.width != width ?? given.width {
            let fixed = [height, width].map { $0.map(String.init) ?? "any" }.joined(separator: "×")
            throw NetworkError.graph(
                problem:
                    "its input '\(input)' is \(fixed) pixels, and --input-size says \(given.height)×\(given.width); leave it out, or export the network for another size"
            )
        }
        guard let height = height ?? given?.height, let width = width ?? given?.width else {
            throw NetworkError.openInputSize(input: input)
        }
        guard (1...16384).contains(height), (1...16384).contains(width) else {
            throw NetworkError.graph(
                problem: "its input '\(input)' is \(height)×\(width) pixels; at most 16384×16384 are read")
        }
        return (height, width)
    }
}
