import ActivationStore
import Explanations
import Foundation
import Images
import NeuralNetwork
import Search

/// What explanations are written to: pictures, and the numbers of their maps.
extension ExplainCommand {
    func write(_ answers: [Answer]) throws {
        guard let raw else { return }
        if isOfOneMap { return try answers.first?.explanations.first.map { try neurodex.write($0.map.npy, to: raw) } ?? () }
        try makeFolder(raw)
        var taken: [String: Int] = [:]
        for answer in answers {
            for (index, explanation) in answer.explanations.enumerated() {
                let stem = ((explanation.image as NSString).lastPathComponent as NSString).deletingPathExtension
                let name = stem + suffix(of: explanation.target, by: answer.models[index])
                // Images of two folders may have one name.
                taken[name, default: 0] += 1
                let number = taken[name] ?? 1
                try neurodex.write(explanation.map.npy, to: "\(raw)/\(name)\(number == 1 ? "" : "-\(number)").npy")
            }
        }
        guard mean else { return }
        for (index, explanation) in (answers.first?.explanations ?? []).enumerated() {
            let name = "mean" + suffix(of: explanation.target, by: answers[0].models[index])
            try neurodex.write(try meanMap(index, answers).map.npy, to: "\(raw)/\(name).npy")
        }
    }

    private func suffix(of target: Target, by model: String) -> String {
        let what = target.text.map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "-" }
        return (beside == nil ? "" : "-" + model) + (self.target.count < 2 ? "" : "-" + String(what))
    }

    // MARK: Pictures

    /// How many images a page holds, of 2²⁵ pixels at most where one image has fewer.
    private var imagesAPage: Int {
        let pixels = Double(size.pixels(Figure.defaultSize))
        let panels = Double(1 + 2 * max(target.count, 1) * (beside == nil ? 1 : 2))
        return max(1, Int(Double(1 << 25) / (pixels * pixels * 1.6 * panels)))
    }

    /// Refuses, before any work, pages that have no file to go to.
    func refusePages(of count: Int) throws {
        guard picture == "-", !mean, count > imagesAPage else { return }
        throw Failure("\(count) images do not fit on one page; name a file, which gets numbered pages, or take fewer with -k")
    }

    /// The pages of a figure; their file's name with a number, where there are several.
    func write(_ pages: [FigureFile], to path: String) throws {
        guard pages.count > 1 else { return try pages.first.map { try neurodex.write($0, to: path) } ?? () }
        let stem = (path as NSString).deletingPathExtension
        let names = pages.indices.map { "\(stem)-\($0 + 1).\((path as NSString).pathExtension)" }
        for (page, name) in zip(pages, names) { try neurodex.write(page, to: name) }
        printNote("drawn on \(pages.count) pages, \(names[0]) to \(names[names.count - 1])")
        if scale == .shared { printNote("a scale is shared within each page, not between pages") }
    }

    func drawn(_ answers: [Answer], _ archives: [ExplanationArchive]) throws -> [FigureFile] {
        if mean { return [try file([try meanRow(answers, archives)], of: answers, archives[0])] }
        return try stride(from: 0, to: answers.count, by: imagesAPage).map { start in
            let part = Array(answers[start..<min(start + imagesAPage, answers.count)])
            return try file(try part.map { try row($0, archives) }, of: part, archives[0])
        }
    }

    private func file(_ rows: [Figure.Row], of answers: [Answer], _ archive: ExplanationArchive) throws -> FigureFile {
        let figure = Figure(
            heading: method.caption, rows: rows, colormap: colormap, sharesScale: scale == .shared,
            size: size.pixels(Figure.defaultSize))
        return FigureFile(page: try figure.page(), provenance: provenance(answers, archive))
    }

    private func row(_ answer: Answer, _ archives: [ExplanationArchive]) throws -> Figure.Row {
        let panels = try zip(zip(answer.models, answer.archives), zip(shown(answer), answer.findings)).flatMap { place, result in
            let (archive, (explanation, finding)) = (archives[place.1], result)
            let panel = try archive.panel(
                of: explanation, on: answer.subject, by: method, prefix: beside == nil ? "" : place.0 + ": ", clip: clip)
            return [panel] + (finding.panel(over: answer.subject).map { [$0] } ?? [])
        }
        return archives[0].row(of: answer.subject, panels: panels)
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
                + Spelling.option("--beside", beside) + findings.arguments + Spelling.flag("--mean", mean)
                + Spelling.option("--size", "\(size.pixels(Figure.defaultSize))"),
            operands: [store] + answers.map(\.name), model: archive.store.description.model.sha256, of: explanations,
            toolVersion: Neurodex.version)
    }

    // MARK: Means

    /// The mean of the maps of one target by one network, with how they are drawn.
    private func meanMap(_ index: Int, _ answers: [Answer]) throws -> (map: ExplanationMap, look: MapLook) {
        let all = answers.map { $0.explanations[index] }
        guard let first = all.first else { throw Failure("there is no map to take a mean of") }
        let look = method.look(of: first.map, target: first.target)
        guard let map = ExplanationMap.mean(of: all.map(\.map), look: look) else {
            throw Failure("the maps have different shapes, so they have no mean; name one layer, or one target, for all")
        }
        return (map, look)
    }

    /// The mean of the images, and of the maps of each target.
    private func meanRow(_ answers: [Answer], _ archives: [ExplanationArchive]) throws -> Figure.Row {
        let panels = try (answers.first?.explanations ?? []).indices.map { index in
            var (map, look) = try meanMap(index, answers)
            look.clip = clip ?? look.clip
            look.quantity = "mean of: " + look.quantity
            let targets = Set(answers.map { $0.explanations[index].target.caption })
            let title = targets.count == 1 ? targets.first ?? "" : "what each is answered with"
            let shares = answers.compactMap { $0.findings[index].evidence }
            let prefix = beside == nil ? "" : answers[0].models[index] + ": "
            return Figure.Panel(
                .map(map, look, boxes: []), title: prefix + title,
                notes: ["mean of \(answers.count) maps"]
                    + (shares.isEmpty ? [] : ["in the boxes: \(FindingsOptions.percent(shares)) of the evidence"]),
                warnings: map.emptiness.map { [$0] } ?? [])
        }
        let counts = Dictionary(grouping: answers.compactMap { $0.subject.stored?.label }) { $0 }.mapValues(\.count)
        let labels = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let named = labels.prefix(5).map { "\($0.value) \(Target.shortName($0.key))" }.joined(separator: ", ")
        return Figure.Row(
            image: .mean(of: answers.map(\.subject.framed.image)), title: "Mean of \(answers.count) images",
            notes: named.isEmpty ? [] : [named + (labels.count > 5 ? " and \(labels.count - 5) labels more" : "")],
            panels: panels)
    }
}
