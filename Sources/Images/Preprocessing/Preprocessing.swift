/// The order of a network's input channels.
public enum ChannelOrder: String, Sendable, Codable, CaseIterable {
    case rgb, bgr
    /// One channel: Pillow's `convert("L")`, (19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶.
    case grey

    /// How many channels the network sees.
    public var count: Int { self == .grey ? 1 : 3 }
}

/// How a decoded picture becomes a network's input: resize, crop, channel order and normalisation.
///
/// A value v (0...255) of a channel becomes `(v / divisor − mean) / deviation`, each step in float32 as in torchvision's
/// `ToTensor` and `Normalize`: the results are equal bit for bit.
public struct Preprocessing: Sendable, Equatable {
    /// The well-known recipes.
    public enum Preset: String, Sendable, CaseIterable {
        /// Torchvision's for ImageNet: shorter side to 256, centre crop of 224, ImageNet's mean and deviation.
        case torchvision
        /// Caffe's: as torchvision's, but BGR in 0...255 less the mean 104, 117, 123.
        case caffe
        /// Resized straight to the input size, values 0...1.
        case plain
        /// As plain, but values 0...255: for networks that normalise pictures themselves.
        case raw
        /// Ultralytics' for detectors: the whole picture in a letterbox of grey 114, resized as by OpenCV, values 0...1.
        case letterbox

        /// The size of picture that the recipe is known for; nil where it takes any.
        public var size: Size? {
            switch self {
            case .torchvision, .caffe: Size(width: 224, height: 224)
            case .plain, .raw, .letterbox: nil
            }
        }
    }

    /// The padding of letterboxes, unless another is said: ultralytics' grey.
    public static let letterboxPadding = Color(114, 114, 114)

    public var resize: Framing.Resize
    /// The network's input size.
    public var crop: Size
    public var interpolation: Interpolation
    /// Which Pillow the resize is that of.
    public var passOrder: PassOrder = .adaptive
    /// The picture's colour where it does not reach, before it is scaled as its other pixels are.
    public var padding: Color = .black
    public var channels: ChannelOrder
    /// What pixel values are divided by first: 255 for networks that see 0...1, or 1.
    public var divisor: Double
    /// Subtracted after the division; one value a channel, in the order the network sees them.
    public var mean: [Double]
    /// Divided by last; one value a channel, in the order the network sees them.
    public var deviation: [Double]

    /// - Precondition: `mean` and `deviation` have a value for each channel, and nothing is divided by 0.
    public init(
        resize: Framing.Resize, crop: Size, interpolation: Interpolation = .bilinear, channels: ChannelOrder = .rgb,
        divisor: Double = 255, mean: [Double], deviation: [Double]
    ) {
        precondition(
            mean.count == channels.count && deviation.count == channels.count,
            "\(channels.count) channels need as many means and deviations, not \(mean.count) and \(deviation.count)")
        precondition(divisor != 0 && !deviation.contains(0), "a divisor and a deviation are not 0")
        self.resize = resize
        self.crop = crop
        self.interpolation = interpolation
        self.channels = channels
        self.divisor = divisor
        self.mean = mean
        self.deviation = deviation
    }

    /// A recipe for a network of the given input size and number of channels (1 or 3).
    ///
    /// `torchvision` and `caffe` resize the shorter side to 256/224 of the input's longer side, rounded: 256 for 224, 342
    /// for 299 (as torchvision does for Inception), 37 for 32. With one channel the mean is that of the three.
    public init(_ preset: Preset, input: Size, channelCount: Int = 3) {
        precondition(channelCount == 1 || channelCount == 3, "a picture has 1 or 3 channels, not \(channelCount)")
        let side = max(input.width, input.height)
        let shorterSide = Framing.Resize.shorterSide((side * 256 * 2 + 224) / (224 * 2))
        let isGrey = channelCount == 1
        func values(_ three: [Double]) -> [Double] { isGrey ? [three.reduce(0, +) / 3] : three }
        switch preset {
        case .torchvision:
            self.init(
                resize: shorterSide, crop: input, channels: isGrey ? .grey : .rgb,
                mean: values([0.485, 0.456, 0.406]), deviation: values([0.229, 0.224, 0.225]))
        case .caffe:
            self.init(
                resize: shorterSide, crop: input, channels: isGrey ? .grey : .bgr, divisor: 1,
                mean: values([104, 117, 123]), deviation: values([1, 1, 1]))
        case .plain, .raw:
            self.init(
                resize: .exact(width: input.width, height: input.height), crop: input, channels: isGrey ? .grey : .rgb,
                divisor: preset == .raw ? 1 : 255, mean: values([0, 0, 0]), deviation: values([1, 1, 1]))
        case .letterbox:
            self.init(.plain, input: input, channelCount: channelCount)
            (resize, interpolation, padding) = (.letterbox(.center), .opencv, Self.letterboxPadding)
        }
    }

