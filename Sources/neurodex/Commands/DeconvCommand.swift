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
              neurodex deconv shop.sqlite conv4:3 --image photos/cat --where "split = 'test'" -k 24 -o cats.png

            The neuron's maximum on each of its strongest images goes back through switches, rectifiers and transposed filters to the pixels. The sheet shows \
            what the neuron saw (its receptive field; where that is most of the picture, dark where the neuron is silent), and under it what of that it answered to. --raw keeps the numbers, [channels, height, width] in the \
            network's input frame.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "LAYER:CHANNEL, or class:NAME for a logit.", completion: .neurons)
    var neurons: [String]

    @Option(
        name: .customShort("k"),
        help: ArgumentHelp(
            "How many of each neuron's strongest images (default: \(Self.standardCount)); of those of --image so many, evenly through their order (default: all).",
            valueName: "count"))
    var count: Int?

    @Option(
        name: .customLong("where"),
        help: "Only images that meet this SQL condition on path, label, split, width, height, predicted, score, correct …")
    var condition: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "This image instead: a path or an id of the store, any other file, or a folder of them. May be repeated.",
            valueName: "image"),
        completion: .images)
    var image: [String] = []

    @Option(help: ArgumentHelp("This place of the layer's map instead of the maximum's.", valueName: "y,x"))
    var position: String?

    @OptionGroup var method: Deconvolution

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp(
            "Draw what the neurons saw, and what they answered to, a PNG, SVG or PDF; of very many images several numbered pages.",
            valueName: "file"), completion: .file()
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

    static let standardCount = 9

    func validate() throws {
        if let count, count < 1 { throw ValidationError(QueryError.wrongCount(count).description) }
        try OutputFile.check(OutputFile("-o", picture, .picture), OutputFile("--raw", raw, .folder))
    }

    func run() throws {
        let archive = try files.archive(of: store, keeps: keeping.keeps)
        let plan = try plan(archive)
        guard picture != "-" || plan.pages.count < 2 else {
            throw Failure("these images do not fit on one page; name a file, which gets numbered pages, or take fewer with -k")
        }
        plan.notes.forEach(printNote)
        var pages = picture.map { FigurePages(path: $0) }
        var table = ProjectionTable([])
        let run = try projected(plan, archive) { made in
            for one in made { table.add(one.part.layer, one.projections, from: one.part.first) }
            if let raw { try write(made, to: raw) }
            // A sheet is of whole neurons, so that the options in it make it again.
            for figure in try figures(of: made.filter(\.isWhole), archive) { try pages?.add(figure) }
        }
        try pages?.finish()
        keeping.report(archive)
        if run.count > 0 { printListing(try table.rendered(as: output.format), besides: picture) }
        try report(run, plan, hasSheet: pages.map { $0.count > 0 })
    }

    /// Says what was left out.
    /// - Throws: `ExitCode` where anything was; `Failure` where all was.
    private func report(_ run: ProjectionRun, _ plan: ProjectionPlan, hasSheet: Bool?) throws {
        guard !run.isStopped else {
            let count = run.count
            printNote(
                "stopped after \(count) \(count == 1 ? "projection" : "projections"), of which all of \(run.whole) of \(neurons.count) neurons"
                    + (hasSheet.map { "; the sheet is of those" + ($0 ? "" : ", and was not drawn") } ?? ""))
            throw ExitCode.interrupted
        }
        guard !run.omitted.isEmpty else { return }
        printNote("not projected: \(run.omitted.count) of \(run.omitted.count + run.count) maxima")
        Remarks.gathered(run.omitted).forEach(printNote)
        guard run.count > 0 else { throw Failure("no image could be projected") }
        throw ExitCode.someSkipped
    }

    func figure() throws -> FigureFile {
        let archive = try files.archive(of: store)
        let plan = try plan(archive)
        var figures: [FigureFile] = []
        let run = try projected(plan, archive) { figures += try self.figures(of: $0, archive) }
        guard !run.isStopped else { throw ExitCode.interrupted }
        if let (name, reason) = run.omitted.first { throw Failure("\(name): \(reason)") }
        guard figures.count == 1 else { throw Failure("these images are drawn on \(figures.count) pages, not on one") }
        return figures[0]
    }

    func passes() throws -> Int {
        if let folder = image.first(where: ChosenImages.isFolder) {
            throw Failure("\(folder) is a folder, and a picture of neurodex names each of its images")
        }
        let each = image.isEmpty ? min(count ?? Self.standardCount, try Store.open(path: store).imageCount()) : image.count
        return neurons.count.saturated(times: 2.saturated(times: each))
    }

    // MARK: Images

    /// How many pictures a page holds: 2²⁶ pixels of those that were seen, those that were answered to, and captions.
    private var picturesAPage: Int {
        let pixels = Double(size.pixels(ProjectionSheet.defaultSize))
        return max(1, Int(Double(1 << 26) / (pixels * pixels * 3)))
    }

    /// Which images each neuron is sent back from, and where on them.
    private func plan(_ archive: ExplanationArchive) throws -> ProjectionPlan {
        let chosen = image.isEmpty ? nil : try choice.images(image, in: archive.store, files: archive.files)
        let parts = try neurons.map { neuron in
            let layer = try NeuronReference(neuron, in: archive.store.description).layer
            let places = try chosen?.names.map { ($0, position) } ?? strongest(of: neuron, archive)
            if chosen?.isListed != false { try archive.requireFiles(of: places.map(\.0)) }
            return ProjectionPlan.Part(neuron: neuron, layer: layer, places: places)
        }
        return ProjectionPlan(
            parts, room: picturesAPage, isListed: chosen?.isListed ?? true, notes: chosen?.notes ?? [])
    }

    private var choice: ChoiceOptions {
        var choice = ChoiceOptions()
        (choice.condition, choice.count) = (condition, count)
        return choice
    }

    private func strongest(of neuron: String, _ archive: ExplanationArchive) throws -> [(String, String?)] {
        let hits = try TopQuery(neurons: [neuron], count: count ?? Self.standardCount, condition: condition)
            .run(in: archive.store)
        guard !hits.isEmpty else {
            let empty = try condition.flatMap { try archive.store.emptySelection(where: $0) }
            throw Failure("no image of the store has a value of \(neuron) to send back" + (empty.map { "; \($0)" } ?? ""))
        }
        return hits.map { ($0.image, position ?? "\($0.y),\($0.x)") }
    }
}
