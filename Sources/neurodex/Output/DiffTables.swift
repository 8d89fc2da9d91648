import Foundation
import Search
import Support

/// Everything in short, for people; JSON has all of it, CSV the neurons.
struct DiffReport: Printable {
    var diff: Diff

    func encode(to encoder: any Encoder) throws { try diff.encode(to: encoder) }

    var table: TextTable { NeuronDiffTable(neurons: diff.neurons).table }
    var fields: [[String]] { NeuronDiffTable(neurons: diff.neurons + apart).fields }

    /// Those that are not ranked.
    private var apart: [NeuronDiff] { diff.died + diff.woke + diff.uncorrelated }

    /// Lines over the tables.
    var notes: [String] {
        let images = diff.images
        let unit = images.compared == 1 ? "image" : "images"
        var lines = ["\(images.compared) \(unit) compared; \(images.onlyInA) more are in A alone, \(images.onlyInB) in B alone"]
        if diff.isSameModel { lines.append("both stores are of the same network") }
        if let preprocessing = diff.preprocessing {
            lines += ["preprocessing differs:"] + zip(["A", "B"], preprocessing).map { "  \($0)  \($1)" }
        }
        if diff.neurons.isEmpty { lines.append("no neuron that lives in both stores has a correlation to be ranked by") }
        if !apart.isEmpty {
            let found = diff.apart
            lines.append(
                "not ranked: \(found.died) channels died, \(found.woke) woke, \(found.uncorrelated) others have no ρ (one value on every image, or no partner)"
            )
        }
        lines += diff.leftOut.map { "left out: layer \($0.layer) of \($0.store.uppercased()); \($0.reason)" }
        return lines + [predictions]
    }

    private var predictions: String {
        let found = diff.predictions
        guard found.compared > 0 else { return "the stores hold no predictions to compare" }
        var line = "\(found.changed) of \(found.compared) predictions changed"
        if let before = found.accuracyInA, let after = found.accuracyInB {
            line += String(
                format: "; of %d with a label %.1f %% are right in A and %.1f %% in B (%d broken, %d mended)", found.labelled,
                100 * before, 100 * after, found.broken, found.mended)
        }
        return line
    }

    func report(as format: OutputFormat) throws -> String {
        guard format == .table else { return try rendered(as: format) }
        return try [
            notes.map { $0.shown() + "\n" }.joined(), LayerDiffTable(layers: diff.layers).rendered(as: .table),
            rendered(as: .table),
        ].joined(separator: "\n") + (apart.isEmpty ? "" : "\n" + NeuronDiffTable(neurons: apart).rendered(as: .table))
    }
}

struct LayerDiffTable: Printable {
    var layers: [LayerDiff]

    func encode(to encoder: any Encoder) throws { try layers.encode(to: encoder) }

    private var isRenamed: Bool { layers.contains { $0.layer != $0.other } }

    var table: TextTable {
        TextTable(
            columns: ["layer"] + (isRenamed ? ["in B"] : [])
                + ["neurons", "correlated", "median ρ", "kept %", "overlap %", "died", "woke"],
            shortened: ["layer", "in B"],
            rows: layers.map { layer in
                [.text(layer.layer)] + (isRenamed ? [.text(layer.other)] : [])
                    + [
                        .value(layer.neurons), .value(layer.correlated), .rounded(layer.medianCorrelation, 3),
                        .rounded(layer.kept.map { $0 * 100 }, 1), .rounded(layer.overlap.map { $0 * 100 }, 1), .value(layer.died),
                        .value(layer.woke),
                    ]
            })
    }

    var fields: [[String]] {
        [["layer", "layer_b", "neurons", "correlated", "median_correlation", "kept", "overlap", "died", "woke"]]
            + layers.map { layer in
                [
                    layer.layer, layer.other, "\(layer.neurons)", "\(layer.correlated)", digits(layer.medianCorrelation),
                    digits(layer.kept), digits(layer.overlap), "\(layer.died)", "\(layer.woke)",
                ]
            }
    }
}

struct NeuronDiffTable: Printable {
    var neurons: [NeuronDiff]

    func encode(to encoder: any Encoder) throws { try neurons.encode(to: encoder) }

    private var hasFates: Bool { neurons.contains { $0.fate != nil } }

