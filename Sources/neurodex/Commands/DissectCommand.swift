import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import Search
import Support

/// `dissect`: which neurons tell the pixels of which concepts.
struct DissectCommand: StoredFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "dissect",
        abstract: "Compare where neurons are strong with masks: which neuron tells which concept (Network Dissection).",
        discussion: """
            Examples:

              neurodex dissect shop.sqlite masks/ --layer conv4
              neurodex dissect shop.sqlite instances_val2017.json --min-iou 0.1 -o detectors.png
              neurodex dissect shop.sqlite boxes.csv --concept tag --format csv

            MASKS is a folder of PNG files, each named like the image it is of, with a table colors.csv (color,concept; a color is #e6194b, 230,25,75 or 7); COCO \
            annotations (.json); or a table of boxes (.csv: file,label,x0,y0,x1,y1). For each neuron: the intersection over union of the pixels where its map, enlarged to \
            the network's input, lies above a threshold that 0.5 % of its places on all masked images exceed, and the pixels of each concept, over all masked \
            images together (Bau et al. 2017). The network is run once over the masked images; the store keeps the result, and gives it at once when it is asked again.
            """)

    /// What a figure shows.
    enum Drawing: String, CaseIterable, ExpressibleByArgument {
        /// The strongest images of the listed neurons.
        case images
        /// How many neurons tell each concept.
        case chart
    }

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "A folder of masks, COCO annotations, or a table of boxes.", completion: .file())
    var masks: String

    @Option(
        name: .customLong("layer"),
        help: ArgumentHelp(
            "The layer of neurons; may be repeated (default: the last one with a map that is no pooling).", valueName: "layer"),
        completion: .layers)
    var layers: [String] = []

    @Option(
        name: .customLong("colors"),
        help: ArgumentHelp("What a folder's colours stand for (default: colors.csv in it).", valueName: "file"),
        completion: .file(extensions: ["csv", "tsv"]))
    var colors: String?

    @Option(help: ArgumentHelp("The share of a neuron's places that lie above its threshold.", valueName: "share"))
    var quantile = Dissection.quantile

    @Option(name: .customLong("min-iou"), help: ArgumentHelp("List only what has a larger IoU; 0 lists all.", valueName: "iou"))
    var leastIoU = DissectionChart.leastIoU

    @Option(help: ArgumentHelp("Only this concept: how well each neuron tells it.", valueName: "name"))
    var concept: String?

    @Flag(help: "A row for each neuron and concept, instead of each neuron's best.")
    var pairs = false

    @Option(
        name: .customShort("k"), help: ArgumentHelp("List so many, the largest IoU first (default: all).", valueName: "count"))
    var count: Int?

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp(
            "Draw the first ten listed neurons on their strongest masked images, a PNG, SVG or PDF.", valueName: "file"),
        completion: .file())
    var picture: String?

    @Option(help: "What -o draws: images, or a chart of how many neurons tell each concept.")
    var draw = Drawing.images

    @OptionGroup var size: SizeOption
    @OptionGroup var keeping: KeepingOption
    @OptionGroup var files: FilesOptions
    @OptionGroup var format: FormatOption

    func validate() throws {
        if let count, count < 1 { throw ValidationError(QueryError.wrongCount(count).description) }
        guard quantile > 0, quantile < 1 else {
            throw ValidationError("--quantile takes a share between 0 and 1, such as 0.005, not \(quantile)")
        }
        guard (0..<1).contains(leastIoU) else {
            throw ValidationError("--min-iou takes an IoU from 0 up to 1, such as 0.04, not \(leastIoU)")
        }
        try OutputFile.check(OutputFile("-o", picture, .picture))
    }

    func passes() throws -> Int {
        try Store.open(path: store).imageCount() + Self.drawnNeurons * Self.drawnImages
    }

    func run() throws {
        let archive = try files.archive(of: store, keeps: keeping.keeps)
        let found = try found(archive)
        printListing(try Rows(found.listing.rows).rendered(as: format.format), besides: picture)
        (found.masks.notes + found.listing.notes).forEach(printNote)
        if found.wasKept { printNote("as the store keeps it: the network was not run; --no-keep runs it") }
        keeping.report(archive)
        try found.images?.report()
        if let picture { try neurodex.write(try drawn(found, archive), to: picture) }
        if found.images?.omitted.isEmpty == false { throw ExitCode.someSkipped }
    }

    func figure() throws -> FigureFile {
        let archive = try files.archive(of: store)
        return try drawn(try found(archive), archive)
    }

    // MARK: Finding

    private struct Found {
        var masks: ConceptMasks
        var dissections: [LayerDissection]
        var listing: DissectionListing
        /// Nil where none was looked at.
        var images: FoundImages?
        var wasKept: Bool { images == nil }
    }

    private func found(_ archive: ExplanationArchive) throws -> Found {
        let names = try layerNames(archive.store)
        let masks = try ConceptMasks(masks, colors: colors, of: archive.store)
        if let concept, !masks.concepts.contains(concept) {
            let nearest = Suggestion.nearest(to: concept, among: masks.concepts)
            throw Failure("'\(self.masks)' has no concept '\(concept)'\(Suggestion.clause(nearest))")
        }
        let kept = try names.map { try archive.keptDissection(of: $0, by: masks, quantile: quantile) }
        var (images, dissections): (FoundImages?, [LayerDissection]) = (nil, kept.compactMap { $0 })
        if dissections.count < names.count { (dissections, images) = try made(names, masks, archive) }
        let listing = DissectionListing(
            dissections, isOfPairs: pairs, concept: concept, leastIoU: leastIoU, count: count)
        return Found(masks: masks, dissections: dissections, listing: listing, images: images)
    }

    private func layerNames(_ store: Store) throws -> [String] {
        guard layers.isEmpty else {
            return try layers.reduce(into: []) { names, name in
                let reference = try NeuronReference(name, in: store.description)
                guard reference.neurons.count == reference.layer.channels else {
                    throw Failure("--layer takes a layer, and \(name) is one neuron; name \(reference.layer.name)")
                }
                if !names.contains(reference.layer.name) { names.append(reference.layer.name) }
            }
        }
        guard let last = Dissection.lastLayer(of: store.description) else {
            throw Failure("\(store.path) has no layer whose neurons have places, which masks could be compared with")
        }
        return [last]
    }

    private func made(
        _ names: [String], _ masks: ConceptMasks, _ archive: ExplanationArchive
    ) throws -> ([LayerDissection], FoundImages) {
        var images = try FoundImages(masks.images.map(\.path), archive)
        let there = Set(images.places.map { ExactString($0.name) })
        let numbers = masks.images.indices.filter { there.contains(ExactString(masks.images[$0].path)) }
        let dissection = try Dissection(names, by: masks, quantile: quantile, in: try archive.explainer())
        let (read, start) = (images.read, ContinuousClock.now)
        let whole = try ExplanationMonitor().watch {
            try dissection.run(on: numbers, read: read) { index, error in
                _ = try images.taken(Result<Int, any Error>.failure(error), index)
            }
        }
        guard let whole else {
            printNote("stopped; nothing is kept")
            throw ExitCode.interrupted
        }
        guard images.omitted.isEmpty else {
            if keeping.keeps { printNote("not kept in the store, as not all masked images could be looked at") }
            return (whole, images)
        }
        for result in whole {
            try archive.keep(
                result, by: masks, drawing: chartOptions(of: result.layer), seconds: (ContinuousClock.now - start).seconds)
        }
        return (whole, images)
    }

    // MARK: Figure

    private static let drawnNeurons = 10
    private static let drawnImages = 4

    private func drawn(_ found: Found, _ archive: ExplanationArchive) throws -> FigureFile {
        let page: Page
        switch draw {
        case .chart: page = DissectionChart.page(of: found.dissections, leastIoU: leastIoU)
        case .images: page = try figure(found, archive).page()
        }
        let provenance = Provenance(
            command: "dissect",
            options: Spelling.option("--layer", found.dissections.map(\.layer)) + maskOptions
                + Spelling.option("--min-iou", "\(leastIoU)") + Spelling.option("--concept", concept)
                + Spelling.flag("--pairs", pairs) + Spelling.option("-k", count.map { "\($0)" })
                + Spelling.option("--draw", draw.rawValue)
                + Spelling.option("--size", "\(size.pixels(Figure.defaultSize))"),
            operands: [store, masks], model: archive.store.description.model.sha256,
            facts: [("masks", found.masks.digest.hexadecimal)], toolVersion: Neurodex.version)
        return FigureFile(page: page, provenance: provenance)
    }

    private var maskOptions: [String] { Spelling.option("--colors", colors) + Spelling.option("--quantile", "\(quantile)") }

    /// Those that draw the chart that is kept, as ``drawn(_:_:)`` spells them.
    private func chartOptions(of layer: String) -> [String] {
        Spelling.option("--layer", layer) + maskOptions + Spelling.option("--min-iou", "\(DissectionChart.leastIoU)")
            + Spelling.option("--draw", Drawing.chart.rawValue) + Spelling.option("--size", "\(Figure.defaultSize)")
    }

    private func figure(_ found: Found, _ archive: ExplanationArchive) throws -> Figure {
        let rows = found.listing.rows.prefix(Self.drawnNeurons)
        guard !rows.isEmpty else { throw Failure("no neuron has an IoU above \(leastIoU), so nothing was drawn") }
        let masked = Set(found.masks.images.map { ExactString($0.path) })
        let drawn = try rows.map { row in
            let notes = [
                "IoU \(shortNumber(row.iou))", row.precision.map { "precision \(shortNumber($0))" },
                row.recall.map { "recall \(shortNumber($0))" },
            ].compactMap { $0 }
            let pictures = try strongest(row, among: masked, archive.store).map { try picture(row, on: $0, found, archive) }
            guard let first = pictures.first else { throw Failure("none of the strongest images of \(row.neuron) has a mask") }
            return Figure.Row(
                image: first.image, title: "\(row.neuron): \(row.concept)", notes: notes,
                panels: pictures.dropFirst().map { Figure.Panel(.picture($0.image, boxes: []), title: $0.name) })
        }
        return Figure(
            heading: "Where neurons are above their threshold (lit), and their concept's mask (outlined)", rows: drawn,
            size: size.pixels(Figure.defaultSize))
    }

    /// Paths of the masked images that excite a neuron most.
    private func strongest(_ row: DissectionRow, among masked: Set<ExactString>, _ store: Store) throws -> [String] {
        let all = try store.imageCount()
        for count in [min(100, all), all] {
            let hits = try TopQuery(neurons: [row.neuron.description], count: max(count, 1)).run(in: store)
            let found = hits.map(\.image).filter { masked.contains(ExactString($0)) }.prefix(Self.drawnImages)
            if found.count == Self.drawnImages || count == all { return Array(found) }
        }
        return []
    }

    private func picture(
        _ row: DissectionRow, on image: String, _ found: Found, _ archive: ExplanationArchive
    ) throws -> (image: Image, name: String) {
        let subject = try archive.subject(image)
        let region = try Dissection.region(
            ofLayer: row.layer, channel: row.channel, above: row.threshold, on: subject, in: try archive.explainer())
        let concept = found.masks.concepts.firstIndex(of: row.concept) ?? 0
        guard let mask = try found.masks.mask(of: concept, on: subject) else {
            throw Failure("\(image) has no mask any more")
        }
        let picture = Spotlight(region: region, concept: mask).picture(
            of: subject.framed.image, side: size.pixels(Figure.defaultSize))
        return (picture, (image as NSString).lastPathComponent)
    }
}
