/// How a picture is brought into a network's frame: resized, then cropped at its centre, as torchvision's `Resize` and
/// `CenterCrop` do, or put whole into a letterbox, as detectors have it.
public struct Framing: Sendable, Equatable {
    /// The size a picture is resized to, before the crop. Its text form is that of the command line.
    public enum Resize: Sendable, Equatable {
        /// The shorter side becomes this long; the other keeps the proportions, rounded down.
        case shorterSide(Int)
        /// Exactly this size, whatever the proportions.
        case exact(width: Int, height: Int)
        /// No resize.
        case none
        /// The whole picture, as large as it fits into the crop with its proportions; the rest is padding.
        ///
        /// Sides are those of ultralytics' `LetterBox`: times the smaller of the two ratios, rounded to the nearest, halves to
        /// even.
        case letterbox(Anchor)
        /// A line of text: as high as the crop and as wide as its proportions then make it, but no wider than the crop, into which a longer line is
        /// squeezed; it stands at the left, and the rest is padding.
        ///
        /// The width is that of PaddleOCR's `resize_norm_img`, height · w / h rounded up.
        case textLine
    }

    /// Where a letterbox has the picture.
    public enum Anchor: Sendable, Equatable {
        /// In the middle; of an odd number of rows or columns of padding, the one more comes last.
        case center
        /// At the top left, all padding to the right and below.
        case corner
    }

    public var resize: Resize
    /// The size of the crop, of the colour `padding` where the picture does not reach; nil: the whole resized picture.
    public var crop: Size?
    public var interpolation: Interpolation
    public var passOrder: PassOrder
    /// The colour where the picture does not reach; of arrays, zeros.
    public var padding: Color
    /// How many channels the network takes, by which an array's axes are told from each other; nil for any.
    public var channels: Int?
    /// What becomes of levels of more than 8 bits.
    public var levels: Levels

    public init(
        resize: Resize, crop: Size?, interpolation: Interpolation = .bilinear, passOrder: PassOrder = .adaptive,
        padding: Color = .black, channels: Int? = nil, levels: Levels = Levels()
    ) {
        self.resize = resize
        self.crop = crop
        self.interpolation = interpolation
        self.passOrder = passOrder
        self.padding = padding
        self.channels = channels
        self.levels = levels
    }

    /// Where a picture of the given upright size ends up.
    ///
    /// - Precondition: all sizes are positive.
    public func placement(sourceWidth: Int, sourceHeight: Int) -> Placement {
        precondition(sourceWidth > 0 && sourceHeight > 0, "a picture has at least one pixel")
        var resized = Size(width: sourceWidth, height: sourceHeight)
        var isAtCorner = false
        switch resize {
        case .none: break
        case .exact(let width, let height): resized = Size(width: width, height: height)
        case .shorterSide(let side):
            if sourceWidth <= sourceHeight {
                resized = Size(width: side, height: side * sourceHeight / sourceWidth)
            } else {
                resized = Size(width: side * sourceWidth / sourceHeight, height: side)
            }
        case .letterbox(let anchor):
            resized = Framing.fitted(resized, into: crop ?? resized)
            isAtCorner = anchor == .corner
        case .textLine:
            let frame = crop ?? resized
            let width = (Double(frame.height) * (Double(sourceWidth) / Double(sourceHeight))).rounded(.up)
            resized = Size(width: Int(min(width, Double(frame.width))), height: frame.height)
            isAtCorner = true
        }
        let crop = self.crop ?? resized
        return Placement(
            source: Size(width: sourceWidth, height: sourceHeight), resized: resized,
            x: isAtCorner ? 0 : Framing.offset(of: crop.width, in: resized.width),
            y: isAtCorner ? 0 : Framing.offset(of: crop.height, in: resized.height), crop: crop)
    }

    /// The size of a picture in a letterbox.
    private static func fitted(_ source: Size, into frame: Size) -> Size {
        let ratio = min(Double(frame.height) / Double(source.height), Double(frame.width) / Double(source.width))
        func side(_ length: Int, _ limit: Int) -> Int {
            min(max(Int((Double(length) * ratio).rounded(.toNearestOrEven)), 1), limit)
        }
        return Size(width: side(source.width, frame.width), height: side(source.height, frame.height))
    }

