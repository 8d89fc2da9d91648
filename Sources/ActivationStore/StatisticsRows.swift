package import GRDB

/// Reads rows of `neuron_statistics` in order, and checks every one. It belongs to one connection and one read transaction.
package final class StatisticsRows {
    private let path: String
    private let description: StoreDescription
    private let select: RawStatement
    private let isChecked: Bool
    private let through: Int

    private static let kinds: [RawStatement.Kind] = [
        .integer, .integer, .integer, .integer, .integer, .real, .real, .real, .real, .integer, .blob, .integer, .real, .real,
    ]

    package init(_ database: Database, path: String, description: StoreDescription) throws {
        self.path = path
        self.description = description
        isChecked = try Schema.keepsChecksums(database)
        through = try Store.derivedThrough(database)
        select = try RawStatement(
            database,
            """
            SELECT neuron_id, count, nan_count, infinite_count, zero_count, minimum, maximum, mean, m2, histogram_first, histogram,
                settled_count, settled_mean, settled_m2, \(isChecked ? "checksum" : "NULL")
            FROM neuron_statistics WHERE neuron_id BETWEEN ? AND ? ORDER BY neuron_id
            """)
    }

    /// Gives `body` the rows of some neurons; its columns are those of ``NeuronStatistics/init(row:)``.
    /// - Throws: ``StoreError/damaged(path:detail:)`` if one is missing, or not what was written.
    package func visit(_ neurons: Range<Int>, _ body: (RawStatement) throws -> Void) throws {
        guard !neurons.isEmpty else { return }
        select.bind(1, neurons.lowerBound)
        select.bind(2, neurons.upperBound - 1)
        defer { select.reset() }
        for neuron in neurons {
            guard try select.step(), select.int(0) == neuron else { throw damage(neuron, "are not there") }
            guard isIntact else { throw damage(neuron, "are not what was written") }
            try body(select)
        }
        guard try !select.step() else { throw damage(neurons.upperBound - 1, "are there twice") }
    }

    private var isIntact: Bool {
        guard [1, 2, 3, 4, 11].allSatisfy({ select.int($0) >= 0 }) else { return false }
        return !isChecked || (select.int(1) == through && select.checksum(Self.kinds) == select.int(14))
    }

    private func damage(_ neuron: Int, _ what: String) -> StoreError {
        let layer = description.layer(ofNeuron: neuron)
        return .damaged(path: path, detail: "the statistics of \(layer.name):\(neuron - layer.firstNeuron) \(what)")
    }
}
