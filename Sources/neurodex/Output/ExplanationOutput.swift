import ActivationStore
import Explanations
import Foundation
import Images
import NeuralNetwork
import Search

/// What a run makes of explanations: files of maps, pictures, and what is listed. It takes one image after another, and holds no
/// more maps than a page of the figure has.
struct ExplanationOutput<Method: ExplanationMethod> {
    private let command: ExplainCommand<Method>
    private let archives: [ExplanationArchive]
    private(set) var tally: ExplanationTally<Method>
    private var means: ExplanationMeans<Method>?
    /// Takes each page; nil where nothing is drawn.
    private let page: ((FigureFile) throws -> Void)?

    /// Of the page that is being made: rows, and what is said of them, without maps.
    private var rows: [Figure.Row] = []
    private var (names, explanations): ([String], [Explanation]) = ([], [])
    /// Names of files that have been written.
    private var taken: [String: Int] = [:]
    private var masks = 0

    init(_ command: ExplainCommand<Method>, _ archives: [ExplanationArchive], page: ((FigureFile) throws -> Void)?) {
        (self.command, self.archives, self.page) = (command, archives, page)
        tally = ExplanationTally(of: command.method, command.findings, frame: archives[0].preprocessing.crop)
        if command.mean { means = ExplanationMeans(of: command.method, clip: command.clip) }
    }

    mutating func add(_ answer: Answer) throws {
        if page != nil, means == nil, rows.count == command.imagesAPage { try turnPage() }
        try tally.add(answer)
        try write(answer)
        let prefixes = answer.models.map(prefix)
        means?.add(answer, prefixes: prefixes)
        guard page != nil else { return }
        if means == nil { rows.append(try row(answer)) }
        names.append(answer.name)
        explanations += shown(answer).map(\.withoutMap)
    }

    /// Draws the last page, and the means.
    mutating func finish() throws {
        if let means {
            if let raw = command.raw {
                for (index, mean) in try means.all().enumerated() {
                    let name = "mean" + suffix(of: mean.target, by: models[index])
                    try neurodex.write(mean.map.npy, to: "\(raw)/\(name).npy")
                }
            }
            if page != nil { rows = [try means.row()] }
        }
        if !rows.isEmpty { try turnPage() }
    }

    /// Of the first image's explanations.
    private var models: [String] {
        let targets = max(command.target.count, 1)
        return archives.flatMap { [String](repeating: $0.store.description.model.name, count: targets) }
    }

    private func prefix(_ model: String) -> String { command.beside == nil ? "" : model + ": " }

    // MARK: Numbers

    private mutating func write(_ answer: Answer) throws {
        if let file = command.findings.mask { try write(answer.findings, to: file) }
        guard let raw = command.raw else { return }
        if command.isOfOneMap {
            return try answer.explanations.first.map { try neurodex.write($0.map.npy, to: raw) } ?? ()
        }
        try makeFolder(raw)
        for (index, explanation) in answer.explanations.enumerated() {
            let stem = ((explanation.image as NSString).lastPathComponent as NSString).deletingPathExtension
            let name = stem + suffix(of: explanation.target, by: answer.models[index])
            // Images of two folders may have one name.
            taken[name, default: 0] += 1
            let number = taken[name] ?? 1
            try neurodex.write(explanation.map.npy, to: "\(raw)/\(name)\(number == 1 ? "" : "-\(number)").npy")
        }
    }

    private func suffix(of target: Target, by model: String) -> String {
        let what = target.text.map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "-" }
        return (command.beside == nil ? "" : "-" + model) + (command.target.count < 2 ? "" : "-" + String(what))
    }

    private mutating func write(_ findings: [Finding], to path: String) throws {
        guard !command.isOfOneMap else {
            return try findings.first?.mask.map { try neurodex.write($0.png, to: path) } ?? ()
        }
        try makeFolder(path)
        for finding in findings {
            // Numbered as the images are, though one may have no mask.
            masks += 1
            if let mask = finding.mask { try neurodex.write(mask.png, to: path + String(format: "/%05d.png", masks)) }
        }
    }

    // MARK: Pictures

    private mutating func turnPage() throws {
        let figure = Figure(
            heading: command.method.caption, rows: rows, colormap: command.colormap, sharesScale: command.scale == .shared,
            size: command.pixels)
        let file = FigureFile(
            page: try figure.page(), provenance: command.provenance(names, explanations, archives[0]))
        (rows, names, explanations) = ([], [], [])
        try page?(file)
    }

    private func row(_ answer: Answer) throws -> Figure.Row {
        let panels = try zip(zip(answer.models, answer.archives), zip(shown(answer), answer.findings)).flatMap { place, result in
            let (explanation, finding) = result
            let panel = try archives[place.1].panel(
                of: explanation, on: answer.subject, by: command.method, prefix: prefix(place.0), clip: command.clip)
            return [panel] + (finding.panel(over: answer.subject).map { [$0] } ?? [])
        }
        return archives[0].row(of: answer.subject, panels: panels)
    }

    /// Without checks that were made before and not asked for now: what the arguments say is what is drawn.
    private func shown(_ answer: Answer) -> [Explanation] {
        answer.explanations.map { explanation in
            var explanation = explanation
            if !command.findings.check { explanation.checks = nil }
            return explanation
        }
    }
}

extension ExplainCommand {
    /// The longer side of a picture.
    var pixels: Int { size.pixels(Figure.defaultSize) }

    /// How many images a page holds, of 2²⁵ pixels at most where one image has fewer.
    var imagesAPage: Int {
        let panels = Double(1 + 2 * max(target.count, 1) * (beside == nil ? 1 : 2))
        return max(1, Int(Double(1 << 25) / (Double(pixels) * Double(pixels) * 1.6 * panels)))
    }

    /// Refuses, before any work, pages that have no file to go to.
    func refusePages(of count: Int) throws {
        guard picture == "-", !mean, count > imagesAPage else { return }
        throw Failure("\(count) images do not fit on one page; name a file, which gets numbered pages, or take fewer with -k")
    }

    fileprivate func provenance(
        _ names: [String], _ explanations: [Explanation], _ archive: ExplanationArchive
    ) -> Provenance {
        Provenance(
            command: Method.name,
            options: method.arguments + Spelling.option("--target", target) + Spelling.option("--colormap", colormap?.rawValue)
                + Spelling.option("--scale", scale == .shared ? scale.rawValue : nil)
                + Spelling.option("--clip", clip.map { "\($0)" })
                + Spelling.option("--beside", beside) + findings.arguments + Spelling.flag("--mean", mean)
                + Spelling.option("--size", "\(pixels)"),
            operands: [store] + names, model: archive.store.description.model.sha256, of: explanations,
            toolVersion: Neurodex.version)
    }
}