    /// Leaves pixel values as they are in the picture, 0...255.
    public mutating func keepBytes() {
        divisor = 1
        mean = mean.map { _ in 0 }
        deviation = deviation.map { _ in 1 }
    }

    /// Whether pictures are put whole into a frame with padding.
    public var isLetterbox: Bool {
        if case .letterbox = resize { true } else { false }
    }

    /// The geometry, for `ImageReader.read`.
    public var framing: Framing {
        Framing(resize: resize, crop: crop, interpolation: interpolation, passOrder: passOrder, padding: padding)
    }

    /// How many values one picture's tensor has.
    public var valueCount: Int { crop.width * crop.height * channels.count }

    /// The part of an upright picture seen in a rectangle of the network's input; it may reach outside the picture.
    public func sourceRectangle(ofInput rectangle: Rectangle, imageWidth: Int, imageHeight: Int) -> Rectangle {
        framing.placement(sourceWidth: imageWidth, sourceHeight: imageHeight).sourceRectangle(ofInput: rectangle)
    }

    /// Where a rectangle of an upright picture lies in the network's input.
    public func inputRectangle(ofSource rectangle: Rectangle, imageWidth: Int, imageHeight: Int) -> Rectangle {
        framing.placement(sourceWidth: imageWidth, sourceHeight: imageHeight).inputRectangle(ofSource: rectangle)
    }
}

// MARK: - Values

extension Preprocessing {
    /// What each pixel value becomes: 256 floats a channel, in the order the network sees them.
    public var table: [Float] {
        (0..<channels.count).flatMap { channel in
            (0..<256).map { (Float($0) / Float(divisor) - Float(mean[channel])) / Float(deviation[channel]) }
        }
    }

    /// Writes a cropped picture's tensor: height × width × channels (NHWC) float32.
    ///
    /// - Precondition: `image` has the crop's size, and `buffer` room for `valueCount` values.
    public func write(_ image: Image, to buffer: UnsafeMutableBufferPointer<Float>) {
        precondition(
            image.width == crop.width && image.height == crop.height,
            "the network's input is \(crop.height)×\(crop.width), not \(image.height)×\(image.width)")
        precondition(buffer.count >= valueCount, "\(valueCount) values do not fit into \(buffer.count)")
        let count = image.width * image.height
        table.withUnsafeBufferPointer { table in
            image.pixels.withUnsafeBufferPointer { pixels in
                switch channels {
                case .grey:
                    for i in 0..<count {
                        let (red, green, blue) = (Int(pixels[3 * i]), Int(pixels[3 * i + 1]), Int(pixels[3 * i + 2]))
                        buffer[i] = table[(red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16]
                    }
                case .rgb, .bgr:
                    let first = channels == .rgb ? 0 : 2
                    let last = 2 - first
                    for i in 0..<count {
                        buffer[3 * i] = table[Int(pixels[3 * i + first])]
                        buffer[3 * i + 1] = table[256 + Int(pixels[3 * i + 1])]
                        buffer[3 * i + 2] = table[512 + Int(pixels[3 * i + last])]
                    }
                }
            }
        }
    }

    /// A cropped picture's tensor: height × width × channels float32.
    public func tensor(from image: Image) -> [Float] {
        [Float](unsafeUninitializedCapacity: valueCount) { buffer, initialized in
            write(image, to: buffer)
            initialized = valueCount
        }
    }
}
