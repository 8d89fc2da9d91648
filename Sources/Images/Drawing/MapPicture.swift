/// The pictures of a map of levels 0...1: alone, and over a photograph that is grey, so that every colour is the map's.
public struct MapPicture: Sendable {
    private let large: [Float]
    private let size: Size
    private let colors: [Color]
    /// Whether ½ is zero; else 0 is.
    public var isSigned = false
    /// How much of the photograph the largest values cover, 0...1; zero covers nothing.
    public var opacity: Float = 0.7
    /// How fast it is covered: fully at one over this of the largest value.
    public var strength: Float = 1

    /// - Parameters:
    ///   - levels: `width` × `height`, rows from the top.
    ///   - size: of the pictures.
    ///   - isPixelated: the cells are shown, not blended.
    public init(levels: [Float], width: Int, height: Int, size: Size, isPixelated: Bool = false, colormap: Colormap) {
        self.size = size
        colors = colormap.colors
        large =
            isPixelated
            ? (0..<size.width * size.height).map { pixel in
                levels[pixel / size.width * height / size.height * width + pixel % size.width * width / size.width]
            }
            : Overlay.upsample(levels, width: width, height: height, toWidth: size.width, toHeight: size.height)
    }

    public var alone: Image {
        Image(width: size.width, height: size.height) { target in
            for (pixel, level) in large.enumerated() {
                let color = colors[Colormap.index(of: level)]
                (target[3 * pixel], target[3 * pixel + 1], target[3 * pixel + 2]) = (color.red, color.green, color.blue)
            }
        }
    }

    /// Over the photograph in grey: darkened where zero is the darkest colour, lightened where it is the middle.
    ///
    /// - Precondition: the photograph has the size.
    public func over(_ image: Image) -> Image {
        precondition(image.width == size.width && image.height == size.height, "a photograph of another size")
        return Image(width: size.width, height: size.height) { target in
            image.pixels.withUnsafeBufferPointer { source in
                for (pixel, level) in large.enumerated() {
                    let (red, green, blue) = (source[3 * pixel], source[3 * pixel + 1], source[3 * pixel + 2])
                    // ITU-R BT.601, in thousandths.
                    let grey = (299 * Int(red) + 587 * Int(green) + 114 * Int(blue)) / 1000
                    let ground = Float(isSigned ? 255 - (255 - grey) * 3 / 4 : grey * 3 / 4)
                    let share = min(1, strength * (isSigned ? abs(2 * level - 1) : level)) * opacity
                    let color = colors[Colormap.index(of: level)]
                    func mix(_ ink: UInt8) -> UInt8 { UInt8(ground + (Float(ink) - ground) * share) }
                    (target[3 * pixel], target[3 * pixel + 1], target[3 * pixel + 2]) = (
                        mix(color.red), mix(color.green), mix(color.blue)
                    )
                }
            }
        }
    }
}
