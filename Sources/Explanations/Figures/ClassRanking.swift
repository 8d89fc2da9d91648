import ActivationStore
import Foundation
import Images
import NeuralNetwork

/// What a network answers on an image: its classes by probability.
public struct ClassRanking: Sendable {
    /// One a class, in the network's order.
    public var probabilities: [Double]
    public var scores: [Float]
    /// The classes' names, as many as there are.
    public var names: [String]
    /// The classes from the most probable on; of equal ones the first.
    public var order: [Int]

    /// Of a class, up to its first comma; its number where it has no name.
    public func name(_ index: Int) -> String { names.indices.contains(index) ? Target.shortName(names[index]) : "class \(index)" }

    /// “tabby 81.2 %”.
    public func text(_ index: Int) -> String {
        "\(name(index)) \(Self.percent(probabilities[index]).replacing(" ", with: "\u{A0}"))"
    }

    /// Whether the answer is the class that a label names; nil where it names none.
    public func isRight(_ label: String?) -> Bool? {
        guard let label, names.contains(label), let answer = order.first else { return nil }
        return names.indices.contains(answer) && names[answer] == label
    }

    /// To a tenth of a percent, small ones to a hundredth.
    public static func percent(_ share: Double) -> String {
        let percent = 100 * share
        if percent < 0.005 { return "< 0.01 %" }
        if percent >= 99.95, share < 1 { return "> 99.9 %" }
        return String(format: percent < 9.995 ? "%.2f %%" : "%.1f %%", percent)
    }
}

extension Explainer {
    /// What the network answers on an image; nil of a network without classes.
    public func classRanking(of subject: InputImage) throws -> ClassRanking? {
        guard let target = Target(classIndex: 0, in: description),
            let probability = try ClassProbability(of: target, by: self)
        else { return nil }
        let scoring = try layer(of: target)
        let numbers = try activations(of: probability.layer, on: subject)
        let scores = probability.layer == scoring ? numbers : try activations(of: scoring, on: subject)
        let probabilities = probability.all(of: numbers)
        let order = probabilities.indices.sorted {
            (scores[$1], $0) < (scores[$0], $1)
        }
        return ClassRanking(probabilities: probabilities, scores: scores, names: description.classes, order: order)
    }
}

extension ExplanationArchive {
    /// An image's row of a figure: with what it is labelled, and what the network answers.
    public func row(of subject: InputImage, panels: [Figure.Panel]) -> Figure.Row {
        var notes: [String] = []
        if let label = subject.stored?.label { notes.append("labelled \(Target.shortName(label))") }
        if let standing = classRanking(of: subject), let answer = standing.order.first {
            // No line is broken before a percent sign or a verdict.
            let verdict = standing.isRight(subject.stored?.label).map { $0 ? ",\u{A0}right" : ",\u{A0}wrong" } ?? ""
            notes.append("answered \(standing.text(answer))\(verdict)")
            if standing.order.count > 1 { notes.append("then \(standing.text(standing.order[1]))") }
        }
        notes += subject.shades.map { [$0] } ?? []
        return Figure.Row(
            image: subject.framed, title: (subject.name as NSString).lastPathComponent, notes: notes, panels: panels)
    }

    /// An explanation's panel of a figure.
    /// - Parameters:
    ///   - prefix: before the target in the title.
    ///   - clip: another quantile than the method's, in percent.
    public func panel(
        of explanation: Explanation, on subject: InputImage, by method: some ExplanationMethod, prefix: String = "",
        clip: Double? = nil
    ) throws -> Figure.Panel {
        let (map, target) = (explanation.map, explanation.target)
        var look = method.look(of: map, target: target)
        look.clip = clip ?? look.clip
        let number = Figure.number(explanation.value)
        var title = prefix + target.caption
        var notes = ["\(target.quantity) \(number)"]
        if target.isClass, target.isOneNeuron, let standing = classRanking(of: subject),
            standing.probabilities.indices.contains(target.channel)
        {
            title += "  " + ClassRanking.percent(standing.probabilities[target.channel])
        }
        notes += map.note.map { [$0] } ?? []
        notes += method.reasonForNoBox(of: map, in: preprocessing.crop).map { [$0] } ?? []
        let warnings =
            (map.emptiness.map { [$0] } ?? []) + (explanation.checks?.failures.map(\.sentence) ?? [])
            + (explanation.checks?.notJudged ?? [])
        return Figure.Panel(
            .map(map, look, boxes: explanation.boxes), title: title, notes: notes, warnings: warnings, checks: explanation.checks)
    }
}
