import Images

/// Where something is in an upright picture, in its pixels from the upper left corner.
///
/// A pixel of the network's frame belongs to it where the point of the picture that its middle shows does.
enum MaskOutline: Sendable, Equatable {
    /// Inside one of these at least; each is x, y, x, y …, closed by itself, and where it crosses itself the even-odd rule holds.
    case polygons([[Double]])
    case box(Rectangle)
    /// Lengths of runs outside and inside by turns, down the columns, as COCO has them.
    case runs([Int], Size)

    /// Adds what the network's frame shows of it.
    func add(to pixels: inout PixelSet, in placement: Placement) {
        switch self {
        case .polygons(let polygons): for polygon in polygons { Self.fill(polygon, &pixels, placement) }
        case .box(let box):
            let (left, top, right, bottom) = (box.x, box.y, box.x + box.width, box.y + box.height)
            Self.fill([left, top, right, top, right, bottom, left, bottom], &pixels, placement)
        case .runs(let runs, let size): Self.fill(runs, size, &pixels, placement)
        }
    }

    private static func fill(_ polygon: [Double], _ pixels: inout PixelSet, _ placement: Placement) {
        let across = Double(placement.resized.width) / Double(placement.source.width)
        let down = Double(placement.resized.height) / Double(placement.source.height)
        let points = stride(from: 0, to: polygon.count - 1, by: 2).map {
            (x: polygon[$0] * across - Double(placement.x), y: polygon[$0 + 1] * down - Double(placement.y))
        }
        let shown = placement.shown
        /// The first pixel whose middle is not before a place.
        func first(_ place: Double, _ range: Range<Int>) -> Int {
            Int(min(max((place - 0.5).rounded(.up), Double(range.lowerBound)), Double(range.upperBound)))
        }
        guard let top = points.map(\.y).min(), let bottom = points.map(\.y).max() else { return }
        for row in first(top, shown.rows)..<max(first(top, shown.rows), first(bottom, shown.rows)) {
            let middle = Double(row) + 0.5
            var crossings: [Double] = []
            for (index, start) in points.enumerated() {
                let end = points[(index + 1) % points.count]
                guard (start.y <= middle) != (end.y <= middle) else { continue }
                crossings.append(start.x + (middle - start.y) / (end.y - start.y) * (end.x - start.x))
            }
            crossings.sort()
            for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
                let left = first(crossings[pair], shown.columns)
                for column in left..<max(left, first(crossings[pair + 1], shown.columns)) {
                    pixels.insert(row * placement.crop.width + column)
                }
            }
        }
    }

    private static func fill(_ runs: [Int], _ size: Size, _ pixels: inout PixelSet, _ placement: Placement) {
        var ends: [Int] = []
        for run in runs { ends.append((ends.last ?? 0) + run) }
        let sources = SourcePixels(placement)
        for (row, y) in zip(placement.shown.rows, sources.rows) {
            for (column, x) in zip(placement.shown.columns, sources.columns) {
                // The run that holds the pixel, by halves: the first that ends behind it.
                let place = x * size.height + y
                var (low, high) = (0, ends.count)
                while low < high {
                    let middle = (low + high) / 2
                    if ends[middle] > place { high = middle } else { low = middle + 1 }
                }
                if low < ends.count, low & 1 == 1 { pixels.insert(row * placement.crop.width + column) }
            }
        }
    }
}

/// The pixels of the upright picture that the middles of the frame's shown rows and columns show.
struct SourcePixels {
    let rows: [Int]
    let columns: [Int]

    init(_ placement: Placement) {
        func pixels(_ shown: Range<Int>, _ offset: Int, _ source: Int, _ resized: Int) -> [Int] {
            shown.map { index in
                let place = (Double(index + offset) + 0.5) * Double(source) / Double(resized)
                return min(max(Int(place), 0), source - 1)
            }
        }
        rows = pixels(placement.shown.rows, placement.y, placement.source.height, placement.resized.height)
        columns = pixels(placement.shown.columns, placement.x, placement.source.width, placement.resized.width)
    }
}
