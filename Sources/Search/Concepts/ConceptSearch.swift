import Foundation

/// A formula of literals, each joined to what stands before it: ((a AND b) OR c).
struct ConceptFormula: Hashable {
    enum Connective: String {
        case and = "AND"
        case or = "OR"
    }

    struct Term: Hashable {
        var connective: Connective
        var literal: Int
    }

    let first: Int
    var rest: [Term] = []

    var length: Int { rest.count + 1 }
    var literals: [Int] { [first] + rest.map(\.literal) }

    /// `OR` binds less than `AND`, so that brackets stand around what `OR` joined before an `AND`.
    func text(_ literal: (Int) -> String) -> String {
        var text = literal(first)
        for (index, term) in rest.enumerated() {
            if index > 0, rest[index - 1].connective == .or, term.connective == .and { text = "(\(text))" }
            text += " \(term.connective.rawValue) \(literal(term.literal))"
        }
        return text
    }

    func mask(_ literal: (Int) -> BitMask) -> BitMask {
        rest.reduce(literal(first)) { mask, term in
            term.connective == .and ? mask & literal(term.literal) : mask | literal(term.literal)
        }
    }
}

/// Finds the formula whose images a neuron tells best from all others, by AUROC: INVERT (Bykov et al., [Labeling Neural
/// Representations with Inverse Recognition](https://arxiv.org/abs/2311.13594), 2023).
///
/// A beam search: the best literals, then the best formulas that a further literal makes of the best ones before. The sum of
/// a neuron's ranks over the images of a formula is all that its AUROC needs (Mann and Whitney 1947); OR follows from AND,
/// as S(a ∨ b) = S(a) + S(b) − S(a ∧ b).
struct ConceptSearch {
    struct Found: Hashable {
        var formula: ConceptFormula
        /// 2 · U − n · m, and the images for which the formula holds.
        var sum: Int
        var count: Int
        var auroc: Double
    }

    let concepts: ConceptSet
    let images: Int
    /// Formulas that are gone on from.
    let beam: Int
    let length: Int
    /// Images for which a formula has to hold, and not to hold, at least.
    let least: Int
    /// By how much AUROC a formula has to be better for each literal more.
    let gain: Double

    /// Comparisons of 64 images that one neuron takes.
    var work: Double {
        Double(concepts.literals.count * (1 + (length - 1) * beam)) * Double((images + 63) / 64)
    }

    /// The best formula; nil where none may be listed.
    /// - Parameter ranks: 2 · midrank − (n + 1) of the searched images.
    func best(_ ranks: [Float]) -> Found? {
        let own = concepts.literals.map { $0.searched.sum(ranks, with: $0.searched) }
        var level = own.enumerated().compactMap { found(ConceptFormula(first: $0), $1) }.sorted(by: Self.isBetter)
        var best = level.first { isListed($0) }
        for _ in 1..<max(length, 1) {
            let kept = Array(level.prefix(beam))
            level = kept.flatMap { longer($0, ranks, own) }.sorted(by: Self.isBetter)
            level = distinct(level)
            guard let found = level.first(where: { isListed($0) }) else { continue }
            let more = best.map { Double(found.formula.length - $0.formula.length) * gain } ?? 0
            if best.map({ found.auroc > $0.auroc + more }) ?? true { best = found }
        }
        return best
    }

    private func isListed(_ found: Found) -> Bool { found.count >= least && images - found.count >= least }

    private static func isBetter(_ a: Found, _ b: Found) -> Bool {
        a.auroc == b.auroc ? a.formula.literals.lexicographicallyPrecedes(b.formula.literals) : a.auroc > b.auroc
    }

    /// Formulas of one sum and one number of images are most likely of the same images; the first stands for all, so that
    /// the beam is not full of one formula written in several ways.
    private func distinct(_ level: [Found]) -> [Found] {
        var (kept, last) = ([Found](), (sum: Int.min, count: -1))
        for found in level where found.sum != last.sum || found.count != last.count {
            kept.append(found)
            last = (found.sum, found.count)
        }
        return kept
    }

    /// - Parameter own: of every literal alone.
    private func longer(_ start: Found, _ ranks: [Float], _ own: [(sum: Int, count: Int)]) -> [Found] {
        let mask = start.formula.mask { concepts.literals[$0].searched }
        let used = Set(start.formula.literals.map { concepts.literals[$0].concept })
        return concepts.literals.indices.flatMap { index -> [Found] in
            let literal = concepts.literals[index]
            guard !used.contains(literal.concept) else { return [] }
            let both = mask.sum(ranks, with: literal.searched)
            let either = (
                sum: start.sum + own[index].sum - both.sum, count: start.count + own[index].count - both.count
            )
            return [(ConceptFormula.Connective.and, both), (.or, either)].compactMap { connective, figures in
                var formula = start.formula
                formula.rest.append(.init(connective: connective, literal: index))
                return found(formula, figures)
            }
        }
    }

    private func found(_ formula: ConceptFormula, _ figures: (sum: Int, count: Int)) -> Found? {
        auroc(of: figures, images: images).map {
            Found(formula: formula, sum: figures.sum, count: figures.count, auroc: $0)
        }
    }
}

/// U / (n · m), where 2 · U is the sum of 2 · midrank − (N + 1) over n of N images, and n · m; nil where n is 0 or N.
func auroc(of figures: (sum: Int, count: Int), images: Int) -> Double? {
    let pairs = figures.count * (images - figures.count)
    return pairs > 0 ? Double(figures.sum + pairs) / Double(2 * pairs) : nil
}
