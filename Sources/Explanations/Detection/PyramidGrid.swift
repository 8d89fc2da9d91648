/// The cells that a detector's places stand for: grids of several strides over the network's input, one after the other, row by row.
struct PyramidGrid: Equatable, Sendable {
    struct Level: Equatable, Sendable {
        /// Pixels of the input from one cell to the next.
        var stride: Int
        var height: Int
        var width: Int
    }

    let levels: [Level]
    /// Places of each cell: of boxes of several shapes.
    let shapes: Int

    private static let strides = [[8, 16, 32], [8, 16, 32, 64], [8, 16, 32, 64, 128], [16, 32]]
    private static let shapeCounts = 1...9

    /// Nil where no pyramid over a picture of that size has so many places.
    init?(places: Int, height: Int, width: Int) {
        for strides in Self.strides {
            let levels = strides.map {
                Level(stride: $0, height: (height + $0 - 1) / $0, width: (width + $0 - 1) / $0)
            }
            let cells = levels.reduce(0) { $0 + $1.height * $1.width }
            guard let shapes = Self.shapeCounts.first(where: { $0 * cells == places }) else { continue }
            (self.levels, self.shapes) = (levels, shapes)
            return
        }
        return nil
    }

    /// The level of a place.
    func level(of place: Int) -> Level {
        var rest = place
        for level in levels {
            let count = level.height * level.width * shapes
            if rest < count { return level }
            rest -= count
        }
        return levels[levels.count - 1]
    }

    /// Column and row of a place, where each cell has one, and its stride.
    func cell(of place: Int) -> (x: Int, y: Int, stride: Int) {
        var rest = place
        for level in levels {
            let count = level.height * level.width
            if rest < count { return (rest % level.width, rest / level.width, level.stride) }
            rest -= count
        }
        return (0, 0, levels[levels.count - 1].stride)
    }
}
