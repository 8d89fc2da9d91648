/// The little drawing that sheets and overlays need. What lies outside the picture is not drawn.
extension Image {
    /// Fills columns `x ..< x + width` and rows `y ..< y + height`.
    public mutating func fill(x: Int, y: Int, width: Int, height: Int, with color: Color) {
        let columns = max(x, 0)..<max(min(x + width, self.width), max(x, 0))
        for row in max(y, 0)..<max(min(y + height, self.height), max(y, 0)) {
            for column in columns { self[column, row] = color }
        }
    }

    /// Draws the outline of columns `x ..< x + width` and rows `y ..< y + height`, `thickness` pixels inwards.
    public mutating func outline(x: Int, y: Int, width: Int, height: Int, thickness: Int = 1, with color: Color) {
        let line = min(thickness, (width + 1) / 2, (height + 1) / 2)
        guard line > 0 else { return }
        fill(x: x, y: y, width: width, height: line, with: color)
        fill(x: x, y: y + height - line, width: width, height: line, with: color)
        fill(x: x, y: y + line, width: line, height: height - 2 * line, with: color)
        fill(x: x + width - line, y: y + line, width: line, height: height - 2 * line, with: color)
    }

    /// Copies `other` with its top left corner at (x, y).
    public mutating func blit(_ other: Image, x: Int, y: Int) {
        let columns = max(0, -x)..<max(min(other.width, width - x), max(0, -x))
        guard !columns.isEmpty else { return }
        for row in max(0, -y)..<max(min(other.height, height - y), max(0, -y)) {
            let from = (row * other.width + columns.lowerBound) * 3
            let to = ((y + row) * width + x + columns.lowerBound) * 3
            pixels.replaceSubrange(to..<to + columns.count * 3, with: other.pixels[from..<from + columns.count * 3])
        }
    }

    /// The given columns and rows.
    ///
    /// - Precondition: they lie in the picture and are not empty.
    public func cropped(columns: Range<Int>, rows: Range<Int>) -> Image {
        precondition(
            columns.lowerBound >= 0 && columns.upperBound <= width && rows.lowerBound >= 0 && rows.upperBound <= height
                && !columns.isEmpty && !rows.isEmpty,
            "columns \(columns) and rows \(rows) are not in a picture of \(width)×\(height)")
        var result = Image(width: columns.count, height: rows.count)
        result.blit(self, x: -columns.lowerBound, y: -rows.lowerBound)
        return result
    }

    /// This picture, made smaller or larger to just fit into the given size, its proportions kept to the nearest pixel.
    public func fitted(into size: Size, interpolation: Interpolation = .bicubic) -> Image {
        let scale = min(Double(size.width) / Double(width), Double(size.height) / Double(height))
        return resized(
            width: min(max(Int((Double(width) * scale).rounded()), 1), size.width),
            height: min(max(Int((Double(height) * scale).rounded()), 1), size.height), interpolation: interpolation)
    }

    /// This picture with `share` (0...1) of `other`, of the same size, mixed in.
    ///
    /// - Precondition: the sizes are equal.
    public func mixed(with other: Image, share: Float) -> Image {
        precondition(
            width == other.width && height == other.height,
            "\(width)×\(height) cannot be mixed with \(other.width)×\(other.height)")
        let mixed = zip(pixels, other.pixels).map { a, b in
            UInt8(max(0, min(255, (Float(a) + (Float(b) - Float(a)) * share).rounded())))
        }
        return Image(width: width, height: height, pixels: mixed)
    }
}
