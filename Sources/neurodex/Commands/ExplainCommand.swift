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

                IMAGE is a path or an id of the store, or any other file. A target is class:NAME, LAYER:CHANNEL (its maximum), \
                LAYER:CHANNEL@mean or LAYER:CHANNEL@y,x; without one, the class that the network answers. --raw keeps the numbers of the map \
                as a NumPy file, in the network's input frame. Results are kept in the store, and given at once when they are asked for again; \
                'neurodex explanations STORE' lists them.
                """)
    }

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "Images.", completion: .images)
    var images: [String]

    @OptionGroup var method: Method

    @Option(
        help: ArgumentHelp(
            "What to explain (default: the class that the network answers); several are drawn side by side.", valueName: "target"),
        completion: .neurons)
    var target: [String] = []

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("Draw original and map side by side, a PNG, or an SVG by its ending.", valueName: "file"),
        completion: .file())
    var picture: String?

    @Option(
        help: ArgumentHelp("Write the map as a NumPy file; for several images, a folder.", valueName: "file"), completion: .file()
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
        let isSingle = images.count == 1 && beside == nil && target.count < 2
        if let clip, !(50...100).contains(clip) { throw ValidationError("--clip takes a percentile from 50 to 100, not \(clip)") }
        try OutputFile.check(
            OutputFile("-o", picture, .picture), OutputFile("--raw", raw, isSingle ? .array : .folder),
            OutputFile("--mask", findings.mask, isSingle ? .mask : .folder))
    }

    func run() throws {
        let archives = try archives(keeping: keeping.keeps)
        let monitor = ExplanationMonitor()
        let answers = try explained(by: archives, monitor)
        if answers.count < images.count {
            printNote("stopped after \(answers.count) of \(images.count) \(images.count == 1 ? "image" : "images")")
            guard !answers.isEmpty else { throw ExitCode.interrupted }
        }
        try write(answers)
        if let file = findings.mask { try findings.write(answers.flatMap(\.findings), to: file) }
        if let picture { try neurodex.write(try drawn(answers, archives), to: picture) }
        for note in Set(answers.flatMap(\.explanations).compactMap(\.map.note)).sorted() { printNote(note) }
        for explanation in answers.flatMap(\.explanations) {
            guard let emptiness = explanation.map.emptiness else { continue }
            printNote("\(explanation.image), \(explanation.target.text): \(emptiness)")
        }
        for explanation in answers.flatMap(\.explanations) {
            guard let reason = method.reasonForNoBox(of: explanation.map, in: archives[0].preprocessing.crop) else { continue }
            printNote("\(explanation.image), \(explanation.target.text): \(reason)")
        }
        for reason in answers.flatMap(\.findings).compactMap(\.spread) { printNote(reason) }
        if picture != nil {
            for silence in archives.compactMap(\.silence) { printNote("drawn without probabilities: \(silence)") }
        }
        archives.forEach(keeping.report)
        printListing(
            try ExplanationTable(answers: answers, findings: findings).rendered(as: output.format), besides: picture, raw,
            findings.mask)
        if let game = try findings.game(answers) { printNote(game) }
        if answers.count < images.count { throw ExitCode.interrupted }
    }

    func figure() throws -> FigureFile {
        let archives = try archives(keeping: false)
        let answers = try explained(by: archives, ExplanationMonitor())
        guard answers.count == images.count else { throw ExitCode.interrupted }
        return try drawn(answers, archives)
    }

    func passes() throws -> Int {
        let model = try Store.open(path: store).description.model
        let each = method.passes(height: model.inputHeight, width: model.inputWidth) + 1 + (findings.check ? 400 : 0)
        let targets = max(target.count, 1)
        return images.count.saturated(times: each.saturated(times: beside == nil ? targets : 2 * targets))
    }

    private func archives(keeping: Bool) throws -> [ExplanationArchive] {
        try ([store] + (beside.map { [$0] } ?? [])).enumerated().map { index, path in
            try ExplanationArchive(
                store: try Store.open(path: path), model: index == 0 ? model : nil, images: imagesFolder, keeps: keeping,
                toolVersion: Neurodex.version)
        }
    }

    /// One an image, in their order; fewer where the user stopped it.
    private func explained(by archives: [ExplanationArchive], _ monitor: ExplanationMonitor) throws -> [Answer] {
        let truth = try findings.table()
        try archives[0].requireFiles(of: images)
        var answers: [Answer] = []
        for (index, image) in images.enumerated() {
            let remark = images.count > 1 ? "image \(index + 1) of \(images.count)" : nil
            guard let answer = try monitor.watch(remark, { try answer(image, by: archives, truth) }) else { break }
            answers.append(answer)
        }
        return answers
    }

    private func answer(_ image: String, by archives: [ExplanationArchive], _ truth: BoxTable?) throws -> Answer {
        // Another store may know the image by another id, and by another path.
        let first = try archives[0].subject(image)
        let explanations = try archives.enumerated().map { index, archive in
            let subject = try index == 0 ? first : archive.subject(first.name, orFile: first.file)
            let targets =
                try target.isEmpty ? [archive.answer(on: subject)] : target.map { try Target($0, in: archive.store.description) }
            return try targets.map { try archive.explanation(of: subject, target: $0, by: method, isChecked: findings.check) }
        }
        let all = explanations.flatMap { $0 }
        return Answer(
            subject: first,
            models: zip(archives, explanations).flatMap { archive, some in some.map { _ in archive.store.description.model.name }
            },
            archives: explanations.enumerated().flatMap { index, some in some.map { _ in index } }, explanations: all,
            findings: try all.map { try findings.finding($0, over: first, truth) })
    }

    private func write(_ answers: [Answer]) throws {
        guard let raw else { return }
        let all = answers.flatMap { answer in zip(answer.models, answer.explanations).map { ($0, $1) } }
        guard images.count > 1 || beside != nil || target.count > 1 else { return try neurodex.write(all[0].1.map.npy, to: raw) }
        try makeFolder(raw)
        for (model, explanation) in all {
            let stem = ((explanation.image as NSString).lastPathComponent as NSString).deletingPathExtension
            let what =
                target.count < 2 ? "" : "-" + explanation.target.text.map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "-" }
            try neurodex.write(explanation.map.npy, to: "\(raw)/\(stem)\(beside == nil ? "" : "-" + model)\(what).npy")
        }
    }

    private func drawn(_ answers: [Answer], _ archives: [ExplanationArchive]) throws -> FigureFile {
        let rows = try answers.map { answer in
            let panels = try zip(zip(answer.models, answer.archives), zip(shown(answer), answer.findings)).flatMap {
                place, result in
                let (archive, (explanation, finding)) = (archives[place.1], result)
                let panel = try archive.panel(
                    of: explanation, on: answer.subject, by: method, prefix: beside == nil ? "" : place.0 + ": ", clip: clip)
                return [panel] + (finding.panel(over: answer.subject).map { [$0] } ?? [])
            }
            return archives[0].row(of: answer.subject, panels: panels)
        }
        let figure = Figure(
            heading: method.caption, rows: rows, colormap: colormap, sharesScale: scale == .shared,
            size: size.pixels(Figure.defaultSize))
        return FigureFile(page: try figure.page(), provenance: provenance(answers, archives[0]))
    }

    /// Without checks that were made before and not asked for now: what the arguments say is what is drawn.
    private func shown(_ answer: Answer) -> [Explanation] {
        answer.explanations.map { explanation in
            var explanation = explanation
            if !findings.check { explanation.checks = nil }
            return explanation
        }
    }

    private func provenance(_ answers: [Answer], _ archive: ExplanationArchive) -> Provenance {
        let explanations = answers.flatMap(shown)
        return Provenance(
            command: Method.name,
            options: method.arguments + Spelling.option("--target", target) + Spelling.option("--colormap", colormap?.rawValue)
                + Spelling.option("--scale", scale == .shared ? scale.rawValue : nil)
                + Spelling.option("--clip", clip.map { "\($0)" })
                + Spelling.option("--beside", beside) + findings.arguments
                + Spelling.option("--size", "\(size.pixels(Figure.defaultSize))"),
            operands: [store] + images.prefix(answers.count), model: archive.store.description.model.sha256, of: explanations,
            toolVersion: Neurodex.version)
    }
}

/// One image, explained by one network or by several.
struct Answer {
    var subject: Subject
    /// For every explanation the name of the network, and the place of its store among those asked.
    var models: [String]
    var archives: [Int]
    /// One for every network and target.
    var explanations: [Explanation]
    /// One an explanation.
    var findings: [Finding]
}

extension Colormap: ExpressibleByArgument {}
