public import Images

/// Which pixels of a frame belong to a thing.
public struct Mask: Equatable, Sendable {
    public let width: Int
    public let height: Int
    /// By row, then column.
    public var isInside: [Bool]

    /// - Precondition: a value for each pixel.
    public init(width: Int, height: Int, isInside: [Bool]) {
        precondition(isInside.count == width * height, "\(isInside.count) values for \(width)×\(height) pixels")
        self.width = width
        self.height = height
        self.isInside = isInside
    }

    /// All pixels whose middle is in a box.
    public init(boxes: [Rectangle], in size: Size) {
        self.init(
            width: size.width, height: size.height, isInside: [Bool](repeating: false, count: size.width * size.height))
        for box in boxes {
            // From the first pixel whose middle is not left of the box to the first whose middle is right of it.
            func range(_ start: Double, _ length: Double, _ limit: Int) -> Range<Int> {
                let lower = min(max(Int((start - 0.5).rounded(.up)), 0), limit)
                return lower..<max(lower, min(Int((start + length - 0.5).rounded(.up)), limit))
            }
            let columns = range(box.x, box.width, size.width)
            for row in range(box.y, box.height, size.height) {
                for column in columns { isInside[row * size.width + column] = true }
            }
        }
    }

    /// In pixels.
    public var area: Int { isInside.count(where: { $0 }) }

    /// The smallest box around all pixels; nil of none.
    public var boundingBox: Rectangle? {
        var (left, right, top, bottom) = (width, -1, height, -1)
        for index in isInside.indices where isInside[index] {
            let (y, x) = index.quotientAndRemainder(dividingBy: width)
            (left, right, top, bottom) = (min(left, x), max(right, x), min(top, y), max(bottom, y))
        }
        guard right >= 0 else { return nil }
        return Rectangle(x: Double(left), y: Double(top), width: Double(right - left + 1), height: Double(bottom - top + 1))
    }

    /// Pixels of both by pixels of either, 0...1 (Jaccard 1901); 0 of two empty ones.
    ///
    /// - Precondition: both are of one size.
    public func intersectionOverUnion(with other: Mask) -> Double {
        precondition(width == other.width && height == other.height, "masks of two sizes")
        var (both, either) = (0, 0)
        for (a, b) in zip(isInside, other.isInside) {
            if a && b { both += 1 }
            if a || b { either += 1 }
        }
        return either == 0 ? 0 : Double(both) / Double(either)
    }

    /// With the pixels of all boxes together.
    public func intersectionOverUnion(with boxes: [Rectangle]) -> Double {
        intersectionOverUnion(with: Mask(boxes: boxes, in: Size(width: width, height: height)))
    }

    /// Of its box with the pixels of all boxes together: how well it locates.
    public func boxIntersectionOverUnion(with boxes: [Rectangle]) -> Double {
        let size = Size(width: width, height: height)
        return Mask(boxes: boundingBox.map { [$0] } ?? [], in: size).intersectionOverUnion(with: boxes)
    }

    /// The part of most pixels that touch along their sides; of equal ones, the one that begins first in row-major order.
    public var largestPart: Mask {
        var isOpen = isInside
        var best: [Int] = []
        for start in isOpen.indices where isOpen[start] {
            var part = [start]
            isOpen[start] = false
            var next = 0
            while next < part.count {
                let pixel = part[next]
                next += 1
                let (y, x) = pixel.quotientAndRemainder(dividingBy: width)
                let neighbours = [(y > 0, -width), (y + 1 < height, width), (x > 0, -1), (x + 1 < width, 1)]
                for (isThere, step) in neighbours where isThere && isOpen[pixel + step] {
                    isOpen[pixel + step] = false
                    part.append(pixel + step)
                }
            }
            if part.count > best.count { best = part }
        }
        var result = Mask(width: width, height: height, isInside: [Bool](repeating: false, count: isInside.count))
        for pixel in best { result.isInside[pixel] = true }
        return result
    }

    /// A picture with all that is outside replaced by a checkerboard.
    ///
    /// - Precondition: the picture is of the mask's size.
    public func cutOut(of image: Image) -> Image {
        precondition(image.width == width && image.height == height, "a picture of another size than its mask")
        let square = max(max(width, height) / 28, 1)
        var pixels = image.pixels
        for index in isInside.indices where !isInside[index] {
            let (y, x) = index.quotientAndRemainder(dividingBy: width)
            let level: UInt8 = (y / square + x / square) % 2 == 0 ? 255 : 208
            for channel in 0..<3 { pixels[3 * index + channel] = level }
        }
        return Image(width: width, height: height, pixels: pixels)
    }

    /// As a map: 1 inside, 0 outside.
    public var map: ExplanationMap {
        ExplanationMap(channels: 1, height: height, width: width, values: isInside.map { $0 ? 1 : 0 }, isSigned: false)
    }
}