    /// Where a centred crop starts. When something is cut, the half pixel goes to the even side, as Python's `round`
    /// does; when something is added, the smaller half comes first.
    private static func offset(of crop: Int, in length: Int) -> Int {
        if crop > length { return -((crop - length) / 2) }
        let half = (length - crop) / 2
        return (length - crop).isMultiple(of: 2) ? half : half + half % 2
    }
}

extension Framing.Resize: LosslessStringConvertible {
    /// `256`, `192x224` (height × width, as the inputs of networks are printed), `letterbox`, `letterbox-corner`, `text-line` or
    /// `none`.
    public var description: String {
        switch self {
        case .shorterSide(let side): "\(side)"
        case .exact(let width, let height): "\(height)x\(width)"
        case .none: "none"
        case .letterbox(.center): "letterbox"
        case .letterbox(.corner): "letterbox-corner"
        case .textLine: "text-line"
        }
    }

    /// Reads the text form; nil when it is none of them or a size is not in 1...65535.
    public init?(_ description: String) {
        if let named = [Self.none, .letterbox(.center), .letterbox(.corner), .textLine].first(where: {
            $0.description == description
        }) {
            self = named
            return
        }
        let sides = description.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard sides.allSatisfy({ (1...65535).contains($0) }) else { return nil }
        switch sides.count {
        case 1: self = .shorterSide(sides[0])
        case 2: self = .exact(width: sides[1], height: sides[0])
        default: return nil
        }
    }
}

/// Some whole columns and rows of a picture.
public struct PictureArea: Sendable, Equatable {
    public var columns: Range<Int>
    public var rows: Range<Int>
}

/// Where one picture lies in a network's frame, to go from the one's coordinates to the other's.
public struct Placement: Sendable, Equatable {
    /// The upright picture.
    public let source: Size
    /// The picture after the resize.
    public let resized: Size
    /// The crop's left column in the resized picture; negative where padding was added.
    public let x: Int
    /// The crop's top row in the resized picture; negative where padding was added.
    public let y: Int
    /// The crop: the network's frame.
    public let crop: Size

    package init(source: Size, resized: Size, x: Int, y: Int, crop: Size) {
        (self.source, self.resized, self.x, self.y, self.crop) = (source, resized, x, y, crop)
    }

    /// The columns and rows of the network's frame that show the picture; all others are padding.
    public var shown: PictureArea {
        func range(_ offset: Int, _ resized: Int, _ crop: Int) -> Range<Int> {
            let lower = max(-offset, 0)
            return lower..<max(min(resized - offset, crop), lower)
        }
        return PictureArea(columns: range(x, resized.width, crop.width), rows: range(y, resized.height, crop.height))
    }

    /// Whether the network's frame shows something beside the picture.
    public var isPadded: Bool { shown.columns.count < crop.width || shown.rows.count < crop.height }

    /// The part of the network's frame that shows the picture.
    public var shownRectangle: Rectangle {
        Rectangle(
            x: Double(shown.columns.lowerBound), y: Double(shown.rows.lowerBound), width: Double(shown.columns.count),
            height: Double(shown.rows.count))
    }

    /// The part of the upright picture seen in a rectangle of the network's frame. It may reach outside the picture,
    /// where the frame shows padding: see `Rectangle.clipped`.
    public func sourceRectangle(ofInput rectangle: Rectangle) -> Rectangle {
        let across = Double(source.width) / Double(resized.width)
        let down = Double(source.height) / Double(resized.height)
        return Rectangle(
            x: (rectangle.x + Double(x)) * across, y: (rectangle.y + Double(y)) * down,
            width: rectangle.width * across, height: rectangle.height * down)
    }

    /// Where a rectangle of the upright picture lies in the network's frame: the inverse of `sourceRectangle`.
    public func inputRectangle(ofSource rectangle: Rectangle) -> Rectangle {
        let across = Double(resized.width) / Double(source.width)
        let down = Double(resized.height) / Double(source.height)
        return Rectangle(
            x: rectangle.x * across - Double(x), y: rectangle.y * down - Double(y),
            width: rectangle.width * across, height: rectangle.height * down)
    }
}
