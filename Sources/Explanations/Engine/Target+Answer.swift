import ActivationStore
import Foundation
import Search

/// A box of a detector, and what of it is explained.
public struct DetectionTarget: Hashable, Sendable {
    public enum Part: String, CaseIterable, Sendable {
        /// The score of its class, before a sigmoid or softmax.
        case score
        /// Whether there is anything, before a sigmoid.
        case objectness
        case left = "x0"
        case top = "y0"
        case right = "x1"
        case bottom = "y1"
    }

    /// Among the boxes of the picture, from 1, by score.
    public var rank: Int
    public var part: Part
    public var settings: DetectionSettings

    /// As a user would write it.
    var text: String {
        let settings = settings.text
        return "box:\(rank)" + (part == .score ? "" : ".\(part.rawValue)") + (settings.isEmpty ? "" : "@\(settings)")
    }
}

extension Target {
    /// An element of an output or a box of a detector; nil for other targets.
    /// - Throws: `ExplanationError.target` for what begins as such a target and is none.
    init?(ofAnswer text: String, in description: StoreDescription) throws {
        // A layer's own name may begin so.
        func isLayer(_ prefix: String) -> Bool {
            text.hasPrefix(prefix) && description.layers.contains { text.hasPrefix($0.name + ":") }
        }
        if text.hasPrefix("output:"), !isLayer("output:") {
            let (name, index, over) = try Self.element(text)
            self.init(layer: "output:\(name)", reduction: .element(output: name, index: index, over: over), text: text)
        } else if text.hasPrefix("output@"), let step = Int(text.dropFirst(7)), step >= 0 {
            self.init(layer: "output", reduction: .element(output: "", index: [step]), text: text)
        } else if text.hasPrefix("box:"), !isLayer("box:") {
            let target = try Self.detection(text)
            self.init(layer: "box", reduction: .detection(target), text: target.text)
        } else {
            return nil
        }
    }

    private static func element(_ text: String) throws -> (name: String, index: [Int], over: String?) {
        let refusal = ExplanationError.target(
            text,
            problem:
                "names no element of an output; write its indices behind the output's name, the batch's left out: output:NAME[i,j]"
        )
        let cut = text.range(of: "]@", options: .backwards)
        let over = cut.map { String(text[$0.upperBound...]) }
        let text = cut.map { String(text[...$0.lowerBound]) } ?? text
        guard text.hasSuffix("]"), let bracket = text.lastIndex(of: "[") else { throw refusal }
        let name = String(text[text.index(text.startIndex, offsetBy: 7)..<bracket])
        let numbers = text[text.index(after: bracket)...].dropLast()
            .split(separator: ",", omittingEmptySubsequences: false).map { Int($0.drop { $0 == " " }) }
        let index = numbers.compactMap { $0 }
        // Of a sum, each term is read on its own.
        let isSum = [" + ", " - "].contains(where: name.contains)
        guard !name.isEmpty, !isSum, index.count == numbers.count else { throw refusal }
        return (name, index, over)
    }

    private static func detection(_ text: String) throws -> DetectionTarget {
        let halves = text.dropFirst(4).split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let words = halves[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = DetectionTarget.Part.allCases.map(\.rawValue).joined(separator: ", ")
        guard let rank = Int(words[0]), rank >= 1 else {
            throw ExplanationError.target(
                text, problem: "names no box; boxes are counted from 1, the strongest, as 'neurodex detect' lists them: box:1")
        }
        guard let part = words.count == 1 ? .score : DetectionTarget.Part(rawValue: String(words[1])) else {
            throw ExplanationError.target(text, problem: "names '\(words[1])' of a box, which has \(parts)")
        }
        guard let settings = halves.count == 1 ? DetectionSettings() : DetectionSettings(halves[1]) else {
            let forms = DetectionSettings.Form.allCases.map(\.rawValue).joined(separator: "|")
            throw ExplanationError.target(
                text,
                problem:
                    "ends in '@\(halves[1])'; after @ stand score=0.25, iou=0.45, head=\(forms), logits, boxes=TENSOR and scores=TENSOR, with commas between"
            )
        }
        return DetectionTarget(rank: rank, part: part, settings: settings)
    }

    /// Whether it is of the network's answer as its file has it, and no neuron of the store's layers.
    var isOfAnswer: Bool {
        switch reduction {
        case .element, .detection: true
        default: false
        }
    }
}

extension ExplanationError {
    /// Of an element of an output or a box, where a neuron is asked for.
    static func isNoNeuron(_ target: Target) -> ExplanationError {
        .target(target.text, problem: "is no neuron of a layer; only saliency, occlusion and cam explain it on an image")
    }
}
