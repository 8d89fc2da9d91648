/// The order of a network's input channels.
public enum ChannelOrder: String, Sendable, Codable, CaseIterable {
    case rgb, bgr
    /// One channel: Pillow's `convert("L")`, (19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶.
    case grey
    /// As an array has them, however many: no picture of 8 bits has these.
    case bands

    /// How many channels the network sees; nil where any number will do.
    public var count: Int? {
        switch self {
        case .rgb, .bgr: 3
        case .grey: 1
        case .bands: nil
        }
    }

    /// Which of `count` channels are drawn as red, green and blue: of three and more the first three, of fewer the first alone.
    public func drawn(of count: Int) -> [Int] { count < 3 ? [0, 0, 0] : self == .bgr ? [2, 1, 0] : [0, 1, 2] }
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
        /// As plain, but the numbers that the file has, 0...255 of pictures of 8 bits and 0...65535 of those of 16: for networks that normalise
        /// pictures themselves, and for measurements.
        case raw
        /// Ultralytics' for detectors: the whole picture in a letterbox of grey 114, resized as by OpenCV, values 0...1.
        case letterbox
        /// PaddleOCR's for recognisers of text: a line as high as the input, resized as by OpenCV, the rest zero to the network; BGR, values −1...1.
        case textLine = "text-line"

