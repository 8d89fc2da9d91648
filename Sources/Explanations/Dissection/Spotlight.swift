import ActivationStore
public import Images
import NeuralNetwork

/// A picture of where a neuron is strong and where a concept is: dark where the neuron is not above its threshold, the
/// concept's outline drawn.
public struct Spotlight: Sendable {
    private let region: Mask
    private let concept: Mask

    private static let ink = Color(hex: 0xFFE119)
    private static let dimmed = 0.35

    /// - Precondition: both are of one size.
    public init(region: Mask, concept: Mask) {
        precondition(region.width == concept.width && region.height == concept.height, "masks of two sizes")
        (self.region, self.concept) = (region, concept)
    }

    /// - Parameters:
    ///   - image: of the masks' size.
    ///   - side: the longer one, in pixels.
    public func picture(of image: Image, side: Int) -> Image {
        let scale = max(Double(side) / Double(max(image.width, image.height)), 1)
        let (width, height) = (Int(Double(image.width) * scale), Int(Double(image.height) * scale))
        var picture = image.resized(width: width, height: height, interpolation: scale >= 3 ? .nearest : .bicubic)
        func place(_ x: Int, _ y: Int) -> Int {
            min(y * image.height / height, image.height - 1) * image.width + min(x * image.width / width, image.width - 1)
        }
        for y in 0..<height {
            for x in 0..<width where !region.isInside[place(x, y)] {
                let start = (y * width + x) * 3
                for index in start..<start + 3 { picture.pixels[index] = UInt8(Double(picture.pixels[index]) * Self.dimmed) }
            }
        }
        for y in 0..<height - 1 {
            for x in 0..<width - 1 {
                let own = concept.isInside[place(x, y)]
                guard own != concept.isInside[place(x + 1, y)] || own != concept.isInside[place(x, y + 1)] else { continue }
                picture.fill(x: x, y: y, width: 2, height: 2, with: Self.ink)
            }
        }
        return picture
    }
}

extension ConceptMasks {
    /// The pixels of the network's frame that are of a concept on a subject; nil of an image without a mask.
    /// - Throws: `MaskError`.
    public func mask(of concept: Int, on subject: InputImage) throws -> Mask? {
        guard let index = images.firstIndex(where: { $0.sha256 == subject.digest }) else { return nil }
        let placement = subject.framed.placement
        let part = try frame(of: index, in: placement).parts[concept]
        return Mask(part ?? PixelSet(of: placement.crop.width * placement.crop.height), in: placement.crop)
    }
}

extension Dissection {
    /// The pixels of the network's frame at which a channel's enlarged map lies above a threshold on a subject.
    /// - Throws: `NetworkError`.
    public static func region(
        ofLayer name: String, channel: Int, above threshold: Float, on subject: InputImage, in explainer: Explainer
    ) throws -> Mask {
        let layer = try explainer.layer(of: Target("\(name):\(channel)", in: explainer.description))
        let map = try explainer.activations(of: layer, on: subject)
        let plane = stride(from: channel, to: map.count, by: layer.channels).map { map[$0] }
        let placement = subject.framed.placement
        var pixels = PixelSet(of: placement.crop.width * placement.crop.height)
        var line = [Float](repeating: 0, count: layer.width)
        plane.withUnsafeBufferPointer { plane in
            line.withUnsafeMutableBufferPointer { line in
                guard let start = plane.baseAddress, let line = line.baseAddress else { return }
                FieldGrid(layer, size: placement.crop).add(start, above: threshold, to: &pixels, line: line, in: placement)
            }
        }
        return Mask(pixels, in: placement.crop)
    }
}

extension Mask {
    init(_ pixels: PixelSet, in size: Size) {
        self.init(
            width: size.width, height: size.height, isInside: (0..<size.width * size.height).map { pixels.contains($0) })
    }
}
