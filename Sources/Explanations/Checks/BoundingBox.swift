public import Images

extension ExplanationMap {
    /// The plane stretched over a picture of `size`, bilinearly between the middles of its cells.
    public func stretched(to size: Size) -> ExplanationMap {
        let plane = plane
        guard size.width != width || size.height != height else {
            return ExplanationMap(channels: 1, height: height, width: width, values: plane, isSigned: isSigned)
        }
        /// For every pixel the two cells it lies between, and how far it is from the first.
        func taps(_ pixels: Int, _ cells: Int) -> [(Int, Int, Float)] {
            (0..<pixels).map { pixel in
                let place = (Double(pixel) + 0.5) * Double(cells) / Double(pixels) - 0.5
                let inside = min(max(place, 0), Double(cells - 1))
                let first = Int(inside)
                return (first, min(first + 1, cells - 1), Float(inside - Double(first)))
            }
        }
        let columns = taps(size.width, width)
        let values = taps(size.height, height).flatMap { top, bottom, down in
            columns.map { left, right, across in
                let upper = plane[top * width + left] * (1 - across) + plane[top * width + right] * across
                let lower = plane[bottom * width + left] * (1 - across) + plane[bottom * width + right] * across
                return upper * (1 - down) + lower * down
            }
        }
        return ExplanationMap(channels: 1, height: size.height, width: size.width, values: values, isSigned: isSigned)
    }

    /// The box of the largest connected part of the map above `share` of its maximum (Zhou et al. 2016 take 0.2), in pixels of a picture of
    /// `size` that the map is stretched over; nil where nothing is above zero, or all is the same.
    public func boundingBox(share: Float = 0.2, in size: Size) -> Rectangle? { boundingBoxes(share: share, in: size).first }

    /// The box of the connected part above `share` of the maximum that the maximum is in; nil where nothing is above zero, or
    /// all is the same.
    public func peakBox(share: Float = 0.2, in size: Size) -> Rectangle? {
        let map = stretched(to: size)
        guard var isOpen = map.isAbove(share), let peak = map.peak else { return nil }
        return Self.part(from: peak.y * size.width + peak.x, width: size.width, height: size.height, &isOpen).box
    }

    /// Which pixels are above a share of the maximum; nil where there is no maximum, or it is not above zero.
    private func isAbove(_ share: Float) -> [Bool]? {
        let maximum = values.reduce(0) { $1 > $0 ? $1 : $0 }
        guard !isConstant, maximum > 0, maximum.isFinite else { return nil }
        return values.map { $0 > share * maximum }
    }

    /// The boxes of all connected parts, the largest part first; of equal ones the one that begins higher up, then further left. Pixels
    /// are connected that share a side.
    ///
    /// - Precondition: `share` is in 0..<1.
    public func boundingBoxes(share: Float = 0.2, in size: Size) -> [Rectangle] {
        precondition((0..<1).contains(share), "a share of the maximum is in 0..<1, not \(share)")
        guard !isConstant, var isOpen = stretched(to: size).isAbove(share) else { return [] }
        var parts: [(count: Int, box: Rectangle)] = []
        for start in isOpen.indices where isOpen[start] {
            parts.append(Self.part(from: start, width: size.width, height: size.height, &isOpen))
        }
        return parts.enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }.map(\.element.box)
    }

    /// Takes out the connected part that `start` belongs to.
    private static func part(
        from start: Int, width: Int, height: Int, _ isOpen: inout [Bool]
    ) -> (count: Int, box: Rectangle) {
        var (left, right, top, bottom) = (Int.max, 0, Int.max, 0)
        var count = 0
        var waiting = [start]
        isOpen[start] = false
        while let pixel = waiting.popLast() {
            let (y, x) = (pixel / width, pixel % width)
            (left, right, top, bottom) = (min(left, x), max(right, x), min(top, y), max(bottom, y))
            count += 1
            let neighbours = [(y > 0, -width), (y + 1 < height, width), (x > 0, -1), (x + 1 < width, 1)]
            for (isInside, step) in neighbours where isInside && isOpen[pixel + step] {
                isOpen[pixel + step] = false
                waiting.append(pixel + step)
            }
        }
        let box = Rectangle(x: Double(left), y: Double(top), width: Double(right - left + 1), height: Double(bottom - top + 1))
        return (count, box)
    }
}
