public import ActivationStore

/// The pictures of a store's images as its network saw them, for a question that looks at them; given by the program that can
/// read files. Used by one thread at a time.
public struct GivenPictures: Decodable {
    private let read: (StoredImage) -> SmallPicture?

    /// - Parameter read: gives nil for an image of which there is neither file nor thumbnail.
    public init(_ read: @escaping (StoredImage) -> SmallPicture?) { self.read = read }

    /// A command line names none.
    public init(from decoder: any Decoder) { read = { _ in nil } }

    func picture(of image: StoredImage) -> SmallPicture? { read(image) }
}

/// A question that looks at pictures, if it is given any.
public protocol PictureQuery: Query {
    var pictures: GivenPictures? { get set }
}

extension Query {
    /// The same question; with pictures, if it looks at any.
    public func looking(at pictures: () throws -> GivenPictures) rethrows -> Self {
        guard var asked = self as? any PictureQuery else { return self }
        asked.pictures = try pictures()
        return asked as? Self ?? self
    }
}

/// What a network saw of an image, without padding, made small.
public struct SmallPicture: Sendable {
    /// The longer side is at most so long, in pixels.
    public static let longestSide = 64

    /// A part of the network's input, in its pixels.
    public struct Area: Sendable {
        public var x: Double
        public var y: Double
        public var width: Double
        public var height: Double

        public init(x: Double, y: Double, width: Double, height: Double) {
            (self.x, self.y, self.width, self.height) = (x, y, width, height)
        }
    }

    /// RGB, 3 bytes a pixel, row by row.
    let pixels: [UInt8]
    let width: Int
    let height: Int
    /// What it shows.
    let area: Area

    public init(pixels: [UInt8], width: Int, height: Int, area: Area) {
        precondition(pixels.count == 3 * width * height, "\(pixels.count) bytes are no picture of \(width)×\(height) pixels")
        (self.pixels, self.width, self.height, self.area) = (pixels, width, height, area)
    }

    /// A part of it: three planes, 0 … 1, row by row.
    func planes(columns: Range<Int>, rows: Range<Int>) -> [Float] {
        let count = columns.count * rows.count
        return [Float](unsafeUninitializedCapacity: 3 * count) { planes, initialized in
            pixels.withUnsafeBufferPointer { pixels in
                var place = 0
                for plane in 0..<3 {
                    for y in rows {
                        for x in columns {
                            planes[place] = Float(pixels[3 * (y * width + x) + plane]) / 255
                            place += 1
                        }
                    }
                }
            }
            initialized = 3 * count
        }
    }

    /// The mean colours of its parts, 0 … 1: `parts` × `parts` parts, row by row; red, green, blue and saturation (the largest
    /// of the three less the smallest) of each.
    func colours(parts: Int) -> [Double] {
        (0..<parts * parts).flatMap { part -> [Double] in
            let (row, column) = part.quotientAndRemainder(dividingBy: parts)
            let (rows, columns) = (Self.part(row, of: parts, height), Self.part(column, of: parts, width))
            var sums = [0, 0, 0, 0]
            for y in rows {
                for x in columns {
                    let start = 3 * (y * width + x)
                    let (red, green, blue) = (Int(pixels[start]), Int(pixels[start + 1]), Int(pixels[start + 2]))
                    sums[0] += red
                    sums[1] += green
                    sums[2] += blue
                    sums[3] += max(red, green, blue) - min(red, green, blue)
                }
            }
            return sums.map { Double($0) / (255 * Double(rows.count * columns.count)) }
        }
    }

    /// Never empty, also of a picture that is smaller than it has parts.
    private static func part(_ index: Int, of parts: Int, _ length: Int) -> Range<Int> {
        let start = min(index * length / parts, length - 1)
        return start..<max(start + 1, (index + 1) * length / parts)
    }
}
