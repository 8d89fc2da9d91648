/// The part of the network's input that a layer's positions depend on, along both axes.
///
/// Position `p` along an axis sees the input pixels `start + p * stride ..< start + p * stride + size`, those outside
/// the picture being padding. Computed layer by layer as in Araujo et al., "Computing Receptive Fields of Convolutional
/// Neural Networks", Distill 2019, https://distill.pub/2019/computing-receptive-fields.
public struct ReceptiveField: Equatable, Hashable, Codable, Sendable {
    public struct Axis: Equatable, Hashable, Codable, Sendable {
        /// Input pixels that one position sees.
        public var size: Int
        /// Input pixels from one position to the next.
        public var stride: Int
        /// The first input pixel that position 0 sees; negative in the padding.
        public var start: Int

        public init(size: Int, stride: Int, start: Int) {
            self.size = size
            self.stride = stride
            self.start = start
        }

        /// Through a window that covers `kernel` positions (dilation included), `step` apart, after `padding`.
        func through(kernel: Int, step: Int, padding: Int) -> Axis {
            Axis(size: size + (kernel - 1) * stride, stride: stride * step, start: start - padding * stride)
        }

        func union(_ other: Axis) -> Axis {
            let first = min(start, other.start)
            return Axis(
                size: max(start + size, other.start + other.size) - first, stride: max(stride, other.stride), start: first)
        }

        /// The pixels that position `position` sees, cut at the picture's edges.
        public func range(at position: Int, extent: Int) -> Range<Int> {
            let first = start + position * stride
            let lower = min(max(first, 0), max(extent - 1, 0))
            return lower..<max(lower + 1, min(first + size, extent))
        }
    }

    public var y: Axis
    public var x: Axis

    public init(y: Axis, x: Axis) {
        self.y = y
        self.x = x
    }

    /// The input itself: a position sees one pixel.
    static let pixel = ReceptiveField(y: Axis(size: 1, stride: 1, start: 0), x: Axis(size: 1, stride: 1, start: 0))

    /// Everything: what a fully connected layer sees of an input of this size.
    static func whole(height: Int, width: Int) -> ReceptiveField {
        ReceptiveField(y: Axis(size: height, stride: height, start: 0), x: Axis(size: width, stride: width, start: 0))
    }

    /// Everything, whichever position of a map it is.
    static func everything(of input: [Int], at map: (channels: Int, height: Int, width: Int)) -> ReceptiveField {
        func axis(_ extent: Int, _ count: Int) -> Axis { Axis(size: 2 * extent, stride: max(1, extent / count), start: -extent) }
        return ReceptiveField(y: axis(input[2], map.height), x: axis(input[3], map.width))
    }

    func union(_ other: ReceptiveField) -> ReceptiveField {
        ReceptiveField(y: y.union(other.y), x: x.union(other.x))
    }
}
