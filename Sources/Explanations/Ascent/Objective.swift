public import ActivationStore

/// What gradient ascent makes larger: a weighted sum of targets.
///
/// Written `0.7*conv3:3 - 0.2*class:cat + conv4:5@mean`: targets as everywhere, `+` and `-` with spaces around them (names may have
/// both in them), a factor before `*`. A value: objectives are added and multiplied.
public struct Objective: Hashable, Sendable {
    public struct Term: Hashable, Sendable {
        /// Not 0, finite; below 0 the target is made smaller.
        public var weight: Float
        public var target: Target
    }

    public var terms: [Term]

    public init(_ target: Target) { terms = [Term(weight: 1, target: target)] }

    /// - Throws: `ExplanationError.target` where the text is no sum of targets; `StoreError` for a layer, channel or class that is not
    ///   there.
    public init(_ text: String, in description: StoreDescription) throws {
        // A name that has a plus or minus with spaces in it is still one name.
        if let target = try? Target(text, in: description) {
            terms = [Term(weight: 1, target: target)]
            return
        }
        let words = text.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        var terms: [Term] = []
        var (sign, parts): (Float, [String]) = (1, [])
        for word in words {
            guard word == "+" || word == "-" else {
                parts.append(word)
                continue
            }
            // A sign before the first term is that term's.
            if !(terms.isEmpty && parts.isEmpty && word == "-" && sign == 1) {
                terms.append(try Self.term(parts.joined(separator: " "), sign, text, description))
            }
            (sign, parts) = (word == "+" ? 1 : -1, [])
        }
        terms.append(try Self.term(parts.joined(separator: " "), sign, text, description))
        self.terms = terms
    }

    private static func term(_ text: String, _ sign: Float, _ whole: String, _ description: StoreDescription) throws -> Term {
        guard !text.isEmpty else {
            throw ExplanationError.target(whole, problem: "lacks a target beside a + or -, such as class:0 or LAYER:CHANNEL")
        }
        var (sign, text) = (sign, text)
        if text.hasPrefix("-"), (try? Target(text, in: description)) == nil {
            sign = -sign
            text.removeFirst()
        }
        if let target = try? Target(text, in: description) { return Term(weight: sign, target: target) }
        guard let star = text.firstIndex(of: "*") else { return Term(weight: sign, target: try Target(text, in: description)) }
        let factor = text[..<star].filter { $0 != " " }
        guard let weight = Float(factor), weight.isFinite, weight != 0 else {
            throw ExplanationError.target(whole, problem: "has the factor '\(factor)'; before * stands a number that is not 0")
        }
        let name = String(text[text.index(after: star)...].drop { $0 == " " })
        return Term(weight: sign * weight, target: try Target(name, in: description))
    }

    /// With the mean over the whole map for a neuron of which no place, mean or maximum is named: what fills a picture. A
    /// class's score is one number.
    public func fillingPictures(in description: StoreDescription) -> Objective {
        var filled = self
        for (index, term) in terms.enumerated() {
            let target = term.target
            // A segmenter's class is of a region that there is on a picture only.
            let isFree =
                target.isClass ? target.reduction == .region && !target.text.hasSuffix("@argmax") : target.reduction == .maximum
            guard isFree, !target.text.hasSuffix("@max"),
                let layer = description.layers.first(where: { $0.name == target.layer }), layer.height * layer.width > 1,
                let mean = try? Target(target.neuron + "@mean", in: description)
            else { continue }
            filled.terms[index].target = mean
        }
        return filled
    }

    public static func + (left: Objective, right: Objective) -> Objective {
        var sum = left
        sum.terms += right.terms
        return sum
    }

    /// - Precondition: the factor is finite and not 0.
    public static func * (factor: Float, objective: Objective) -> Objective {
        precondition(factor.isFinite && factor != 0, "a factor of an objective is finite and not 0")
        var product = objective
        for index in product.terms.indices { product.terms[index].weight *= factor }
        return product
    }

    /// Equal for equal objectives only.
    var key: String { terms.map { "\($0.weight)*\($0.target.key)" }.joined(separator: " + ") }

    /// As a user would write it; equal objectives have equal texts.
    public var text: String { Self.text(of: terms.map { ($0.weight, $0.target.text) }) }

    /// Terms with signs between them.
    static func text(of terms: [(weight: Float, name: String)]) -> String {
        terms.enumerated().map { index, term in
            let sign = index == 0 ? (term.weight < 0 ? "-" : "") : term.weight < 0 ? " - " : " + "
            return sign + (term.weight.magnitude == 1 ? "" : "\(term.weight.magnitude)*") + term.name
        }.joined()
    }
}
