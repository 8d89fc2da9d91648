import Foundation
import Support

extension StoreDescription {
    /// A property that differs between what a run wants to write and what a store is.
    typealias Difference = (property: String, expected: String, found: String)

    /// What makes `self`, which a run wants to write, unfit for a store that is `stored`: the first property that differs.
    func difference(from stored: StoreDescription) -> Difference? {
        model.difference(from: stored.model) ?? preprocessingDifference(from: stored) ?? layerDifference(from: stored)
            ?? classDifference(from: stored) ?? settingDifference(from: stored)
    }

    private func preprocessingDifference(from stored: StoreDescription) -> Difference? {
        guard preprocessingHash != stored.preprocessingHash else { return nil }
        let facts = Self.differingFields(preprocessing, stored.preprocessing)
        return ("preprocessing", facts.0, facts.1)
    }

    private func layerDifference(from stored: StoreDescription) -> Difference? {
        for (wanted, kept) in zip(layers, stored.layers) where wanted != kept {
            let facts = (wanted.summary, kept.summary)
            return facts.0 == facts.1
                ? ("layer list", "other facts of layer \(wanted.name)", "layer \(kept.name)") : ("layer list", facts.0, facts.1)
        }
        guard layers.count != stored.layers.count else { return nil }
        return ("layer list", "\(layers.count) layers", "\(stored.layers.count) layers")
    }

    private func classDifference(from stored: StoreDescription) -> Difference? {
        if let index = classes.indices.first(where: { !stored.classes.indices.contains($0) || classes[$0] != stored.classes[$0] })
        {
            let kept = stored.classes.indices.contains(index) ? stored.classes[index] : "none"
            return ("class list", "class \(index) = \(classes[index])", "class \(index) = \(kept)")
        }
        guard classes.count != stored.classes.count else { return nil }
        return ("class list", "\(classes.count) classes", "\(stored.classes.count) classes")
    }

    private func settingDifference(from stored: StoreDescription) -> Difference? {
        if topCount != stored.topCount { return ("--top", "\(topCount)", "\(stored.topCount)") }
        if blockImages != stored.blockImages { return ("block size", "\(blockImages)", "\(stored.blockImages)") }
        guard shard != stored.shard else { return nil }
        func text(_ shard: Shard?) -> String { shard.map { "shard \($0)" } ?? "all of the dataset" }
        return ("part of the dataset", text(shard), text(stored.shard))
    }

    /// Of two JSON objects, the fields that differ; both whole where they are no such objects.
    private static func differingFields(_ wanted: String, _ stored: String) -> (String, String) {
        let decoder = JSONDecoder()
        guard let first = try? decoder.decode([String: Field].self, from: Data(wanted.utf8)),
            let second = try? decoder.decode([String: Field].self, from: Data(stored.utf8))
        else { return (wanted, stored) }
        let names = Set(first.keys).union(second.keys).filter { first[$0] != second[$0] }.sorted()
        func text(_ fields: [String: Field]) -> String {
            names.map { "\($0) \(shown($0, fields))" }.joined(separator: ", ")
        }
        /// Sizes with the height first: texts that say nothing of Pillow, those of neurodex 0.1, have the width first.
        func shown(_ name: String, _ fields: [String: Field]) -> String {
            let text = fields[name]?.text ?? "none"
            let sides = text.split(separator: "x")
            guard fields["pillow"] == nil, ["crop", "resize"].contains(name), sides.count == 2 else { return text }
            return "\(sides[1])x\(sides[0])"
        }
        return (text(first), text(second))
    }

    /// A value of a JSON object, as it is shown.
    private struct Field: Decodable, Equatable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let numbers = try? container.decode([Double].self) {
                text = numbers.map(\.shortText).joined(separator: ",")
            } else if let number = try? container.decode(Double.self) {
                text = number.shortText
            } else {
                text = try container.decode(String.self)
            }
        }
    }
}

extension ModelRecord {
    fileprivate func difference(from stored: ModelRecord) -> StoreDescription.Difference? {
        if sha256 != stored.sha256 {
            return ("model", "\(name) (SHA-256 \(sha256.prefix(12))…)", "\(stored.name) (SHA-256 \(stored.sha256.prefix(12))…)")
        }
        if output != stored.output {
            return ("output", output ?? "the model's first output", stored.output ?? "the model's first output")
        }
        if inputs != stored.inputs {
            return ("values of inputs beside the image (--input)", inputs ?? "none", stored.inputs ?? "none")
        }
        if others != stored.others { return ("outputs", othersText, stored.othersText) }
        if outputNames != stored.outputNames { return ("names of outputs (--outputs)", namesText, stored.namesText) }
        if precision != stored.precision { return ("precision", precision ?? "float32", stored.precision ?? "float32") }
        return inputText == stored.inputText ? nil : ("input size", inputText, stored.inputText)
    }

    private var inputText: String { "\(inputChannels)×\(inputHeight)×\(inputWidth)" }
    private var namesText: String { outputNames.isEmpty ? "none" : outputNames.joined(separator: ", ") }
    private var othersText: String { others.isEmpty ? "one output" : "also the outputs \(others.joined(separator: ", "))" }
}

extension LayerRecord {
    fileprivate var summary: String {
        "\(name) (\(channels)×\(height)×\(width) of \(tensor)\(hasMean ? ", with means" : ""))"
    }
}
