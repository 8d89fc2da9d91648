public import ArgumentParser
import Images
import NeuralNetwork
import Search

/// What a transformer's tokens attend to.
///
/// - `attention`: the weights of one layer's softmax, of one head, their mean, or of all: how much the class token (or another query) takes of
///   every place. Vaswani et al., "Attention Is All You Need", 2017, https://arxiv.org/abs/1706.03762.
/// - `rollout`: Abnar and Zuidema, "Quantifying Attention Flow in Transformers", 2020, https://arxiv.org/abs/2005.00928. The product of all
///   blocks' (mean over heads + identity) / 2.
/// - `gradient`: Chefer, Gur and Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers", 2021,
///   https://arxiv.org/abs/2103.15679, for self-attention: R = I, and for each block R += mean over heads of max(0, ∂s/∂A ⊙ A) · R. Here less the
///   identity, which says of a token that it is itself. The only one of the three that depends on the target.
///
/// The map is [height, width] of the grid of tokens, or [heads, height, width] for `--head all`; not below zero. A query's weights of all keys add up
/// to 1 (`attention`, `rollout`), those of the class token among them, which is no place and not on the map.
///
/// Errors: `ExplanationError.attention` where a network has none over the picture's tokens, or a head or query is not there; `.flat` where the
/// gradient is zero.
public struct Attention: ExplanationMethod {
    public static let name = "attention"
    public static let abstract = "Show the places that a transformer's tokens attend to."

    public enum Kind: String, CaseIterable, ExpressibleByArgument, Sendable { case attention, rollout, gradient }

    @Option(
        help: ArgumentHelp(
            "attention (one layer's weights), rollout (through all layers) or gradient (through all layers, by the target's gradient).",
            valueName: "method"))
    public var method: Kind = .attention

    @Option(help: ArgumentHelp("Whose weights attention shows (default: the last layer's).", valueName: "layer"))
    public var layer: String?

    @Option(
        help: ArgumentHelp(
            "Whose weights attention shows: a head's, counted from 0, mean or all; of all the picture has the largest, --raw each.",
            valueName: "K|mean|all"))
    public var head = "mean"

    @Option(
        help: ArgumentHelp(
            "Who attends: the class token, mean (over all places), or the place in row y and column x of the tokens (default: class where there is such a token, else mean).",
            valueName: "class|mean|y,x"))
    public var query: String?

    /// For the argument parser.
    public init() {}

    public func validate() throws {
        guard method == .attention || (layer == nil && head == "mean") else {
            throw ExplanationError.parameter(
                name: "--method \(method.rawValue)", value: layer.map { "--layer \($0)" } ?? "--head \(head)",
                expected: "no --layer and no --head, as it goes through all of them")
        }
        guard ["mean", "all"].contains(head) || Int(head).map({ $0 >= 0 }) == true else {
            throw ExplanationError.parameter(name: "--head", value: head, expected: "a number from 0, mean or all")
        }
        guard query.map({ ["class", "mean"].contains($0) || Self.place($0) != nil }) ?? true else {
            throw ExplanationError.parameter(
                name: "--query", value: query ?? "", expected: "class, mean, or the row and column of a token, y,x")
        }
    }

    public var grain: MapGrain { .regions }

    public var dependsOnTarget: Bool { method == .gradient }

    public var arguments: [String] {
        Spelling.option("--method", method.rawValue)
            + (method == .attention ? Spelling.option("--head", head) + Spelling.option("--layer", layer) : [])
            + Spelling.option("--query", query)
    }

    public var caption: String {
        switch method {
        case .attention: "Attention" + (Int(head) != nil ? ", head \(head)" : head == "all" ? ", all heads" : ", mean of heads")
        case .rollout: "Attention rollout"
        case .gradient: "Gradient × attention"
        }
    }

    public func look(of map: ExplanationMap, target: Target) -> MapLook {
        switch method {
        case .attention: MapLook(isSigned: false, quantity: "weight of attention" + (head == "all" ? ", largest of heads" : ""))
        case .rollout: MapLook(isSigned: false, quantity: "share of attention through all blocks")
        case .gradient: MapLook(isSigned: false, quantity: "attention × ∂\(target.quantity)/∂attention, above zero")
        }
    }

    public func map(of subject: InputImage, target: Target, by explainer: Explainer) throws -> ExplanationMap {
        switch method {
        case .attention: try weights(subject, explainer)
        case .rollout: try rollout(subject, explainer)
        case .gradient: try relevance(subject, target, explainer)
        }
    }

    // MARK: - One layer

    private func weights(_ subject: InputImage, _ explainer: Explainer) throws -> ExplanationMap {
        let attention = try chosen(try all(explainer.network.attentions()))
        guard let grid = attention.keyGrid else { throw ExplanationError.attention(.windows(attention.name, isRollout: false)) }
        let who = try queries(of: attention)
        let weights = try Self.weights(of: [attention], subject, explainer)[0]
        func row(_ head: Int) -> [Double] {
            (0..<attention.keys).map { key in
                who.range.reduce(0.0) { $0 + Double(weights[(head * attention.queries + $1) * attention.keys + key]) }
                    / Double(who.range.count)
            }
        }
        let heads: Range<Int>
        if let index = Int(head) {
            guard index < attention.heads else {
                throw ExplanationError.attention(.noHead(index, of: attention.heads, layer: attention.name))
            }
            heads = index..<index + 1
        } else {
            heads = 0..<attention.heads
        }
        var rows = heads.map(row)
        if head == "mean" {
            rows = [(0..<attention.keys).map { key in rows.reduce(0.0) { $0 + $1[key] } / Double(rows.count) }]
        }
        var map = Self.map(of: rows, on: grid)
        let whose = head == "mean" ? "mean of \(heads.count) heads" : head == "all" ? "\(heads.count) heads" : "head \(head)"
        map.note = "attention of \(who.name) at \(attention.name), \(whose)" + Self.rest(of: rows, on: grid)
        return map
    }

