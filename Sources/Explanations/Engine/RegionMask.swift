import Foundation
import Images
import Support

/// A region of a picture that a user drew: a picture of the same shape, in which what is not black is in.
struct RegionMask {
    let file: String
    /// SHA-256 of the file, in hexadecimal.
    let digest: String
    private let image: Image

    /// - Throws: `ExplanationError.mask` for a file that cannot be read as a picture, and one that is black everywhere.
    init(_ file: String) throws {
        let reader = ImageReader()
        do {
            let (image, digest) = try reader.withContents(of: file) { bytes throws(ImageError) in
                (try reader.decode(bytes), Data(SHA256.hash(data: bytes)))
            }
            (self.file, self.image, self.digest) = (file, image, digest.hexadecimal)
        } catch {
            throw ExplanationError.mask(file: file, problem: "cannot be read as a mask: \(error)")
        }
        guard image.pixels.contains(where: { $0 > 0 }) else {
            throw ExplanationError.mask(file: file, problem: "is black everywhere; what is not black is the region")
        }
    }

    var size: Size { Size(width: image.width, height: image.height) }

    /// Whether its sides are in the ratio of a picture's, up to rounding to a pixel.
    func fits(_ picture: Size) -> Bool {
        let height = Double(picture.height) * Double(size.width) / Double(picture.width)
        let width = Double(picture.width) * Double(size.height) / Double(picture.height)
        return abs(height - Double(size.height)) < 1 || abs(width - Double(size.width)) < 1
    }

    /// Which pixels of the network's frame show a point of the region with their middle.
    func frame(in placement: Placement) -> PixelSet {
        var pixels = PixelSet(of: placement.crop.width * placement.crop.height)
        let sources = SourcePixels(placement)
        let across = Double(size.width) / Double(placement.source.width)
        let down = Double(size.height) / Double(placement.source.height)
        for (row, y) in zip(placement.shown.rows, sources.rows) {
            for (column, x) in zip(placement.shown.columns, sources.columns) {
                let place = (x: Int((Double(x) + 0.5) * across), y: Int((Double(y) + 0.5) * down))
                let color = image[min(place.x, size.width - 1), min(place.y, size.height - 1)]
                if color != .black { pixels.insert(row * placement.crop.width + column) }
            }
        }
        return pixels
    }
}
