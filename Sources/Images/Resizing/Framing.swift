/// How a picture is brought into a network's frame: resized, then cropped at its centre, as torchvision's `Resize` and
/// `CenterCrop` do.
public struct Framing: Sendable, Equatable {
    /// The size a picture is resized to, before the crop. Its text form is that of the command line.
    public enum Resize: Sendable, Equatable {
        /// The shorter side becomes this long; the other keeps the proportions, rounded down.
        case shorterSide(Int)
        /// Exactly this size, whatever the proportions.
        case exact(width: Int, height: Int)
        /// No resize.
        case none
    }

    public var resize: Resize
    /// The size of the crop, black (0) where the picture does not reach; nil: the whole resized picture.
    public var crop: Size?
    public var interpolation: Interpolation
    public var passOrder: PassOrder

    public init(
        resize: Resize, crop: Size?, interpolation: Interpolation = .bilinear, passOrder: PassOrder = .adaptive
    ) {
        self.resize = resize
        self.crop = crop
        self.interpolation = interpolation
        self.passOrder = passOrder
    }

    /// Where a picture of the given upright size ends up.
    ///
    /// - Precondition: all sizes are positive.
    public func placement(sourceWidth: Int, sourceHeight: Int) -> Placement {
        precondition(sourceWidth > 0 && sourceHeight > 0, "a picture has at least one pixel")
        var resized = Size(width: sourceWidth, height: sourceHeight)
        switch resize {
        case .none: break
        case .exact(let width, let height): resized = Size(width: width, height: height)
        case .shorterSide(let side):
            if sourceWidth <= sourceHeight {
                resized = Size(width: side, height: side * sourceHeight / sourceWidth)
            } else {
                resized = Size(width: side * sourceWidth / sourceHeight, height: side)
            }
        }
        let crop = self.crop ?? resized
        return Placement(
            source: Size(width: sourceWidth, height: sourceHeight), resized: resized,
            x: Framing.offset(of: crop.width, in: resized.width),
            y: Framing.offset(of: crop.height, in: resized.height), crop: crop)
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
    /// `256`, `192x224` (height × width, as the inputs of networks are printed) or `none`.
    public var description: String {
        switch self {
        case .shorterSide(let side): "\(side)"
        case .exact(let width, let height): "\(height)x\(width)"
        case .none: "none"
        }
    }

    /// Reads the text form; nil when it is none of the three or a size is not in 1...65535.
    public init?(_ description: String) {
        if description == "none" {
            self = .none
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

/// Where one picture lies in a network's frame, to go from the one's coordinates to the other's.
public struct Placement: Sendable, Equatable {
    /// The upright picture.
    public let source: Size
    /// The picture after the resize.
    public let resized: Size
    /// The crop's left column in the resized picture; negative where black was added.
    public let x: Int
    /// The crop's top row in the resized picture; negative where black was added.
    public let y: Int
    /// The crop: the network's frame.
    public let crop: Size

    /// The part of the upright picture seen in a rectangle of the network's frame. It may reach outside the picture,
    /// where the frame shows black or padding: see `Rectangle.clipped`.
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
