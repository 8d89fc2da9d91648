import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import Search
import Support

struct DeconvCommand: StoredFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: Deconvolution.name,
        abstract: Deconvolution.abstract,
        discussion: """
            Examples:

              neurodex deconv shop.sqlite conv4:3 -o what.png
              neurodex deconv shop.sqlite conv4:3 --image photos/cat/1.jpg --position 4,7 --rule guided -o what.png

            The neuron's maximum on each of its strongest images goes back through switches, rectifiers and transposed filters to the pixels. The sheet shows \
            what the neuron saw (its receptive field; where that is most of the picture, dark where the neuron is silent), and under it what of that it answered to. --raw keeps the numbers, [channels, height, width] in the \
            network's input frame.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "LAYER:CHANNEL, or class:NAME for a logit.", completion: .neurons)
    var neurons: [String]

    @Option(name: .customShort("k"), help: "How many of each neuron's strongest images.")
    var count = 9

    @Option(
        name: .customLong("where"),
        help: "Only images that meet this SQL condition on path, label, split, width, height, predicted, score, correct …")
    var condition: String?

    @Option(
        help: ArgumentHelp("This image instead: a path or an id of the store, or any other file.", valueName: "image"),
        completion: .images)
    var image: String?

    @Option(help: ArgumentHelp("This place of the layer's map instead of the maximum's.", valueName: "y,x"))
    var position: String?

    @OptionGroup var method: Deconvolution

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("Draw what the neurons saw, and what they answered to, a PNG.", valueName: "file"), completion: .file()
    )
    var picture: String?

    @Option(
        help: ArgumentHelp("Write each projection as a NumPy file into this folder.", valueName: "folder"), completion: .directory
    )
    var raw: String?

    @OptionGroup var files: FilesOptions

    @OptionGroup var size: SizeOption
    @OptionGroup var keeping: KeepingOption
    @OptionGroup var output: FormatOption

    func validate() throws {
        guard count >= 1 else { throw ValidationError(QueryError.wrongCount(count).description) }
        guard image == nil || condition == nil else {
            throw ValidationError("--where chooses among the store's images; leave --image out")
        }
        try OutputFile.check(OutputFile("-o", picture, .picture), OutputFile("--raw", raw, .folder))
    }

    func run() throws {
        let archive = try files.archive(of: store, keeps: keeping.keeps)
        let (projected, whole) = try projected(archive)
        if let raw, !projected.isEmpty { try write(projected, to: raw) }
        // A sheet is of whole neurons, so that the options in it make it again.
        if let picture, whole > 0 { try neurodex.write(try drawn(Array(projected.prefix(whole)), archive), to: picture) }
        keeping.report(archive)
        if !projected.isEmpty { printListing(try ProjectionTable(projected).rendered(as: output.format), besides: picture) }
        guard whole < neurons.count else { return }
        let count = projected.reduce(0) { $0 + $1.projections.count }
        printNote(
            "stopped after \(count) \(count == 1 ? "projection" : "projections"), of which all of \(whole) of \(neurons.count) neurons"
                + (picture == nil ? "" : "; the sheet is of those" + (whole == 0 ? ", and was not drawn" : "")))
        throw ExitCode.interrupted
    }

    func figure() throws -> FigureFile {
        let archive = try files.archive(of: store)
        let (projected, whole) = try projected(archive)
        guard whole == neurons.count else { throw ExitCode.interrupted }
        return try drawn(projected, archive)
    }

    func passes() throws -> Int {
        let images = try Store.open(path: store).imageCount()
        return neurons.count.saturated(times: 2 * (image == nil ? min(count, images) : 1))
    }

    private typealias Projected = (layer: LayerRecord, projections: [Projection])

    /// For every neuron its layer and its projections, and how many neurons have all of them: where the user stops it, what was made.
    private func projected(_ archive: ExplanationArchive) throws -> (all: [Projected], whole: Int) {
        let monitor = ExplanationMonitor()
        var all: [Projected] = []
        for (whole, neuron) in neurons.enumerated() {
            let layer = try NeuronReference(neuron, in: archive.store.description).layer
            let places = try places(of: neuron, archive)
            var projections: [Projection] = []
            for place in places {
                guard let made = try projection(of: neuron, place, layer, archive, monitor) else {
                    return (all + (projections.isEmpty ? [] : [(layer, projections)]), whole)
                }
                projections.append(made)
            }
            all.append((layer, projections))
        }
        return (all, neurons.count)
    }

    /// The images that a neuron is sent back from, and where on them.
    private func places(of neuron: String, _ archive: ExplanationArchive) throws -> [(image: String, at: String?)] {
        let places: [(image: String, at: String?)]
        if let image {
            places = [(image, position)]
        } else {
            places = try TopQuery(neurons: [neuron], count: count, condition: condition).run(in: archive.store)
                .map { ($0.image, position ?? "\($0.y),\($0.x)") }
        }
        try archive.requireFiles(of: places.map(\.image))
        guard !places.isEmpty else {
            let empty = try condition.flatMap { try archive.store.emptySelection(where: $0) }
            throw Failure("no image of the store has a value of \(neuron) to send back" + (empty.map { "; \($0)" } ?? ""))
        }
        return places
    }

    /// Nil where the user stopped it.
    private func projection(
        of neuron: String, _ place: (image: String, at: String?), _ layer: LayerRecord, _ archive: ExplanationArchive,
        _ monitor: ExplanationMonitor
    ) throws -> Projection? {
        let description = archive.store.description
        let subject = try archive.subject(place.image)
        let position = try place.at ?? maximum(of: Target(neuron, in: description), on: subject, archive)
        let target = try Target("\(neuron)@\(position)", in: description)
        let remark = "\(target.text) on \((place.image as NSString).lastPathComponent)"
        let made = try monitor.watch(remark) { try archive.explanation(of: subject, target: target, by: method) }
        return made.map { Projection($0, of: layer, on: subject, in: archive.preprocessing.crop) }
    }

    /// Where a neuron has its maximum, as `--position` takes it.
    private func maximum(of target: Target, on subject: Subject, _ archive: ExplanationArchive) throws -> String {
        let place = try archive.explainer().place(of: target, on: subject)
        return "\(place.y),\(place.x)"
    }

    private func write(_ projected: [Projected], to folder: String) throws {
        try makeFolder(folder)
        for (layer, projections) in projected {
            let name = layer.name.map { $0.isLetter || $0.isNumber || $0 == "." || $0 == "_" ? String($0) : "-" }.joined()
            for (index, projection) in projections.enumerated() {
                let path = "\(folder)/\(name)-\(projection.explanation.target.channel)-\(index + 1).npy"
                try neurodex.write(projection.explanation.map.npy, to: path)
            }
        }
    }

    private func drawn(_ projected: [Projected], _ archive: ExplanationArchive) throws -> FigureFile {
        var sheet = ProjectionSheet()
        let pixels = size.pixels(ProjectionSheet.defaultSize)
        for (layer, projections) in projected {
            sheet.add(
                projections.first?.explanation.target.neuron ?? layer.name, of: layer, archive.lit(projections),
                rule: method.rule, channelOrder: archive.preprocessing.channels)
        }
        let provenance = Provenance(
            command: Deconvolution.name,
            options: method.arguments + Spelling.option("-k", image == nil ? "\(count)" : nil)
                + Spelling.option("--where", condition)
                + Spelling.option("--image", image) + Spelling.option("--position", position)
                + Spelling.option("--size", "\(pixels)"),
            operands: [store] + neurons.prefix(projected.count), model: archive.store.description.model.sha256,
            of: projected.flatMap(\.projections).map(\.explanation), toolVersion: Neurodex.version)
        return FigureFile(page: try sheet.page(scale: Double(pixels) / 160), provenance: provenance)
    }
}

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

    private let entries: [Entry]

    init(_ projected: [(layer: LayerRecord, projections: [Projection])]) {
        entries = projected.flatMap { layer, projections in
            projections.enumerated().map { index, projection in
                let (target, field) = (projection.explanation.target, projection.field)
                let place = target.place ?? (0, 0)
                return Entry(
                    layer: layer.name, channel: target.channel, rank: index + 1, image: projection.subject.name,
                    label: projection.subject.stored?.label, value: projection.explanation.value, y: place.y, x: place.x,
                    field: [field.x, field.y, field.width, field.height])
            }
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
