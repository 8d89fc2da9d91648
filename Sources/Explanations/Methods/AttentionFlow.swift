import NeuralNetwork

/// What one query takes of every key through several blocks of attention: a row of a product of square matrices, the last block's first.
struct AttentionFlow {
    /// Of each block in the order in which they are computed, queries × keys.
    private let blocks: [[Double]]
    private let tokens: Int

    /// Attention rollout: each block is the mean over heads and the identity, half each (Abnar and Zuidema 2020).
    init(rollout weights: [[Float]], heads: [Int], tokens: Int) {
        self.tokens = tokens
        blocks = zip(weights, heads).map { weights, heads in
            Self.mean(weights.map(Double.init), heads, tokens).map { $0 / 2 }.plusIdentity(0.5, tokens)
        }
    }

    /// Gradient × attention: each block is the identity, and the mean over heads of what of weight × gradient is above zero (Chefer et al. 2021).
    init(relevance weights: [[Float]], gradients: [[Float]], heads: [Int], tokens: Int) {
        self.tokens = tokens
        blocks = zip(zip(weights, gradients), heads).map { block, heads in
            let evidence = zip(block.0, block.1).map { max(0, Double($0) * Double($1)) }
            return Self.mean(evidence, heads, tokens).plusIdentity(1, tokens)
        }
    }

    private static func mean(_ weights: [Double], _ heads: Int, _ tokens: Int) -> [Double] {
        let count = tokens * tokens
        return (0..<count).map { place in (0..<heads).reduce(0.0) { $0 + weights[$1 * count + place] } / Double(heads) }
    }

    /// The mean over some queries: a number a key.
    func row(of queries: Range<Int>) -> [Double] {
        var row = [Double](repeating: 0, count: tokens)
        for query in queries { row[query] = 1 / Double(queries.count) }
        for block in blocks.reversed() {
            var next = [Double](repeating: 0, count: tokens)
            for query in 0..<tokens where row[query] != 0 {
                for key in 0..<tokens { next[key] += row[query] * block[query * tokens + key] }
            }
            row = next
        }
        return row
    }
}

extension [Double] {
    fileprivate func plusIdentity(_ share: Double, _ tokens: Int) -> [Double] {
        var result = self
        for token in 0..<tokens { result[token * tokens + token] += share }
        return result
    }
}
