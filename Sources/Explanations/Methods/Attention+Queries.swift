import NeuralNetwork

/// Who attends.
extension Attention {
    static func place(_ text: String) -> (y: Int, x: Int)? {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0.drop { $0 == " " }) }
        guard numbers.count == 2, let y = numbers[0], let x = numbers[1], y >= 0, x >= 0 else { return nil }
        return (y, x)
    }

    /// Tokens of the query's axis, and what they are called.
    func queries(of attention: AttentionLayer) throws -> (range: Range<Int>, name: String) {
        let grid = attention.queryGrid
        let prefix = grid?.prefix ?? 0
        func refusal(_ query: String, _ reason: String) -> ExplanationError {
            .attention(.noQuery(query, layer: attention.name, reason: reason))
        }
        switch query {
        case nil where grid == nil && attention.queries == 1: return (0..<1, "the learnt query")
        case nil where prefix > 0: return (0..<1, "the class token")
        case nil, "mean": return (prefix..<attention.queries, "the mean over \(attention.queries - prefix) queries")
        case "class":
            guard prefix > 0 else { throw refusal("class", "there is no token before those of places; take mean, or y,x") }
            return (0..<1, "the class token")
        case let text?:
            guard let grid else { throw refusal(text, "its queries are no places") }
            guard let place = Self.place(text), place.y < grid.height, place.x < grid.width else {
                throw refusal(text, "its tokens are \(grid.height)×\(grid.width), counted from 0,0")
            }
            let token = prefix + place.y * grid.width + place.x
            return (token..<token + 1, "place \(place.y),\(place.x)")
        }
    }
}
