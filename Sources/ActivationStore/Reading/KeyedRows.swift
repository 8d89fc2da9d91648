import GRDB

/// Reads runs of rows of `activation_block` or `mean_block` by their keys.
///
/// That every key is followed by its successor is all that shows a key that was damaged into another one, so a row is read more than
/// was asked for. It belongs to one connection and one read transaction.
final class KeyedRows {
    private let path: String
    private let description: StoreDescription
    private let table: String
    private let statement: RawStatement
    /// Ids of the neurons that have rows, ascending.
    private let neurons: [Range<Int>]
    private let last: Int64

    /// - Parameter columns: those beside the key.
    init(
        _ database: Database, path: String, description: StoreDescription, table: String, columns: String, neurons: [Range<Int>]
    ) throws {
        (self.path, self.description, self.table, self.neurons) = (path, description, table, neurons)
        statement = try RawStatement(database, "SELECT id, \(columns) FROM \(table) WHERE id >= ? ORDER BY id LIMIT ?")
        last = try Int64.fetchOne(database.cachedStatement(sql: "SELECT max(id) FROM \(table)")) ?? -1
    }

    /// Gives `body` the rows of `wanted`, which are neighbours among the neurons that have rows; column 0 is the key.
    /// - Throws: ``StoreError/damaged(path:detail:)`` if a row is not in its place.
    func visit(block: Int, _ wanted: Range<Int>, _ body: (Int, RawStatement) throws -> Void) throws {
        statement.bind(1, Schema.key(block: block, neuron: wanted.lowerBound))
        statement.bind(2, wanted.count + 1)
        defer { statement.reset() }
        for neuron in wanted {
            guard try statement.step(), statement.int64(0) == Schema.key(block: block, neuron: neuron) else {
                throw damage("is not in its place", block, neuron)
            }
            try body(neuron, statement)
        }
        let final = wanted.upperBound - 1
        let isFollowed = try statement.step()
        guard isFollowed ? statement.int64(0) == successor(of: final, block) : last == Schema.key(block: block, neuron: final)
        else { throw damage("is not in its place", block, final) }
    }

    func damage(_ what: String, _ block: Int, _ neuron: Int) -> StoreError {
        let layer = description.layer(ofNeuron: neuron)
        return .damaged(
            path: path, detail: "the row of \(layer.name):\(neuron - layer.firstNeuron) in block \(block) of \(table) \(what)")
    }

    private func successor(of neuron: Int, _ block: Int) -> Int64 {
        for range in neurons where range.upperBound > neuron + 1 {
            return Schema.key(block: block, neuron: max(range.lowerBound, neuron + 1))
        }
        return Schema.key(block: block + 1, neuron: neurons[0].lowerBound)
    }
}