    private func chosen(_ attentions: [AttentionLayer]) throws -> AttentionLayer {
        guard let layer else { return attentions[attentions.count - 1] }
        if let named = attentions.first(where: { $0.name == layer }) { return named }
        // The name of the block, or of what stands beside it in the store.
        let within = attentions.filter { $0.name.hasPrefix(layer + ".") }
        guard within.count == 1 else {
            throw NetworkError.noSuchName(kind: "attention", name: layer, known: attentions.map(\.name))
        }
        return within[0]
    }

    // MARK: - All layers

    private func rollout(_ subject: InputImage, _ explainer: Explainer) throws -> ExplanationMap {
        let attentions = try square(try all(explainer.network.attentions()))
        let weights = try Self.weights(of: attentions, subject, explainer)
        let flow = AttentionFlow(rollout: weights, heads: attentions.map(\.heads), tokens: attentions[0].keys)
        return try map(of: flow, through: attentions, named: "rollout") { _ in 0 }
    }

    private func relevance(_ subject: InputImage, _ target: Target, _ explainer: Explainer) throws -> ExplanationMap {
        let end = try explainer.layer(of: target)
        let attentions = try square(try all(explainer.network.attentions(before: end), before: end))
        let pass = try GradientPass(explainer.network, layer: end, keeping: attentions)
        _ = pass.input(image: 0).update(fromContentsOf: subject.tensor)
        try pass.forward()
        target.seed(pass.seed(image: 0), map: pass.activation(image: 0), channels: end.channels, width: end.width)
        try pass.backward()
        let kept = attentions.compactMap { pass.weights(of: $0) }
        let gradients = kept.map(\.gradient)
        guard gradients.contains(where: { $0.contains { $0 != 0 } }) else { throw ExplanationError.flat(target: target.text) }
        // The maximum with 0 would hide them.
        guard gradients.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw ExplanationError.notFinite(what: "the gradient of \(target.text) by attention")
        }
        let flow = AttentionFlow(
            relevance: kept.map(\.values), gradients: gradients, heads: attentions.map(\.heads), tokens: attentions[0].keys)
        return try map(of: flow, through: attentions, named: "gradient × attention") { queries in 1 / Double(queries.count) }
    }

    /// - Parameter own: what is taken from the places of the queries themselves.
    private func map(
        of flow: AttentionFlow, through attentions: [AttentionLayer], named name: String, own: (Range<Int>) -> Double
    ) throws -> ExplanationMap {
        guard let grid = attentions[0].keyGrid else { throw ExplanationError.attention(.none(target: nil)) }
        let who = try queries(of: attentions[attentions.count - 1])
        var row = flow.row(of: who.range)
        for query in who.range { row[query] -= own(who.range) }
        var map = Self.map(of: [row], on: grid)
        let count = attentions.count
        map.note = "\(name) of \(who.name) through \(count) \(count == 1 ? "block" : "blocks")" + Self.rest(of: [row], on: grid)
        return map
    }

    /// - Throws: `ExplanationError.attention` where one block's tokens are not the next one's.
    private func square(_ attentions: [AttentionLayer]) throws -> [AttentionLayer] {
        if let windows = attentions.first(where: { $0.keyGrid == nil }) {
            throw ExplanationError.attention(.windows(windows.name, isRollout: true))
        }
        // A learnt query at the end reads the tokens, and is no block.
        let blocks = attentions.last?.queryGrid == nil ? Array(attentions.dropLast()) : attentions
        if let other = blocks.first(where: { !$0.isSquare || $0.keyGrid != blocks[0].keyGrid }) {
            throw ExplanationError.attention(
                .otherTokens(other.name, queries: other.queries, keys: other.keys, first: blocks[0].keys))
        }
        guard !blocks.isEmpty else { throw ExplanationError.attention(.none(target: nil)) }
        return blocks
    }

    private func all(_ attentions: [AttentionLayer], before target: Layer? = nil) throws -> [AttentionLayer] {
        guard !attentions.isEmpty else { throw ExplanationError.attention(.none(target: target?.name)) }
        return attentions
    }

    // MARK: - From weights to maps

    private static func weights(
        of attentions: [AttentionLayer], _ subject: InputImage, _ explainer: Explainer
    ) throws -> [[Float]] {
        let pass = try ForwardPass.pass(explainer.network, attentions: attentions)
        _ = pass.input(image: 0).update(fromContentsOf: subject.tensor)
        try pass.run()
        let all = attentions.indices.map { pass.weights(of: attentions, index: $0) }
        guard all.allSatisfy({ $0.allSatisfy(\.isFinite) }) else { throw ExplanationError.notFinite(what: "attention") }
        return all
    }

    private static func map(of rows: [[Double]], on grid: AttentionLayer.Grid) -> ExplanationMap {
        ExplanationMap(
            channels: rows.count, height: grid.height, width: grid.width,
            values: rows.flatMap { $0.dropFirst(grid.prefix).map { Float($0) } }, isSigned: false)
    }

    /// How much goes to tokens that are no places; the mean over rows.
    private static func rest(of rows: [[Double]], on grid: AttentionLayer.Grid) -> String {
        let (all, before) = rows.reduce((0.0, 0.0)) { sum, row in
            (sum.0 + row.reduce(0, +), sum.1 + row.prefix(grid.prefix).reduce(0, +))
        }
        guard grid.prefix > 0, all > 0 else { return "" }
        return
            "; \(Int((100 * before / all).rounded())) % goes to \(grid.prefix == 1 ? "the class token itself" : "the \(grid.prefix) tokens that are no places")"
    }
}
