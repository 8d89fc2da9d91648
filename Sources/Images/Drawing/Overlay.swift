/// Pictures of maps: values coloured, alone or over the picture they explain.
public enum Overlay {
    /// How the values of a map become 0...1 for a colour map.
    public enum Scaling: Sendable, Equatable {
        /// The lowest value is 0, the highest 1; a constant map is 0 everywhere.
        case full
        /// Zero is in the middle, and the largest magnitude at an end: for signed maps. A map of zeros is ½ everywhere.
        case symmetric
        /// These two values are 0 and 1; what lies beyond is cut.
        case fixed(low: Float, high: Float)
    }

    /// A map as a picture of its own size.
    ///
    /// - Parameter map: `width * height` values, rows from the top. Values that are not finite do not take part in the
    ///   scaling; NaN and −∞ are drawn as the lowest, +∞ as the highest.
    /// - Precondition: the map has `width * height` values.
    public static func picture(
        of map: [Float], width: Int, height: Int, colormap: Colormap = .viridis, scaling: Scaling = .full
    ) -> Image {
        precondition(map.count == width * height, "a map of \(width)×\(height) has not \(map.count) values")
        let scaled = scale(map, scaling)
        let colors = colormap.colors
        return Image(width: width, height: height) { target in
            for (i, value) in scaled.enumerated() {
                let color = colors[Colormap.index(of: value)]
                target[3 * i] = color.red
                target[3 * i + 1] = color.green
                target[3 * i + 2] = color.blue
            }
        }
    }

    /// A map over a picture: enlarged bilinearly to the picture's size, coloured, and mixed in with `opacity` (0...1).
    public static func picture(
        of map: [Float], width: Int, height: Int, over image: Image, colormap: Colormap = .viridis,
        scaling: Scaling = .full, opacity: Float = 0.5
    ) -> Image {
        let large = upsample(map, width: width, height: height, toWidth: image.width, toHeight: image.height)
        let colored = picture(of: large, width: image.width, height: image.height, colormap: colormap, scaling: scaling)
        return image.mixed(with: colored, share: opacity)
    }

    /// A map at a larger size, bilinearly between the centres of its cells (PyTorch's `align_corners=False`); beyond the
    /// outermost centres it is constant.
    ///
    /// - Parameter part: what of the map is enlarged, in its cells; nil for all of it.
    public static func upsample(
        _ map: [Float], width: Int, height: Int, part: Rectangle? = nil, toWidth: Int, toHeight: Int
    ) -> [Float] {
        precondition(map.count == width * height, "a map of \(width)×\(height) has not \(map.count) values")
        let part = part ?? Rectangle(x: 0, y: 0, width: Double(width), height: Double(height))
        func positions(
            _ start: Double, _ length: Double, of source: Int, _ target: Int
        ) -> [(lower: Int, upper: Int, share: Float)] {
            let scale = Float(length) / Float(target)
            return (0..<target).map { i in
                let center = max(Float(start) + (Float(i) + 0.5) * scale - 0.5, 0)
                let lower = min(Int(center), source - 1)
                return (lower, min(lower + 1, source - 1), center - Float(lower))
            }
        }
        let across = positions(part.x, part.width, of: width, toWidth)
        return positions(part.y, part.height, of: height, toHeight).flatMap { row in
            across.map { column in
                func line(_ y: Int) -> Float {
                    let left = map[y * width + column.lower]
                    let right = map[y * width + column.upper]
                    return (1 - column.share) * left + column.share * right
                }
                return (1 - row.share) * line(row.lower) + row.share * line(row.upper)
            }
        }
    }

    /// The values of a map as 0...1.
    public static func scale(_ map: [Float], _ scaling: Scaling) -> [Float] {
        let finite = map.lazy.filter(\.isFinite)
        let low: Float
        let high: Float
        switch scaling {
        case .full: (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
        case .symmetric:
            let largest = finite.map(abs).max() ?? 0
            if largest == 0 { return map.map { _ in 0.5 } }
            (low, high) = (-largest, largest)
        case .fixed(let lowest, let highest): (low, high) = (lowest, highest)
        }
        let span = high - low
        if !(span > 0) { return map.map { _ in 0 } }
        // NaN compares with nothing, and so becomes the lowest.
        return map.map { $0 > low ? min(($0 - low) / span, 1) : 0 }
    }
}
