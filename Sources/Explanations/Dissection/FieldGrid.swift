import Images
import NeuralNetwork

/// Where the pixels of the network's frame lie among the positions of a layer's map, to enlarge it bilinearly.
///
/// As in the paper, a position stands at the centre of its receptive field; beyond the outermost centres a map goes on as it
/// ends. Where receptive fields do not cover the picture evenly, as behind attention, which sees all of it, positions part it
/// into equal cells.
struct FieldGrid: Sendable {
    /// Between two positions: `lower` + `share` of the way to `upper`.
    struct Stop: Equatable, Sendable {
        var lower: Int
        var upper: Int
        var share: Float
    }

    /// One a column and a row of the frame.
    let columns: [Stop]
    let rows: [Stop]
    let width: Int

    /// - Parameter size: of the network's input.
    init(_ layer: Layer, size: Size) {
        columns = Self.stops(layer.receptiveField.x, count: layer.width, extent: size.width)
        rows = Self.stops(layer.receptiveField.y, count: layer.height, extent: size.height)
        width = layer.width
    }

    /// Where the middles of positions are, from `start` on.
    private static func steps(_ axis: ReceptiveField.Axis, count: Int, extent: Int) -> (start: Double, stride: Double) {
        let first = Double(axis.start) + Double(axis.size) / 2
        let last = first + Double((count - 1) * axis.stride)
        let isEven = first > 0 && last < Double(extent) && axis.stride * (count + 1) > extent - axis.stride
        let stride = isEven ? Double(axis.stride) : Double(extent) / Double(count)
        return (isEven ? first : stride / 2, stride)
    }

    /// The middles of positions, in pixels of the frame.
    static func centres(_ axis: ReceptiveField.Axis, count: Int, extent: Int) -> [Double] {
        let (start, stride) = steps(axis, count: count, extent: extent)
        return (0..<count).map { start + Double($0) * stride }
    }

    static func stops(_ axis: ReceptiveField.Axis, count: Int, extent: Int) -> [Stop] {
        let (start, stride) = steps(axis, count: count, extent: extent)
        return (0..<extent).map { pixel in
            let place = min(max((Double(pixel) + 0.5 - start) / stride, 0), Double(count - 1))
            let lower = min(Int(place), max(count - 2, 0))
            return Stop(lower: lower, upper: min(lower + 1, count - 1), share: Float(place - Double(lower)))
        }
    }

    /// Adds the pixels at which an enlarged map lies above a threshold.
    ///
    /// - Parameters:
    ///   - plane: one channel of the layer's map, height × width.
    ///   - line: room for a row of it.
    ///   - placement: of the picture in the frame; padding is left out.
    func add(
        _ plane: UnsafePointer<Float>, above threshold: Float, to pixels: inout PixelSet,
        line: UnsafeMutablePointer<Float>, in placement: Placement
    ) {
        let shown = placement.shown
        for row in shown.rows {
            let stop = rows[row]
            let (above, below) = (plane + stop.lower * width, plane + stop.upper * width)
            var isReached = false
            for column in 0..<width {
                let value = above[column] + stop.share * (below[column] - above[column])
                line[column] = value
                if value > threshold { isReached = true }
            }
            guard isReached else { continue }
            let start = row * placement.crop.width
            for column in shown.columns {
                let stop = columns[column]
                let left = line[stop.lower]
                if left + stop.share * (line[stop.upper] - left) > threshold { pixels.insert(start + column) }
            }
        }
    }
}
