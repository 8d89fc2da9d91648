import ActivationStore
import Support

/// Which layers of two stores are compared: those of the same name and as many channels, and those that the user matches.
struct LayerPairs {
    private(set) var pairs: [(LayerRecord, LayerRecord)] = []
    /// Layers without a counterpart, of A and then of B.
    private(set) var leftOut: [Diff.LeftOut] = []

    /// Its correlations and weights take a quarter of a gigabyte.
    private static let largestAssignment = 4096

    /// - Throws: ``StoreError/unknownLayer(name:suggestions:)``, ``QueryError``.
    init(_ a: StoreDescription, _ b: StoreDescription, layers: [String], matches: [String], by: Partnering) throws {
        let matched = try Dictionary(matches.map { try Self.match($0, a, b) }) { _, _ in
            throw QueryError.wrongMatch(matches.joined(separator: " "), reason: "a layer of A comes twice")
        }
        let chosen = Set(try layers.map { try Self.layer($0, a).name })
        for layer in a.layers where chosen.isEmpty || chosen.contains(layer.name) || matched[layer.name] != nil {
            do {
                pairs.append((layer, try matched[layer.name] ?? Self.counterpart(of: layer, b)))
            } catch let error as QueryError {
                guard case .notComparable(_, let reason) = error, !chosen.contains(layer.name) else { throw error }
                leftOut.append(Diff.LeftOut(layer: layer.name, store: "a", reason: reason))
            }
        }
        guard !pairs.isEmpty else { throw QueryError.noCommonLayer }
        if chosen.isEmpty {
            let said = Set(pairs.map { $1.name } + leftOut.map(\.layer))
            leftOut += b.layers.filter { !said.contains($0.name) }.map {
                Diff.LeftOut(layer: $0.name, store: "b", reason: "A has no layer of this name")
            }
        }
        for (one, other) in pairs { try Self.check(one, other, by) }
    }

    private static func layer(_ name: String, _ description: StoreDescription) throws -> LayerRecord {
        if let layer = description.layers.first(where: { $0.name == name }) { return layer }
        throw StoreError.unknownLayer(
            name: name, suggestions: Suggestion.nearest(to: name, among: description.layers.lazy.map { $0.name }))
    }

    private static func counterpart(of layer: LayerRecord, _ b: StoreDescription) throws -> LayerRecord {
        guard let other = b.layers.first(where: { $0.name == layer.name }) else {
            throw QueryError.notComparable(layer: layer.name, reason: "B has no layer of this name")
        }
        guard other.channels == layer.channels else {
            throw QueryError.notComparable(
                layer: layer.name, reason: "it has \(layer.channels) channels in A and \(other.channels) in B")
        }
        return other
    }

    /// Names of layers may have an equals sign in them.
    private static func match(_ text: String, _ a: StoreDescription, _ b: StoreDescription) throws -> (String, LayerRecord) {
        let signs = text.indices.filter { text[$0] == "=" }
        guard let first = signs.first else {
            throw QueryError.wrongMatch(text, reason: "it has no equals sign between a layer of A and one of B")
        }
        let split = signs.first { sign in
            a.layers.contains { $0.name == text[..<sign] } && b.layers.contains { $0.name == text[text.index(after: sign)...] }
        }
        let sign = split ?? first
        return (try layer(String(text[..<sign]), a).name, try layer(String(text[text.index(after: sign)...]), b))
    }

    private static func check(_ one: LayerRecord, _ other: LayerRecord, _ by: Partnering) throws {
        if by == .index, one.channels != other.channels {
            throw QueryError.notComparable(
                layer: one.name,
                reason: "--by index needs as many channels, and it has \(one.channels), \(other.name) of B \(other.channels)")
        }
        let most = max(one.channels, other.channels)
        if by == .assignment, most > largestAssignment {
            throw QueryError.notComparable(
                layer: one.name,
                reason: "--by assignment goes up to \(largestAssignment) channels, and it has \(most); ask --by correlation")
        }
    }
}
