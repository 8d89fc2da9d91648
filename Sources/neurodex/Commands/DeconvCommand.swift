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

    private static let standardCount = 9

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

    // MARK: Projections

    private struct Made {
        var part: ProjectionPlan.Part
        var projections: [Projection] = []
        /// Whether the user let all of them be made.
        var isWhole = false
    }

    /// - Parameter body: takes what a page holds, after which nobody does; where the user stops it, what was made.
    private func projected(
        _ plan: ProjectionPlan, _ archive: ExplanationArchive, body: ([Made]) throws -> Void
    ) throws -> ProjectionRun {
        let monitor = ExplanationMonitor()
        var run = ProjectionRun()
        for page in plan.pages where !run.isStopped {
            var all: [Made] = []
            for part in page where !run.isStopped {
                let made = try made(part, plan, archive, monitor, &run)
                if !made.projections.isEmpty { all.append(made) }
            }
            if !all.isEmpty { try body(all) }
        }
        return run
    }

    private func made(
        _ part: ProjectionPlan.Part, _ plan: ProjectionPlan, _ archive: ExplanationArchive, _ monitor: ExplanationMonitor,
        _ run: inout ProjectionRun
    ) throws -> Made {
        var made = Made(part: part)
        for place in part.places {
            do {
                guard let projection = try projection(of: part, place, archive, monitor) else {
                    run.stop()
                    return made
                }
                made.projections.append(projection)
                run.count += 1
            } catch  where !plan.isListed && Explained.isOfOneImage(error) {
                run.omitted.append((place.image, "\(error)"))
            }
        }
        made.isWhole = true
        if part.isLast { run.whole += 1 }
        return made
    }

    /// Nil where the user stopped it.
    private func projection(
        of part: ProjectionPlan.Part, _ place: (image: String, at: String?), _ archive: ExplanationArchive,
        _ monitor: ExplanationMonitor
    ) throws -> Projection? {
        let description = archive.store.description
        let subject = try archive.subject(place.image)
        let position = try place.at ?? maximum(of: Target(part.neuron, in: description), on: subject, archive)
        let target = try Target("\(part.neuron)@\(position)", in: description)
        let remark = "\(target.text) on \((place.image as NSString).lastPathComponent)"
        let made = try monitor.watch(remark) { try archive.explanation(of: subject, target: target, by: method) }
        return made.map { Projection($0, of: part.layer, on: subject, in: archive.preprocessing.crop) }
    }

    /// Where a neuron has its maximum, as `--position` takes it.
    private func maximum(of target: Target, on subject: Subject, _ archive: ExplanationArchive) throws -> String {
        let place = try archive.explainer().place(of: target, on: subject)
        return "\(place.y),\(place.x)"
    }

    // MARK: Files

    private func write(_ made: [Made], to folder: String) throws {
        try makeFolder(folder)
        for one in made {
            let name = one.part.layer.name.map { $0.isLetter || $0.isNumber || $0 == "." || $0 == "_" ? String($0) : "-" }
            for (index, projection) in one.projections.enumerated() {
                let number = one.part.first + index + 1
                let path = "\(folder)/\(name.joined())-\(projection.explanation.target.channel)-\(number).npy"
                try neurodex.write(projection.explanation.map.npy, to: path)
            }
        }
    }

    /// One sheet, or one a neuron where an image could not be sent back from each.
    private func figures(of made: [Made], _ archive: ExplanationArchive) throws -> [FigureFile] {
        guard let first = made.first else { return [] }
        let names = made.map { $0.projections.map(\.subject.name) }
        let isOne = image.isEmpty || names.allSatisfy { $0 == names[0] }
        return try isOne ? [drawn(made, archive)] : [drawn([first], archive)] + made.dropFirst().map { try drawn([$0], archive) }
    }

    private func drawn(_ made: [Made], _ archive: ExplanationArchive) throws -> FigureFile {
        var sheet = ProjectionSheet()
        let pixels = size.pixels(ProjectionSheet.defaultSize)
        for one in made {
            sheet.add(
                one.projections.first?.explanation.target.neuron ?? one.part.layer.name, of: one.part.layer,
                archive.lit(one.projections), rule: method.rule, channelOrder: archive.preprocessing.channels)
        }
        let isNamed = !image.isEmpty || made.contains { !$0.part.isAll }
        let provenance = Provenance(
            command: Deconvolution.name,
            options: method.arguments
                + (isNamed
                    ? Spelling.option("--image", made[0].projections.map(\.subject.name))
                    : Spelling.option("-k", "\(count ?? Self.standardCount)") + Spelling.option("--where", condition))
                + Spelling.option("--position", position) + Spelling.option("--size", "\(pixels)"),
            operands: [store] + made.map(\.part.neuron), model: archive.store.description.model.sha256,
            of: made.flatMap(\.projections).map(\.explanation), toolVersion: Neurodex.version)
        return FigureFile(page: try sheet.page(scale: Double(pixels) / 160), provenance: provenance)
    }
}
