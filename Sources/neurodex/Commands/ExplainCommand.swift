import ActivationStore
public import ArgumentParser
import Explanations
import Foundation
public import Images
import NeuralNetwork

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

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "Images.")
    var images: [String]

    @OptionGroup var method: Method

    @Option(help: ArgumentHelp("What to explain (default: the class that the network answers).", valueName: "target"))
    var target: String?

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("Draw original and map side by side, a PNG.", valueName: "file"))
    var picture: String?

    @Option(help: ArgumentHelp("Write the map as a NumPy file; for several images, a folder.", valueName: "file"))
    var raw: String?

    @Option(help: ArgumentHelp("viridis, magma, inferno, turbo, grey or diverging.", valueName: "name"))
    var colormap: Colormap?

    @Option(help: ArgumentHelp("Colours on a scale of each map's own, or one that all share.", valueName: "own|shared"))
    var scale: Scale = .own

    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"))
    var model: String?

    @Option(help: ArgumentHelp("Explain the same images by another store's network too, and draw both.", valueName: "store"))
    var beside: String?

    @OptionGroup var findings: FindingsOptions
    @OptionGroup var keeping: KeepingOption
    @OptionGroup var output: FormatOption

    enum Scale: String, CaseIterable, ExpressibleByArgument { case own, shared }

    func run() throws {
        let archives = try archives(keeping: keeping.keeps)
        let answers = try explained(by: archives)
        try write(answers)
        if let file = findings.mask { try findings.write(answers.flatMap(\.findings), to: file) }
        if let picture { try neurodex.write(try drawn(answers, archives[0]), to: picture) }
        for note in Set(answers.flatMap(\.explanations).compactMap(\.map.note)).sorted() { printNote(note) }
        archives.forEach(keeping.report)
        printOut(try ExplanationTable(answers: answers, findings: findings).rendered(as: output.format))
        if let game = try findings.game(answers) { printNote(game) }
    }

    func figure() throws -> Data {
        let archives = try archives(keeping: false)
        return try drawn(try explained(by: archives), archives[0])
    }

    private func archives(keeping: Bool) throws -> [ExplanationArchive] {
        try ([store] + (beside.map { [$0] } ?? [])).enumerated().map { index, path in
            try ExplanationArchive(
                store: try Store.open(path: path), model: index == 0 ? model : nil, keeps: keeping,
                toolVersion: Neurodex.version)
        }
    }

    private func explained(by archives: [ExplanationArchive]) throws -> [Answer] {
        let truth = try findings.table()
        return try images.map { image in
            // Another store may know the image by another id, but not by another path.
            let first = try archives[0].subject(image)
            let explanations = try archives.enumerated().map { index, archive in
                let subject = try index == 0 ? first : archive.subject(first.name)
                let target = try target.map { try Target($0, in: archive.store.description) } ?? archive.answer(on: subject)
                return try archive.explanation(of: subject, target: target, by: method, isChecked: findings.check)
            }
            return Answer(
                subject: first, models: archives.map(\.store.description.model.name), explanations: explanations,
                findings: try explanations.map { try findings.finding($0, over: first, truth) })
        }
    }

    private func write(_ answers: [Answer]) throws {
        guard let raw else { return }
        let all = answers.flatMap { answer in zip(answer.models, answer.explanations).map { ($0, $1) } }
        guard all.count > 1 else { return try neurodex.write(all[0].1.map.npy, to: raw) }
        try makeFolder(raw)
        for (model, explanation) in all {
            let stem = ((explanation.image as NSString).lastPathComponent as NSString).deletingPathExtension
            try neurodex.write(explanation.map.npy, to: "\(raw)/\(stem)\(beside == nil ? "" : "-" + model).npy")
        }
    }

    private func drawn(_ answers: [Answer], _ archive: ExplanationArchive) throws -> Data {
        let rows = answers.map { answer in
            Figure.Row(
                image: answer.subject.framed.image, title: (answer.subject.name as NSString).lastPathComponent,
                panels: zip(answer.models, zip(answer.explanations, answer.findings)).flatMap { model, result in
                    [result.0.panel(prefix: beside == nil ? "" : model + ": ")] + (result.1.panel.map { [$0] } ?? [])
                })
        }
        let image = try Figure(rows: rows, colormap: colormap, sharesScale: scale == .shared).rendered()
        return Data(try image.pngData(text: provenance(answers, archive).text))
    }

    private func provenance(_ answers: [Answer], _ archive: ExplanationArchive) -> Provenance {
        let option = Provenance.option
        let explanations = answers.flatMap(\.explanations)
        return Provenance(
            command: Method.name,
            options: method.arguments + option("--target", target) + option("--colormap", colormap?.rawValue)
                + (scale == .shared ? ["--scale", "shared"] : []) + option("--beside", beside) + findings.arguments,
            operands: [store] + images, model: archive.store.description.model.sha256, of: explanations,
            toolVersion: Neurodex.version)
    }
}

/// One image, explained by one network or by several.
struct Answer {
    var subject: Subject
    /// Names of the networks.
    var models: [String]
    /// One a network.
    var explanations: [Explanation]
    /// One a network.
    var findings: [Finding]
}

extension Colormap: ExpressibleByArgument {}
