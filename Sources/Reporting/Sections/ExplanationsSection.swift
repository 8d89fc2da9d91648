import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import Search
import Support

/// Maps of some answers, drawn at random, and of the worst and the best: never of chosen ones.
struct ExplanationsSection: SectionMaker {
    let id = "explanations"
    let title = "What answers rest on"
    let explanation = """
        Maps of what an answer rests on, by two methods that work differently. The images were drawn at random, so that nobody \
        chose them; the surest wrong and the surest right answers follow. Every map is checked: it has to change when the network's weights are replaced \
        by noise, and covering what it points at has to cost the answer more than covering the same shape elsewhere. A map that fails \
        says nothing about the network.
        """

    /// Why an image is explained.
    private enum Reason: String { case drawn, worst, best }

    private struct Made: TableRow {
        var reason: Reason
        var image: String
        var label: String?
        var answer: String
        var method: String
        var value: Double
        var failed: Int?
        var verdict: String

        static let columns: [ListColumn<Made>] = list {
            column("why", \.reason.rawValue)
            column("image", \.image).shown { .text(fileName($0.image)) }
            column("label", \.label)
            column("target", \.answer)
            column("method", \.method)
            column("score", \.value)
            column("failed", title: "checks failed", \.failed)
            column("verdict", \.verdict)
        }
    }

    private struct Pointed: TableRow {
        var method: String
        var game: PointingGame

        static let columns: [ListColumn<Pointed>] = list {
            column("method", \.method)
            column("maps", \.game.asked)
            column("hits", \.game.hits)
            column("share", title: "hits %", \.game.share).shown { $0.cell($0.game.share) }
            column("middle", title: "the picture's middle %", \.game.centerShare).shown { $0.cell($0.game.centerShare) }
            column("chance", title: "at random %", \.game.chance).shown { $0.cell($0.game.chance) }
        }

        private func cell(_ share: Double?) -> TextTable.Cell {
            share.map { .number(String(format: "%.1f", 100 * $0)) } ?? .nothing
        }
    }

    /// About how many times the network is run, forward or back.
    static func passes(_ options: ReportOptions, _ model: ModelRecord, images: Int) throws -> Int {
        let each = try methods(model).map { $0.passes(height: model.inputHeight, width: model.inputWidth) + 1 }.reduce(0, +)
        let explained = min(options.sample + 2 * options.extremes, images)
        let checked = min(options.checks ?? explained, explained)
        let pointed = options.truth == nil ? 0 : min(mostPointed, images)
        return (explained + pointed) * each + checked * 2 * MapChecks.passes
    }

