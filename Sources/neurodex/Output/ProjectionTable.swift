import ActivationStore
import Explanations
import Images
import Support

/// Projections as they are listed.
struct ProjectionTable: Printable {
    private struct Entry: Encodable {
        var layer: String
        var channel: Int
        var rank: Int
        var image: String
        var label: String?
        var value: Float
        var y: Int
        var x: Int
        /// x, y, width, height in the network's input frame.
        var field: [Double]
    }

    private var entries: [Entry] = []

    init(_ projected: [(layer: LayerRecord, projections: [Projection])]) {
        for (layer, projections) in projected { add(layer, projections) }
    }

    /// - Parameter first: how many of the neuron's stand before these.
    mutating func add(_ layer: LayerRecord, _ projections: [Projection], from first: Int = 0) {
        entries += projections.enumerated().map { index, projection in
            let (target, field) = (projection.explanation.target, projection.field)
            let place = target.place ?? (0, 0)
            return Entry(
                layer: layer.name, channel: target.channel, rank: first + index + 1, image: projection.subject.name,
                label: projection.subject.stored?.label, value: projection.explanation.value, y: place.y, x: place.x,
                field: [field.x, field.y, field.width, field.height])
        }
    }

    func encode(to encoder: any Encoder) throws { try entries.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["neuron", "rank", "value", "image", "label", "y", "x"], shortened: ["neuron", "image", "label"],
            rows: entries.map {
                [
                    .text("\($0.layer):\($0.channel)"), .value($0.rank), .value($0.value), .text($0.image), .optional($0.label),
                    .value($0.y), .value($0.x),
                ]
            })
    }

    var fields: [[String]] {
        [["layer", "channel", "rank", "image", "label", "value", "y", "x"]]
            + entries.map {
                [$0.layer, "\($0.channel)", "\($0.rank)", $0.image, $0.label ?? "", "\($0.value)", "\($0.y)", "\($0.x)"]
            }
    }
}
