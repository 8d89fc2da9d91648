/// A width and a height, in pixels.
public struct Size: Sendable, Equatable, Hashable, Codable {
    public var width: Int
    public var height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }
}

/// An area in pixels from a picture's top left corner: pixel (x, y) covers x ..< x + 1 and y ..< y + 1.
public struct Rectangle: Sendable, Equatable, Hashable, Codable {
    public var x: Double
    public var y: Double
    public var width: Double
    public var height: Double

    public init(x: Double, y: Double, width: Double, height: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// The part inside a picture of the given size; of no width or height when there is none.
    public func clipped(to size: Size) -> Rectangle {
        clipped(to: Rectangle(x: 0, y: 0, width: Double(size.width), height: Double(size.height)))
    }

    /// The part inside another area; of no width or height when there is none.
    public func clipped(to area: Rectangle) -> Rectangle {
        let (rightmost, lowest) = (area.x + area.width, area.y + area.height)
        let left = min(max(x, area.x), rightmost)
        let top = min(max(y, area.y), lowest)
        let right = min(max(x + width, left), rightmost)
        let bottom = min(max(y + height, top), lowest)
        return Rectangle(x: left, y: top, width: max(right - left, 0), height: max(bottom - top, 0))
    }

    /// Whether there is nothing in it.
    public var isEmpty: Bool { width <= 0 || height <= 0 }

    /// The whole pixels of a picture of the given size that the area touches, at least one: columns and rows.
    public func pixels(in size: Size) -> (columns: Range<Int>, rows: Range<Int>) {
        let inside = clipped(to: size)
        func range(_ start: Double, _ length: Double, _ limit: Int) -> Range<Int> {
            // A mapping back and forth leaves coordinates a rounding error beside a pixel's edge.
            let lower = min(Int((start + 1e-6).rounded(.down)), limit - 1)
            let upper = min(max(Int((start + length - 1e-6).rounded(.up)), lower + 1), limit)
            return lower..<upper
        }
        return (range(inside.x, inside.width, size.width), range(inside.y, inside.height, size.height))
    }
}