        /// The size of picture that the recipe is known for; nil where it takes any.
        public var size: Size? {
            switch self {
            case .torchvision, .caffe: Size(width: 224, height: 224)
            case .plain, .raw, .letterbox, .textLine: nil
            }
        }
    }

    /// The padding of letterboxes, unless another is said: ultralytics' grey.
    public static let letterboxPadding = Color(114, 114, 114)
    /// What is drawn where a line of text is padded with zeros: about what they are.
    public static let textLinePadding = Color(128, 128, 128)

    public var resize: Framing.Resize
    /// The network's input size.
    public var crop: Size
    public var interpolation: Interpolation
    /// Which Pillow the resize is that of.
    public var passOrder: PassOrder = .adaptive
    /// The picture's colour where it does not reach, before it is scaled as its other pixels are.
    public var padding: Color = .black
    /// Whether the network sees zeros there instead, which no colour of 8 bits may be; the padding's colour is then only drawn.
    public var padsWithZeros = false
    /// What becomes of levels of more than 8 bits.
    public var levels = Levels()
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
            !mean.isEmpty && mean.count == deviation.count && mean.count == channels.count ?? mean.count,
            "a channel needs a mean and a deviation: \(channels.rawValue) has not \(mean.count) and \(deviation.count)")
        precondition(divisor != 0 && !deviation.contains(0), "a divisor and a deviation are not 0")
        self.resize = resize
        self.crop = crop
        self.interpolation = interpolation
        self.channels = channels
        self.divisor = divisor
        self.mean = mean
        self.deviation = deviation
    }

    /// A recipe for a network of the given input size and number of channels.
    ///
    /// `torchvision` and `caffe` resize the shorter side to 256/224 of the input's longer side, rounded: 256 for 224, 342
    /// for 299 (as torchvision does for Inception), 37 for 32. With one channel the mean is that of the three; with other numbers than
    /// 1 and 3, which only arrays have, nothing is subtracted.
    public init(_ preset: Preset, input: Size, channelCount: Int = 3) {
        precondition(channelCount >= 1, "a picture has a channel at least, not \(channelCount)")
        let side = max(input.width, input.height)
        let shorterSide = Framing.Resize.shorterSide((side * 256 * 2 + 224) / (224 * 2))
        let isGrey = channelCount == 1
        func values(_ three: [Double]) -> [Double] { isGrey ? [three.reduce(0, +) / 3] : three }
        guard isGrey || channelCount == 3 else {
            let isPlain = preset == .plain || preset == .raw
            self.init(
                resize: isPlain
                    ? .exact(width: input.width, height: input.height) : preset == .letterbox ? .letterbox(.center) : shorterSide,
                crop: input, channels: .bands, divisor: preset == .raw || preset == .caffe ? 1 : 255,
                mean: [Double](repeating: 0, count: channelCount), deviation: [Double](repeating: 1, count: channelCount))
            if preset == .textLine { frame(by: .textLine) }
            if preset == .letterbox || preset == .textLine { interpolation = .opencv }
            levels.areNumbers = preset == .raw
            return
        }
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
            levels.areNumbers = preset == .raw
        case .letterbox:
            self.init(.plain, input: input, channelCount: channelCount)
            (resize, interpolation, padding) = (.letterbox(.center), .opencv, Self.letterboxPadding)
        case .textLine:
            self.init(
                resize: .none, crop: input, interpolation: .opencv, channels: isGrey ? .grey : .bgr,
                mean: values([0.5, 0.5, 0.5]), deviation: values([0.5, 0.5, 0.5]))
            frame(by: .textLine)
        }
    }

    /// Takes another resize, and with it the padding that goes with it.
    public mutating func frame(by other: Framing.Resize) {
        func kind(_ resize: Framing.Resize) -> Int {
            switch resize {
            case .letterbox: 1
            case .textLine: 2
            case .none, .exact, .shorterSide: 0
            }
        }
        let (old, new) = (kind(resize), kind(other))
        resize = other
        guard old != new else { return }
        padding = [.black, Self.letterboxPadding, Self.textLinePadding][new]
        padsWithZeros = new == 2
    }

    /// Leaves pixel values as they are in the picture, 0...255.
    public mutating func keepBytes() {
        divisor = 1
        mean = mean.map { _ in 0 }
        deviation = deviation.map { _ in 1 }
        levels.areNumbers = false
    }

    /// Whether pictures are put whole into a frame with padding.
    public var isLetterbox: Bool {
        if case .letterbox = resize { true } else { false }
    }

    /// The geometry, for `ImageReader.read`.
    public var framing: Framing {
        Framing(
            resize: resize, crop: crop, interpolation: interpolation, passOrder: passOrder, padding: padding,
            channels: channelCount, levels: levels)
    }

    /// How many channels the network sees.
    public var channelCount: Int { mean.count }

    /// How many values one picture's tensor has.
    public var valueCount: Int { crop.width * crop.height * channelCount }

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
        (0..<channelCount).flatMap { channel in
            (0..<256).map { (Float($0) / Float(divisor) - Float(mean[channel])) / Float(deviation[channel]) }
        }
    }

    /// What a shade of a picture becomes, a value a channel.
    ///
    /// - Parameters:
    ///   - shade: from 0, black, to 255, white.
    ///   - image: cropped; of an array, black and white are the smallest and the largest of its numbers, as it is drawn.
    public func values(ofShade shade: UInt8, in image: Image) -> [Float] {
        guard let samples = image.samples else { return (0..<channelCount).map { table[$0 * 256 + Int(shade)] } }
        let ends: ClosedRange<Float>
        if case .levels(let white) = samples.kind { ends = 0...white } else { ends = samples.drawn ?? 0...0 }
        let number = ends.lowerBound + (ends.upperBound - ends.lowerBound) * Float(shade) / 255
        let scaled = samples.areBytes ? number / Float(divisor) : number
        return (0..<channelCount).map { (scaled - Float(mean[$0])) / Float(deviation[$0]) }
    }

    /// Writes a cropped picture's tensor: height × width × channels (NHWC) float32.
    ///
    /// - Precondition: `image` has the crop's size, and `buffer` room for `valueCount` values.
    public func write(_ image: Image, to buffer: UnsafeMutableBufferPointer<Float>) {
        precondition(
            image.width == crop.width && image.height == crop.height,
            "the network's input is \(crop.height)×\(crop.width), not \(image.height)×\(image.width)")
        precondition(buffer.count >= valueCount, "\(valueCount) values do not fit into \(buffer.count)")
        if let samples = image.samples {
            write(samples, to: buffer)
        } else {
            writePixels(of: image, to: buffer)
        }
        guard padsWithZeros, let shown = image.shown else { return }
        for row in 0..<image.height {
            let isShown = shown.rows.contains(row)
            for column in 0..<image.width where !(isShown && shown.columns.contains(column)) {
                for channel in 0..<channelCount { buffer[(row * image.width + column) * channelCount + channel] = 0 }
            }
        }
    }

    private func writePixels(of image: Image, to buffer: UnsafeMutableBufferPointer<Float>) {
        let count = image.width * image.height
        table.withUnsafeBufferPointer { table in
            image.pixels.withUnsafeBufferPointer { pixels in
                switch channels {
                case .bands: preconditionFailure("\(channelCount) channels are no picture of 8 bits, but an array")
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

    /// An array's numbers, in its own order of channels, or levels, in the network's: bytes divided as pixels are, all others as they are; then mean
    /// and deviation.
    private func write(_ samples: Samples, to buffer: UnsafeMutableBufferPointer<Float>) {
        let count = channelCount
        precondition(samples.channels == count, "the network sees \(count) channels, and the array has \(samples.channels)")
        let divisor: Float = samples.areBytes ? Float(self.divisor) : 1
        let (means, deviations) = (mean.map { Float($0) }, deviation.map { Float($0) })
        var isReversed = false
        if case .levels = samples.kind { isReversed = channels == .bgr }
        let order = isReversed ? [2, 1, 0] : Array(0..<count)
        samples.values.withUnsafeBufferPointer { values in
            for start in stride(from: 0, to: valueCount, by: count) {
                for channel in 0..<count {
                    buffer[start + channel] = (values[start + order[channel]] / divisor - means[channel]) / deviations[channel]
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
