import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search
import Support

/// `reasons`: a class's images by what the network says it for.
struct ReasonsCommand: StoredFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "reasons",
        abstract: "Group a class's images by what the network says it for.",
        discussion: """
            Examples:

              neurodex reasons shop.sqlite class:fish -o reasons.png
              neurodex reasons shop.sqlite class:fish --where "predicted = 'fish'"

            What each neuron of the last map adds to the class's score (activation × gradient) is compared between the images: those that are \
            alike make a group, with the neurons that it has more of than the others, and how often the network is right on it. A class that is told by \
            more than one thing falls apart: fish by their fins here, by a price tag there (Lapuschkin et al. 2019). -o draws each group's mean picture, \
            where on it the score is made, and its most typical images.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "class:NAME, or any neuron (LAYER:CHANNEL).", completion: .neurons)
    var target: String

    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Of the images that meet this SQL condition (default: those whose label is the class).", valueName: "condition"))
    var condition: String?

    @Option(help: ArgumentHelp("Take so many of them, evenly through their order.", valueName: "count"))
    var sample = 500

    @Option(help: ArgumentHelp("The layer of neurons (default: the last with a map).", valueName: "layer"), completion: .layers)
    var layer: String?

    @Option(help: "Compare by which neurons, by where on the picture, or by both.")
    var by = Reasons.Aspect.neurons

    @Option(help: ArgumentHelp("So many groups (default: as many as part best, if they part at all).", valueName: "count"))
    var groups: Int?

    @Option(name: .customShort("k"), help: "How many neurons and images of each group.")
    var count = 3

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("Draw the groups, a PNG, SVG or PDF.", valueName: "file"), completion: .file())
    var picture: String?

    @OptionGroup var size: SizeOption
    @OptionGroup var files: FilesOptions
    @OptionGroup var format: FormatOption

    func validate() throws {
        guard count >= 1 else { throw ValidationError(QueryError.wrongCount(count).description) }
        guard sample >= 1 else { throw ValidationError("--sample takes at least one image, not \(sample)") }
        guard groups ?? 1 >= 1 else { throw ValidationError("--groups takes at least one, not \(groups ?? 0)") }
        try OutputFile.check(OutputFile("-o", picture, .picture))
    }

    func passes() throws -> Int { 2 * min(sample, try Store.open(path: store).imageCount()) }

    func run() throws {
        let archive = try files.archive(of: store)
        let found = try found(archive)
        printListing(try found.table.rendered(as: format.format), besides: picture)
        found.table.notes.forEach(printNote)
        if let first = found.reasons.silent.first {
            printNote(
                "\(found.reasons.silent.count) images are in no group, since nothing in \(found.table.layer) adds to the score, such as \(found.images.places[first].name)"
            )
        }
        try found.images.report()
        if let picture { try neurodex.write(try drawn(found, archive), to: picture) }
        if !found.images.omitted.isEmpty { throw ExitCode.someSkipped }
    }

    func figure() throws -> FigureFile {
        let archive = try files.archive(of: store)
        return try drawn(try found(archive), archive)
    }

    private struct Found {
        var images: FoundImages
        var reasons: Reasons
        var table: ReasonsTable
    }

    private func found(_ archive: ExplanationArchive) throws -> Found {
        let target = try Target(target, in: archive.store.description)
        let chosen = try chosen(target, archive)
        var images = try FoundImages(chosen.names, archive)
        let explainer = try archive.explainer()
        let inputs = try NeuronInputs(ofMapsBefore: target, layer: layer, in: explainer)
        var outcomes: [Int: NeuronInputs.Outcome] = [:]
        let whole: Void? = try ExplanationMonitor().watch {
            try inputs.run(on: images.places.count, read: images.read) { index, outcome in
                if let outcome = try images.taken(outcome, index) { outcomes[index] = outcome }
            }
        }
        guard whole != nil else { throw ExitCode.interrupted }
        let reasons = Reasons(outcomes, layer: inputs.layer, by: by, groups: groups)
        let table = ReasonsTable(
            reasons, of: target, layer: archive.store.name(of: inputs.layer), images: images.places.map { $0.known },
            names: images.places.map(\.name), classes: archive.store.description.classes, count: count, notes: chosen.notes)
        return Found(images: images, reasons: reasons, table: table)
    }

    private func chosen(_ target: Target, _ archive: ExplanationArchive) throws -> ChosenImages {
        var choice = ChoiceOptions()
        choice.count = sample
        choice.condition = condition
        if condition == nil, target.isClass {
            let classes = archive.store.description.classes
            guard classes.indices.contains(target.channel) else {
                throw Failure("the store does not know the class's name, so no label is it; choose images with --where CONDITION")
            }
            choice.condition = "label = \(Spelling.sql(classes[target.channel]))"
        }
        return try choice.images([], in: archive.store, files: archive.files)
    }

    // MARK: Figure

    private func drawn(_ found: Found, _ archive: ExplanationArchive) throws -> FigureFile {
        guard !found.reasons.groups.isEmpty else { throw Failure("there is no group to draw") }
        let rows = try zip(found.reasons.groups, found.table.rows).map { group, row in
            let frames = try group.images.map { index in
                try InputImage(
                    at: found.images.places[index], store: archive.store, preprocessing: archive.preprocessing
                ).framed.image
            }
            let look = MapLook(isSigned: true, quantity: "activation × gradient, mean of the group")
            let typical = zip(group.images, frames).prefix(count).map { index, frame in
                Figure.Panel(
                    .picture(frame, boxes: []), title: (found.images.places[index].name as NSString).lastPathComponent,
                    notes: ["typical"])
            }
            return Figure.Row(
                image: .mean(of: frames), title: "Group \(row.group): \(row.images) images", notes: row.remarks,
                panels: [Figure.Panel(.map(group.map, look, boxes: []), title: found.table.caption)] + typical)
        }
        let figure = Figure(
            heading: "Reasons for \(found.table.caption), at \(found.table.layer)", rows: rows,
            size: size.pixels(Figure.defaultSize))
        let provenance = Provenance(
            command: "reasons",
            options: Spelling.option("--where", condition) + Spelling.option("--sample", "\(sample)")
                + Spelling.option("--layer", layer) + Spelling.option("--by", by.rawValue)
                + Spelling.option("--groups", groups.map { "\($0)" }) + Spelling.option("-k", "\(count)")
                + Spelling.option("--size", "\(size.pixels(Figure.defaultSize))"),
            operands: [store, target], model: archive.store.description.model.sha256, toolVersion: Neurodex.version)
        return FigureFile(page: try figure.page(), provenance: provenance)
    }
}

extension Store {
    /// What the store calls a layer of its network; the network's own name where the store has it not.
    func name(of layer: Layer) -> String { description.layers.first { $0.tensor == layer.tensor }?.name ?? layer.name }
}

/// Groups of images with what they have in common.
struct ReasonsTable: Printable {
    struct Row: Encodable {
        struct Neuron: Encodable {
            var neuron: String
            var adds: Double
            /// Nil of a single group.
            var addsElsewhere: Double?

            enum CodingKeys: String, CodingKey {
                case neuron, adds
                case addsElsewhere = "adds_elsewhere"
            }

            var text: String { String(format: "%@ %+.3g", neuron, adds) }
        }

        var group: Int
        var images: Int
        /// With a label that is a class, and how many of them are answered right.
        var judged: Int
        var right: Int
        var neurons: [Neuron]
        /// Paths, the most typical first.
        var members: [String]

        /// For a figure.
        var remarks: [String] {
            (judged > 0 ? ["network right on \(right) of \(judged)"] : [])
                + neurons.map { $0.text + ($0.addsElsewhere.map { String(format: ", elsewhere %+.3g", $0) } ?? "") }
        }
    }

    let rows: [Row]
    let layer: String
    let caption: String
    let notes: [String]
    private let silhouette: Double?
    private let count: Int

    init(
        _ reasons: Reasons, of target: Target, layer: String, images: [StoredImage?], names: [String], classes: [String],
        count: Int, notes: [String]
    ) {
        (self.layer, caption, silhouette, self.count) = (layer, target.caption, reasons.silhouette, count)
        rows = reasons.groups.enumerated().map { number, group in
            let known = group.images.compactMap { images[$0] }.compactMap { image -> Bool? in
                guard let label = image.label, classes.contains(label), let answer = image.predictedClass else { return nil }
                return classes.indices.contains(answer) && classes[answer] == label
            }
            return Row(
                group: number + 1, images: group.images.count, judged: known.count, right: known.count { $0 },
                neurons: group.neurons.prefix(count).map {
                    .init(neuron: "\(layer):\($0.channel)", adds: $0.adds, addsElsewhere: $0.addsElsewhere)
                },
                members: group.images.map { names[$0] })
        }
        var notes = notes
        if let value = reasons.silhouette {
            let number = String(format: "%.2f", value)
            notes.append(
                rows.count > 1
                    ? "the groups' silhouette is \(number) (1: far apart, below \(Reasons.weakest): no groups)"
                    : "the images do not fall into groups: the best silhouette is \(number), below \(Reasons.weakest); --groups 2 parts them all the same"
            )
        } else {
            notes.append("too few images to part")
        }
        self.notes = notes
    }

    func encode(to encoder: any Encoder) throws {
        enum CodingKeys: String, CodingKey { case layer, silhouette, groups }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(layer, forKey: .layer)
        try container.encode(silhouette, forKey: .silhouette)
        try container.encode(rows, forKey: .groups)
    }

    var table: TextTable {
        TextTable(
            columns: ["group", "images", "right", "neurons that it has more of", "most typical"], shortened: ["most typical"],
            rows: rows.map { row in
                [
                    .value(row.group), .value(row.images), .text(row.judged > 0 ? "\(row.right) of \(row.judged)" : ""),
                    .text(row.neurons.map(\.text).joined(separator: ", ")), .text(row.members.first ?? ""),
                ]
            })
    }

    var fields: [[String]] {
        [["group", "place", "image", "right_in_group", "judged_in_group"]]
            + rows.flatMap { row in
                row.members.enumerated().map { ["\(row.group)", "\($0 + 1)", $1, "\(row.right)", "\(row.judged)"] }
            }
    }
}