    /// Images of the pointing game.
    private static let mostPointed = 60

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let methods = try Self.methods(ground.description.model)
        let chosen = try choose(ground, &section)
        var (rows, table, faults) = ([Gallery.Row](), [Made](), [String]())
        try Activity.run(parts: chosen.count) {
            for (index, (reason, image)) in chosen.enumerated() {
                let isChecked = index < ground.options.checks ?? .max
                do {
                    let one = try explain(image, reason, index + 1, methods, isChecked: isChecked, ground, &faults)
                    rows.append(one.row)
                    table += one.made
                } catch let error where !(error is CancellationError) {
                    faults.append("\(fileName(image.path)): \(error)")
                }
                Activity.step()
            }
        }
        section.gaps += Array(Set(faults)).sorted().prefix(5).map { "Not explained: \($0)." }
        guard !table.isEmpty else { return [] }
        let isIncomplete = !faults.isEmpty
        let first = chosen.count { $0.0 == .drawn }
        section.add(
            "choice",
            .text(
                "\(counted(first, "image was", "images were")) drawn at random (seed \(ground.options.seed): the "
                    + "smallest SHA-256 of seed and file), "
                    + "\(chosen.count { $0.0 == .worst }) are the surest wrong answers and "
                    + "\(chosen.count { $0.0 == .best }) the surest right ones. "
                    + "Methods: \(methods.map(\.caption).joined(separator: "; "))."))
        section.add(
            "maps", .gallery(Gallery(caption: "The picture as the network sees it, and a map by each method", rows: rows)),
            isIncomplete: isIncomplete)
        section.add("table", ReportTable("Maps and their checks", table, limit: 200), isIncomplete: isIncomplete)
        var findings = checked(table, &section, isIncomplete).map { finding in
            var finding = finding
            finding.isIncomplete = isIncomplete
            return finding
        }
        findings += try point(ground, methods, &section)
        return findings
    }

    /// Of regions and of pixels; of a small input both of regions, as covering its parts is soon done.
    private static func methods(_ model: ModelRecord) throws -> [any ExplanationMethod] {
        let isSmall = max(model.inputHeight, model.inputWidth) <= 128
        let window = max(1, min(24, max(model.inputHeight, model.inputWidth) / 4))
        let cam = try ClassActivationMap.parse([])
        guard isSmall else { return [cam, try Saliency.parse([])] }
        return [cam, try Occlusion.parse(["--window", "\(window)", "--stride", "\(max(1, window / 3))"])]
    }

    private func choose(_ ground: ReportGround, _ section: inout ReportSection) throws -> [(Reason, StoredImage)] {
        let known = Dictionary(uniqueKeysWithValues: ground.images.map { ($0.id, $0) })
        var chosen = Self.drawn(ground.images, seed: ground.options.seed).prefix(ground.options.sample).map { (Reason.drawn, $0) }
        guard ground.options.extremes > 0 else { return chosen }
        do {
            let answers = try ground.store.answerProbabilities().sorted { ($1.confidence, $0.id) < ($0.confidence, $1.id) }
            for (reason, isRight) in [(Reason.worst, false), (.best, true)] {
                chosen += answers.filter { $0.isRight == isRight }.prefix(ground.options.extremes).compactMap { one in
                    known[one.id].map { (reason, $0) }
                }
            }
        } catch let error as QueryError {
            section.gaps.append("The worst and the best answers are not known: \(error).")
        }
        return chosen
    }

    /// All images in an order that the seed and the files alone decide.
    private static func drawn(_ images: [StoredImage], seed: Int) -> [StoredImage] {
        images.map { image in (Data(SHA256.hash(data: Data("\(seed) ".utf8) + image.sha256)).hexadecimal, image) }
            .sorted { ($0.0, $0.1.id) < ($1.0, $1.1.id) }.map(\.1)
    }

    private func explain(
        _ image: StoredImage, _ reason: Reason, _ number: Int, _ methods: [any ExplanationMethod], isChecked: Bool,
        _ ground: ReportGround, _ faults: inout [String]
    ) throws -> (row: Gallery.Row, made: [Made]) {
        let subject = try ground.archive.subject("\(image.id)")
        let target = try ground.archive.answer(on: subject)
        let name = fileName(image.path)
        let standing = ground.archive.classRanking(of: subject)
        let sure = standing.flatMap { one in one.order.first.map { one.text($0) } } ?? target.caption
        var pictures = [
            try ground.add(
                ReportGround.fitted(subject.framed.picture, side: MapDrawing.side), named: "explained-\(number)",
                alternative: "\(name), as the network sees it", caption: ["answer: \(sure)", "label: \(image.label ?? "none")"])
        ]
        var made: [Made] = []
        for method in methods {
            do {
                let explanation = try Self.explanation(of: subject, target, method, isChecked: isChecked, ground.archive)
                let command = explanation.method
                let verdict = explanation.checks?.verdict ?? "not checked"
                pictures.append(
                    try ground.add(
                        MapDrawing.picture(explanation, by: method, over: subject), named: "explained-\(number)-\(command)",
                        alternative:
                            "\(command) map of \(target.caption) over \(name): "
                            + "\(MapDrawing.words(explanation, subject)); \(verdict)",
                        caption: [command, verdict] + (explanation.map.emptiness.map { [$0] } ?? [])))
                made.append(
                    Made(
                        reason: reason, image: image.path, label: image.label, answer: target.text, method: command,
                        value: Double(explanation.value), failed: explanation.checks?.failures.count, verdict: verdict))
            } catch let error as ExplanationError {
                faults.append("\(name) by \(type(of: method).name): \(error)")
            }
        }
        let verdict = ground.judged.contains { $0.id == image.id } ? (ground.isRight(image) ? ", right" : ", wrong") : ""
        return (Gallery.Row(title: "\(reason.rawValue): \(name)", note: sure + verdict, pictures: pictures), made)
    }

    private static func explanation(
        of subject: InputImage, _ target: Target, _ method: some ExplanationMethod, isChecked: Bool, _ archive: ExplanationArchive
    ) throws -> Explanation {
        try archive.explanation(of: subject, target: target, by: method, isChecked: isChecked)
    }

    private func checked(_ table: [Made], _ section: inout ReportSection, _ isIncomplete: Bool) -> [Finding] {
        let judged = table.compactMap(\.failed)
        guard let failed = Proportion.of(judged.count { $0 > 0 }, in: judged.count) else {
            section.gaps.append("No map was checked.")
            return []
        }
        section.add(
            "checks",
            .text("Of \(counted(failed.total, "checked map")) \(failed.count) failed a check: \(inWords(failed))."),
            isIncomplete: isIncomplete)
        guard failed.count > 0 else {
            return [Finding(.notice, "All \(counted(failed.total, "checked map")) passed the checks.")]
        }
        return [
            Finding(
                2 * failed.count > failed.total ? .alarm : .notice,
                "\(failed.count) of \(failed.total) checked maps failed a check: these say nothing about the network.")
        ]
    }

    private func point(
        _ ground: ReportGround, _ methods: [any ExplanationMethod], _ section: inout ReportSection
    ) throws -> [Finding] {
        guard let path = ground.options.truth else {
            section.add(
                "pointing", .text("No boxes were given (--truth boxes.csv), so it is not said how often maps point at the thing.")
            )
            return []
        }
        let boxes = try BoxTable(contentsOf: path)
        var games = methods.map { _ in PointingGame() }
        var (played, faults) = (0, 0)
        for image in Self.drawn(ground.images, seed: ground.options.seed) where played < Self.mostPointed {
            guard let subject = try? ground.archive.subject("\(image.id)"), let own = try? boxes.boxes(of: subject), !own.isEmpty
            else { continue }
            played += 1
            let target = try ground.archive.answer(on: subject)
            for (index, method) in methods.enumerated() {
                guard let one = try? Self.explanation(of: subject, target, method, isChecked: false, ground.archive) else {
                    faults += 1
                    continue
                }
                try games[index].add(one.map, boxes: own, in: subject.framed.placement)
            }
        }
        guard played > 0 else {
            section.gaps.append("The pointing game was not played: \(path) has no box of any image that could be read.")
            return []
        }
        section.add(
            "pointing",
            ReportTable(
                "Pointing game: how often a map's maximum lies on the thing (\(counted(played, "image")) with boxes, "
                    + "drawn at random)",
                zip(methods, games).map { Pointed(method: type(of: $0.0).name, game: $0.1) }),
            isIncomplete: faults > 0)
        return []
    }
}
