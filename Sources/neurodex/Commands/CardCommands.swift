import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import Search
import Support

/// What cards share with each other.
struct CardOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("out")], help: ArgumentHelp("The card, a PNG, SVG or PDF.", valueName: "file"),
        completion: .file())
    var picture: String?

    @OptionGroup var size: SizeOption

    var pixels: Int { size.pixels(Figure.defaultSize) }
    /// Pixels a unit of the page.
    var scale: Double { Double(pixels) / Double(Figure.defaultSize / 2) }

    func validate() throws { try OutputFile.check(OutputFile("-o", picture, .picture)) }

    func write(_ figure: FigureFile) throws {
        guard let picture else { throw ValidationError("say where the card goes: -o FILE") }
        try neurodex.write(figure, to: picture)
    }
}

/// `explain`: all that is to be said of one image, on one page.
struct ImageCardCommand: StoredFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "One image on one page: its classes, three maps, its nearest images, the neurons it excites.",
        discussion: """
            Example:

              neurodex explain shop.sqlite photos/cat/1.jpg -o card.png

            Occlusion, class activation map and SmoothGrad of the class that the network answers, or of --target.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "A path or an id of the store, or any other file.", completion: .images)
    var image: String

    @Option(
        help: ArgumentHelp("What to explain (default: the class that the network answers).", valueName: "target"),
        completion: .neurons)
    var target: String?

    @OptionGroup var files: FilesOptions

    @OptionGroup var card: CardOptions

    func run() throws { try card.write(try figure()) }

    func passes() -> Int { 1000 }

    func figure() throws -> FigureFile {
        let archive = try files.archive(of: store)
        let subject = try archive.subject(image)
        let target = try target.map { try Target(sumOf: $0, in: archive.store.description) } ?? archive.answer(on: subject)
        let side = min(archive.preprocessing.crop.height, archive.preprocessing.crop.width)
        var occlusion = try Occlusion.parse([])
        (occlusion.window, occlusion.stride) = (max(side / 7, 1), max(side / 28, 1))
        var smooth = try Saliency.parse([])
        (smooth.method, smooth.samples) = (.smoothgrad, 25)
        let maps = [
            try panel(of: occlusion, target, subject, archive),
            try panel(of: try ClassActivationMap.parse([]), target, subject, archive),
            try panel(of: smooth, target, subject, archive),
        ]
        var nearest = subject.name
        let given = try OutsideImage.activations(&nearest, store: archive.store, model: model)
        var rows = [try head(subject, nearest, given, archive), maps]
        let hits = try SimilarQuery(image: nearest, count: 6, given: given).found(in: archive.store).hits
        let row = SheetPlan.Row(
            title: "Nearest images",
            pictures: hits.map { SheetPlan.Picture(imageID: $0.imageID, note: shortNumber($0.distance), label: $0.label) })
        let drawing = try SheetDrawing(store: archive.store, images: imagesFolder)
        if let sheet = try drawing.draw(SheetPlan([row]), whole: true, margin: 0) {
            try sheet.refuseGaps()
            rows.append([sheet.page])
        }
        let name = (subject.name as NSString).lastPathComponent
        let page = Card(
            title: name, subtitle: "explained for \(target.caption), by \(archive.store.description.model.name)", rows: rows
        ).page(scale: card.scale)
        return FigureFile(
            page: page,
            provenance: Provenance(
                command: "explain",
                options: Spelling.option("--target", self.target) + Spelling.option("--size", "\(card.pixels)"),
                operands: [store, image], model: archive.store.description.model.sha256,
                images: [(subject.name, subject.digest.map { String(format: "%02x", $0) }.joined())],
                toolVersion: Neurodex.version))
    }

    private func panel(
        of method: some ExplanationMethod, _ target: Target, _ subject: InputImage, _ archive: ExplanationArchive
    ) throws -> Page {
        let explanation = try archive.explanation(of: subject, target: target, by: method)
        let panel = try archive.panel(of: explanation, on: subject, by: method)
        // Without the padding of the network's frame.
        let row = archive.row(of: subject, panels: [panel])
        return try Figure.page(of: row.panels.first ?? panel, over: row.image, heading: method.caption, scale: card.scale)
    }

    /// The photograph, its classes, and the neurons that it excites.
    private func head(_ subject: InputImage, _ name: String, _ given: GivenImage?, _ archive: ExplanationArchive) throws -> [Page]
    {
        let row = archive.row(of: subject, panels: [])
        var pages = [Page.photograph(row.image, lines: [row.title] + row.notes, scale: card.scale)]
        if let standing = archive.classRanking(of: subject) {
            let five = standing.order.prefix(5).map {
                (standing.name($0), standing.probabilities[$0], ClassRanking.percent(standing.probabilities[$0]))
            }
            pages.append(Page.bars("Classes", five, scale: card.scale))
        }
        let hits = try ProfileQuery(image: name, count: 5, given: given).run(in: archive.store)
        let neurons = hits.map { hit in
            let neuron = hit.className.map(Target.shortName) ?? "\(hit.layer):\(hit.channel)"
            return (neuron, hit.percentile, "above \(ClassRanking.percent(hit.percentile))")
        }
        pages.append(Page.bars("Neurons it excites most, by percentile", neurons, scale: card.scale))
        return pages
    }
}

/// `card`: all that is to be said of one neuron, on one page.
struct NeuronCardCommand: StoredFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "card",
        abstract: "One neuron on one page: what excites it most, what it answers to there, what it wants, its activations.",
        discussion: """
            Example:

              neurodex card shop.sqlite conv4:3 -o card.png
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "LAYER:CHANNEL, or class:NAME for a logit.", completion: .neurons)
    var neuron: String

    @Option(name: .customLong("steps"), help: ArgumentHelp("Steps of gradient ascent.", valueName: "count"))
    var steps = 128

    @OptionGroup var files: FilesOptions

    @OptionGroup var card: CardOptions

    func validate() throws {
        guard (1...100_000).contains(steps) else { throw ValidationError("--steps takes a count from 1 to 100000, not \(steps)") }
    }

    func run() throws { try card.write(try figure()) }

    func passes() -> Int { steps.saturated(times: 2) }

    func figure() throws -> FigureFile {
        let archive = try files.archive(of: store)
        let description = archive.store.description
        let target = try Target(neuron, in: description)
        guard let layer = description.layers.first(where: { $0.name == target.layer }) else {
            throw Failure("the store has no layer '\(target.layer)'")
        }
        let hits = try TopQuery(neurons: [neuron], count: 6).run(in: archive.store)
        let place = layer.isLogits ? "the score of class \(target.channel)" : "channel \(target.channel) of \(layer.name)"
        let page = Card(
            title: target.caption, subtitle: "\(place) of \(description.model.name); \(try labels(archive.store))",
            rows: [
                [try sheet(hits, layer, archive)], [try wanted(archive), try histogram(archive.store)],
            ]
        ).page(scale: card.scale)
        return FigureFile(
            page: page,
            provenance: Provenance(
                command: "card", options: Spelling.option("--steps", "\(steps)") + Spelling.option("--size", "\(card.pixels)"),
                operands: [store, neuron], model: description.model.sha256,
                images: try hits.compactMap { try archive.store.image(id: $0.imageID) }.map {
                    ($0.path, $0.sha256.map { String(format: "%02x", $0) }.joined())
                }, toolVersion: Neurodex.version))
    }

    /// What of its strongest images is of which label.
    private func labels(_ store: Store) throws -> String {
        let hits = try TopQuery(neurons: [neuron], count: 100).run(in: store)
        let text = counts(of: hits).prefix(4).map { "\($0.count) \(Target.shortName($0.label))" }.joined(separator: ", ")
        return "of its \(hits.count) strongest images " + (text.isEmpty ? "none has a label" : "are " + text)
    }

    /// The labels of images, the most frequent first.
    private func counts(of hits: [TopQuery.Hit]) -> [(label: String, count: Int)] {
        let counts = Dictionary(grouping: hits.compactMap(\.label)) { $0 }.mapValues(\.count)
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }

    private func sheet(_ hits: [TopQuery.Hit], _ layer: LayerRecord, _ archive: ExplanationArchive) throws -> Page {
        guard !hits.isEmpty else { throw Failure("no image of the store has a value of \(neuron)") }
        let method = try Deconvolution.parse([])
        var sheet = ProjectionSheet()
        let projections = try hits.map { hit in
            let subject = try archive.subject(hit.image)
            let target = try Target("\(neuron)@\(hit.y),\(hit.x)", in: archive.store.description)
            return Projection(
                try archive.explanation(of: subject, target: target, by: method), of: layer, on: subject,
                in: archive.preprocessing.crop)
        }
        sheet.add(
            "What excites it most, and what of it is answered to", of: layer, archive.lit(projections),
            rule: method.rule, channelOrder: archive.preprocessing.channels)
        return try sheet.page(scale: card.scale, margin: 0)
    }

    private func wanted(_ archive: ExplanationArchive) throws -> Page {
        let side = min(archive.preprocessing.crop.height, archive.preprocessing.crop.width)
        var settings = AscentStyle.olah.settings(side: side)
        settings.steps = steps
        let objective = try Objective(neuron, in: archive.store.description).fillingPictures(in: archive.store.description)
        return try archive.ascent(of: objective, settings: settings, style: .olah).page(size: card.pixels, margin: 0)
    }

    private func histogram(_ store: Store) throws -> Page {
        var picture = HistogramPicture(histogram: try HistogramQuery(neuron: neuron, bins: 40).run(in: store))
        if let label = try counts(of: TopQuery(neurons: [neuron], count: 100).run(in: store)).first?.label {
            let query = HistogramQuery(neuron: neuron, condition: "label = \(Spelling.sql(label))")
            picture.part = (Target.shortName(label), try query.counts(in: store, between: picture.histogram.edges))
        }
        return picture.page()
    }
}