    var table: TextTable {
        TextTable(
            columns: ["neuron", "partner", "ρ", "drift", "shift", "shared", "overlap %"] + (hasFates ? ["channel"] : []),
            shortened: ["neuron", "partner"],
            rows: neurons.map { neuron in
                [
                    .text("\(neuron.layer):\(neuron.channel)"), .optional(neuron.partner.map { "\(neuron.other):\($0)" }),
                    .rounded(neuron.correlation, 3), .rounded(neuron.drift, 3), .rounded(neuron.shift, 3), .value(neuron.shared),
                    .rounded(neuron.jaccard.map { $0 * 100 }, 1),
                ] + (hasFates ? [.optional(neuron.fate?.rawValue)] : [])
            })
    }

    var fields: [[String]] {
        [
            [
                "layer", "channel", "layer_b", "channel_b", "correlation", "drift", "shift", "shared", "jaccard", "fate",
            ]
        ]
            + neurons.map { neuron in
                [
                    neuron.layer, "\(neuron.channel)", neuron.other, neuron.partner.map { "\($0)" } ?? "",
                    digits(neuron.correlation), "\(neuron.drift)", digits(neuron.shift), "\(neuron.shared)",
                    digits(neuron.jaccard), neuron.fate?.rawValue ?? "",
                ]
            }
    }
}

/// The images that are among the strongest of a neuron or of its partner, not of both.
struct MovedImagesTable: Printable {
    private struct Move: Encodable {
        var layer: String
        var channel: Int
        /// `went` from the neuron's strongest, or `came` to its partner's.
        var move: String
        var hit: TopQuery.Hit

        enum CodingKeys: String, CodingKey {
            case layer, channel, move, rank, image
            case imageID = "image_id"
            case label, value
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(layer, forKey: .layer)
            try container.encode(channel, forKey: .channel)
            try container.encode(move, forKey: .move)
            try container.encode(hit.rank, forKey: .rank)
            try container.encode(hit.image, forKey: .image)
            try container.encode(hit.imageID, forKey: .imageID)
            try container.encode(hit.label, forKey: .label)
            try container.encode(hit.value, forKey: .value)
        }
    }

    private let moves: [Move]

    init(neurons: [NeuronDiff]) {
        moves = neurons.flatMap { neuron in
            [("went", neuron.went), ("came", neuron.came)].flatMap { move, hits in
                hits.map { Move(layer: neuron.layer, channel: neuron.channel, move: move, hit: $0) }
            }
        }
    }

    func encode(to encoder: any Encoder) throws { try moves.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["neuron", "move", "rank", "value", "image", "label"], shortened: ["neuron", "image", "label"],
            rows: moves.map { move in
                [
                    .text("\(move.layer):\(move.channel)"), .text(move.move), .value(move.hit.rank), .value(move.hit.value),
                    .text(move.hit.image), .optional(move.hit.label),
                ]
            })
    }

    var fields: [[String]] {
        [["layer", "channel", "move", "rank", "image", "image_id", "label", "value"]]
            + moves.map { move in
                [
                    move.layer, "\(move.channel)", move.move, "\(move.hit.rank)", move.hit.image, "\(move.hit.imageID)",
                    move.hit.label ?? "", "\(move.hit.value)",
                ]
            }
    }
}

struct PredictionDiffTable: Printable {
    var changes: [PredictionDiff.Change]

    func encode(to encoder: any Encoder) throws { try changes.encode(to: encoder) }

    private func verdict(_ change: PredictionDiff.Change) -> String? {
        switch (change.isRightInA, change.isRightInB) {
        case (true, false): "broken"
        case (false, true): "mended"
        default: nil
        }
    }

    var table: TextTable {
        TextTable(
            columns: ["image", "label", "A says", "B says", "verdict"], shortened: ["image", "label", "A says", "B says"],
            rows: changes.map {
                [.text($0.image), .optional($0.label), .text($0.inA), .text($0.inB), .optional(verdict($0))]
            })
    }

    var fields: [[String]] {
        [["image", "image_id", "label", "predicted_a", "predicted_b", "correct_a", "correct_b"]]
            + changes.map { change in
                [
                    change.image, "\(change.imageID)", change.label ?? "", change.inA, change.inB,
                    change.isRightInA.map { "\($0)" } ?? "", change.isRightInB.map { "\($0)" } ?? "",
                ]
            }
    }
}

/// All digits; nothing for nil.
private func digits(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

extension TextTable.Cell {
    fileprivate static func rounded(_ value: Double?, _ places: Int) -> Self {
        value.map { .number(String(format: "%.\(places)f", $0)) } ?? .nothing
    }
}
