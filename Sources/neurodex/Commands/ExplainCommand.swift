import ActivationStore
public import ArgumentParser
import Explanations
import Foundation
public import Images
import NeuralNetwork
import Search

/// Any explanation method as a command: its options, and those that all have.
struct ExplainCommand<Method: ExplanationMethod>: FigureCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            // `cam` has a second command, `cam fit`, and this is what it does without a name.
            commandName: Method.self == ClassActivationMap.self ? "map" : Method.name,
            abstract: Method.abstract,
            discussion: """
                Example:

                  neurodex \(Method.name) shop.sqlite photos/cat/1.jpg --target class:cat -o why.png
                  neurodex \(Method.name) shop.sqlite --where "label = 'cat'" -k 24 --mean -o cats.png

                IMAGES are paths or ids of the store, other files, or folders of them; --where chooses among the store's. A target is class:NAME or \
                LAYER:CHANNEL (its maximum); LAYER:CHANNEL@mean, @sum, @y,x of its map (@t of one row, as a recogniser's steps), @box x0,y0,x1,y1 in pixels of the picture, \
                @mask FILE, a region that you drew (what is not black), or @argmax, where it is the largest of its layer, as class:NAME is of a segmenter; -TARGET, and sums such as 'class:cat - class:dog'; \
                similar:IMAGE[@LAYER], why it is like another image of the store; output:NAME[i,j], an element of an output, or \
                output:NAME[i]@box …, a part of one that is a map; output@t, what a recogniser of text reads at step t; \
                box:K of a detector's K-th box ('neurodex detect' lists them), box:K.objectness, box:K.x0. Without one, the class \
                that the network answers. --raw keeps the numbers of the map as a NumPy file, in the network's input frame. Results are \
                kept in the store, and given at once when they are asked for again; 'neurodex explanations STORE' lists them.
                """)
    }

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "Images or folders (default: those of the store that meet --where).", completion: .images)
    var images: [String] = []

    @OptionGroup var choice: ChoiceOptions
    @OptionGroup var method: Method

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "What to explain (default: the class that the network answers); several are drawn side by side.", valueName: "target"),
        completion: .neurons)
    var target: [String] = []

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp(
            "Draw original and map side by side, a PNG, SVG or PDF by its ending; of very many images several numbered pages.",
            valueName: "file"),
        completion: .file())
    var picture: String?

    @Option(
        help: ArgumentHelp("Write the map as a NumPy file; of several images, into a folder.", valueName: "file"),
        completion: .file()
    )
    var raw: String?

    @Option(help: ArgumentHelp("viridis, magma, inferno, turbo, grey or diverging.", valueName: "name"))
    var colormap: Colormap?

    @Option(
        help: ArgumentHelp(
            "The percentile of magnitudes that gets the last colour; --raw is not touched (default: 99.5 for saliency, else 100).",
            valueName: "percent"))
    var clip: Double?

    @Option(help: ArgumentHelp("Colours on a scale of each map's own, or one that all share.", valueName: "own|shared"))
    var scale: Scale = .own

    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"), completion: .file())
    var model: String?

    @Flag(help: "Draw the mean of all images and the mean of their maps, instead of each; --raw gets it too.")
    var mean = false

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var imagesFolder: String?

    @Option(
        help: ArgumentHelp("Explain the same images by another store's network too, and draw both.", valueName: "store"),
        completion: .file())
    var beside: String?

    @OptionGroup var size: SizeOption
    @OptionGroup var findings: FindingsOptions
    @OptionGroup var keeping: KeepingOption
    @OptionGroup var output: FormatOption

    enum Scale: String, CaseIterable, ExpressibleByArgument { case own, shared }

    func validate() throws {
        guard !images.isEmpty || choice.condition != nil else {
            throw ValidationError("name images or folders, or choose images of the store with --where")
        }
        if let clip, !(50...100).contains(clip) { throw ValidationError("--clip takes a percentile from 50 to 100, not \(clip)") }
        try OutputFile.check(
            OutputFile("-o", picture, .picture), OutputFile("--raw", raw, isOfOneMap ? .array : .folder),
            OutputFile("--mask", findings.mask, isOfOneMap ? .mask : .folder))
    }

    /// Whether one map is all that there can be.
    var isOfOneMap: Bool { choice.isOne(images) && beside == nil && target.count < 2 && !mean }

    func run() throws {
        let archives = try archives(keeping: keeping.keeps)
        let chosen = try choice.images(images, in: archives[0].store, files: archives[0].files)
        try refusePages(of: chosen.names.count)
        chosen.notes.forEach(printNote)
        var pages = picture.map { FigurePages(path: $0) }
        var results = ExplanationOutput(self, archives, page: picture == nil ? nil : { try pages?.add($0) })
        let explained = try explained(chosen, by: archives) { try results.add($0) }
        if explained.isStopped {
            printNote(
                "stopped after \(explained.count) of \(chosen.names.count) \(chosen.names.count == 1 ? "image" : "images")")
            guard explained.count > 0 else { throw ExitCode.interrupted }
        }
        explained.omissionNotes.forEach(printNote)
        guard explained.count > 0 else { throw Failure("no image could be explained") }
        try results.finish()
        try pages?.finish()
        if let pages, pages.count > 1, scale == .shared { printNote("a scale is shared within each page, not between pages") }
        results.tally.notes.forEach(printNote)
        if picture != nil {
            for silence in archives.compactMap(\.silence) { printNote("drawn without probabilities: \(silence)") }
        }
        archives.forEach(keeping.report)
        printListing(try results.tally.table.rendered(as: output.format), besides: picture, raw, findings.mask)
        if let truth = findings.truth { results.tally.truth.sentences(of: truth).forEach(printNote) }
        if explained.isStopped { throw ExitCode.interrupted }
        if !explained.omitted.isEmpty { throw ExitCode.someSkipped }
    }

    func figure() throws -> FigureFile {
        let archives = try archives(keeping: false)
        let chosen = try choice.images(images, in: archives[0].store, files: archives[0].files)
        var pages: [FigureFile] = []
        var results = ExplanationOutput(self, archives) { pages.append($0) }
        let explained = try explained(chosen, by: archives) { try results.add($0) }
        guard !explained.isStopped else { throw ExitCode.interrupted }
        if let omission = explained.omissionNotes.first { throw Failure(omission) }
        try results.finish()
        guard pages.count == 1 else { throw Failure("these images are drawn on \(pages.count) pages, not on one") }
        return pages[0]
    }

    func passes() throws -> Int {
        // A picture names the images that are in it; whose folders a stranger names, is not looked into.
        if let folder = images.first(where: ChosenImages.isFolder) {
            throw Failure("\(folder) is a folder, and a picture of neurodex names each of its images")
        }
        let store = try Store.open(path: store)
        let model = store.description.model
        let each = method.passes(height: model.inputHeight, width: model.inputWidth) + 1 + (findings.check ? MapChecks.passes : 0)
        let targets = max(target.count, 1)
        let count = images.isEmpty ? try store.imageCount() : images.count
        return count.saturated(times: each.saturated(times: beside == nil ? targets : 2 * targets))
    }

    private func archives(keeping: Bool) throws -> [ExplanationArchive] {
        try ([store] + (beside.map { [$0] } ?? [])).enumerated().map { index, path in
            try ExplanationArchive(
                store: try Store.open(path: path), model: index == 0 ? model : nil, images: imagesFolder, keeps: keeping,
                toolVersion: Neurodex.version)
        }
    }

    /// What became of the images, in their order; fewer where the user stopped it.
    /// - Parameter body: takes each that could be explained.
    private func explained(
        _ chosen: ChosenImages, by archives: [ExplanationArchive], body: (Answer) throws -> Void
    ) throws -> Explained {
        let truth = try findings.table()
        if chosen.isListed { try archives[0].requireFiles(of: chosen.names) }
        let monitor = ExplanationMonitor()
        var explained = Explained()
        for (index, image) in chosen.names.enumerated() {
            let remark = chosen.names.count > 1 ? "image \(index + 1) of \(chosen.names.count)" : nil
            let answer: Answer
            do {
                let made = try monitor.watch(remark) { try self.answer(image, by: archives, truth, isListed: chosen.isListed) }
                guard let made else {
                    explained.isStopped = true
                    break
                }
                answer = made
            } catch  where !chosen.isListed && Explained.isOfOneImage(error) {
                explained.omitted.append((image, "\(error)"))
                continue
            }
            try body(answer)
            explained.count += 1
            if chosen.names.count > 1 { monitor.show(done: index + 1, of: chosen.names.count) }
        }
        monitor.clear()
        return explained
    }

    private func answer(
        _ image: String, by archives: [ExplanationArchive], _ truth: BoxTable?, isListed: Bool
    ) throws -> Answer {
        // Another store may know the image by another id, and by another path.
        let first = try archives[0].subject(image)
        let explanations = try archives.enumerated().map { index, archive in
            let subject = try index == 0 ? first : archive.subject(first.name, orFile: first.file)
            let targets =
                try target.isEmpty
                ? [archive.usualTarget(of: method, on: subject)]
                : target.map {
                    try Target(sumOf: $0, in: archive.store.description)
                }
            return try targets.map { try archive.explanation(of: subject, target: $0, by: method, isChecked: findings.check) }
        }
        let all = explanations.flatMap { $0 }
        return Answer(
            name: image, subject: first,
            models: zip(archives, explanations).flatMap { archive, some in some.map { _ in archive.store.description.model.name }
            },
            archives: explanations.enumerated().flatMap { index, some in some.map { _ in index } }, explanations: all,
            findings: try all.map { try findings.finding($0, over: first, truth, needsRow: isListed) })
    }
}

extension Colormap: ExpressibleByArgument {}
