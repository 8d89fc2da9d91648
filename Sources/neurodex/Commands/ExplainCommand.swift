import ActivationStore
public import ArgumentParser
import Explanations
import Foundation
public import Images
import NeuralNetwork

/// Any explanation method as a command: its options, and those that all have.
struct ExplainCommand<Method: ExplanationMethod>: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: Method.name,
            abstract: Method.abstract,
            discussion: """
                Example:

                  neurodex \(Method.name) shop.sqlite photos/cat/1.jpg --target class:cat -o why.png

                IMAGE is a path or an id of the store, or any other file. A target is class:NAME, LAYER:CHANNEL (its maximum), \
                LAYER:CHANNEL@mean or LAYER:CHANNEL@y,x; without one, the class that the network answers. --raw keeps the numbers of the map \
                as a NumPy file, in the network's input frame.
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

    @OptionGroup var output: FormatOption

    enum Scale: String, CaseIterable, ExpressibleByArgument { case own, shared }

    func run() throws {
        let opened = try ([store] + (beside.map { [$0] } ?? [])).map { try Store.open(path: $0) }
        let explainers = try opened.enumerated().map { try Explainer(store: $1, model: $0 == 0 ? model : nil) }
        var rows: [Figure.Row] = []
        var answers: [Answer] = []
        for image in images {
            var panels: [Figure.Panel] = []
            var original: Image?
            var path = image
            for (store, explainer) in zip(opened, explainers) {
                let subject = try Subject(path, store: store, preprocessing: explainer.preprocessing)
                path = subject.name
                original = original ?? subject.framed.image
                let answer = try explain(subject, by: explainer, of: store)
                answers.append(answer)
                let name = beside == nil ? "" : store.description.model.name + ": "
                panels.append(
                    Figure.Panel(
                        map: answer.map, title: "\(name)\(answer.target) \(String(format: "%.4g", Double(answer.value)))",
                        note: answer.map.note))
            }
            if let original {
                rows.append(Figure.Row(image: original, title: (path as NSString).lastPathComponent, panels: panels))
            }
        }
        try write(answers)
        if let picture {
            let image = try Figure(rows: rows, colormap: colormap, sharesScale: scale == .shared).rendered()
            try write(Data(try image.pngData(text: text(answers, opened[0]))), to: picture)
        }
        for note in Set(answers.compactMap(\.map.note)).sorted() { printNote(note) }
        printOut(try ExplanationTable(answers: answers).rendered(as: output.format))
    }

    private func explain(_ subject: Subject, by explainer: Explainer, of store: Store) throws -> Answer {
        let target = try chosenTarget(subject, explainer)
        let map = try method.map(of: subject, target: target, by: explainer)
        return Answer(
            image: subject.name, model: store.description.model.name, target: target.text,
            value: try explainer.value(of: target, on: subject),
            method: Method.name, peak: map.peak, map: map)
    }

    private func chosenTarget(_ subject: Subject, _ explainer: Explainer) throws -> Target {
        if let target { return try Target(target, in: explainer.description) }
        return try explainer.answer(on: subject)
    }

    private func write(_ answers: [Answer]) throws {
        guard let raw else { return }
        guard answers.count > 1 else { return try write(answers[0].map.npy, to: raw) }
        do {
            try FileManager.default.createDirectory(atPath: raw, withIntermediateDirectories: true)
        } catch {
            throw ExplanationError.file(path: raw, reason: (error as NSError).localizedDescription)
        }
        for answer in answers {
            let stem = ((answer.image as NSString).lastPathComponent as NSString).deletingPathExtension
            let name = beside == nil ? stem : stem + "-" + answer.model
            try write(answer.map.npy, to: raw + "/" + name + ".npy")
        }
    }

    private func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(fileURLWithPath: path))
        } catch {
            throw ExplanationError.file(path: path, reason: (error as NSError).localizedDescription)
        }
    }

    /// What made the picture.
    private func text(_ answers: [Answer], _ store: Store) -> [(String, String)] {
        [
            ("Software", "neurodex \(Neurodex.version)"),
            ("neurodex:command", Method.name),
            ("neurodex:model", store.description.model.sha256),
            ("neurodex:store", (store.path as NSString).lastPathComponent),
            ("neurodex:images", answers.map(\.image).joined(separator: "\n")),
            ("neurodex:targets", answers.map(\.target).joined(separator: "\n")),
        ] + method.parameters.map { ("neurodex:\($0.name)", $0.value) }
    }
}

struct Answer {
    var image: String
    var model: String
    var target: String
    var value: Float
    var method: String
    var peak: (y: Int, x: Int)
    var map: ExplanationMap
}

struct ExplanationTable: Printable {
    var answers: [Answer]

    private struct Entry: Encodable {
        var image: String
        var model: String
        var target: String
        var value: Float
        var method: String
        var peakY: Int
        var peakX: Int

        enum CodingKeys: String, CodingKey {
            case image, model, target, value, method
            case peakY = "peak_y"
            case peakX = "peak_x"
        }
    }

    func encode(to encoder: any Encoder) throws {
        try answers.map {
            Entry(
                image: $0.image, model: $0.model, target: $0.target, value: $0.value, method: $0.method, peakY: $0.peak.y,
                peakX: $0.peak.x)
        }.encode(to: encoder)
    }

    var table: TextTable {
        TextTable(
            columns: ["image", "model", "target", "value", "method", "peak y", "x"],
            rows: answers.map {
                [
                    .text($0.image), .text($0.model), .text($0.target), .value($0.value), .text($0.method), .value($0.peak.y),
                    .value($0.peak.x),
                ]
            })
    }

    var fields: [[String]] {
        [["image", "model", "target", "value", "method", "peak_y", "peak_x"]]
            + answers.map { [$0.image, $0.model, $0.target, "\($0.value)", $0.method, "\($0.peak.y)", "\($0.peak.x)"] }
    }
}

extension Colormap: ExpressibleByArgument {}
