import GRDB

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

    init(_ database: Database, path: String, description: StoreDescription) throws {
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
        isPossible && (!isChecked || (select.int(1) == through && select.checksum(Self.kinds) == select.int(14)))
    }

    /// Whether the numbers can be those of any activations: whoever goes by them adds them up.
    private var isPossible: Bool {
        let (count, nans, infinite, zeros) = (select.int(1), select.int(2), select.int(3), select.int(4))
        guard (0...Int(UInt32.max)).contains(count), (0...count).contains(nans), (0...count - nans).contains(infinite),
            (0...count - nans - infinite).contains(zeros), (0...count).contains(select.int(11))
        else { return false }
        let (first, listed) = (select.int(9), select.bytes(10))
        guard listed.count.isMultiple(of: 4), (0...256 - min(listed.count / 4, 256)).contains(first), listed.count / 4 <= 256
        else { return false }
        var sum = 0
        for index in 0..<listed.count / 4 {
            sum += Int(UInt32(littleEndian: listed.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)))
        }
        let (hasValue, isFinite) = (count > nans, count > nans + infinite)
        return sum == count - nans && select.isNull(5) == !hasValue && select.isNull(6) == !hasValue
            && select.isNull(7) == !isFinite && select.isNull(8) == !isFinite
    }

    private func damage(_ neuron: Int, _ what: String) -> StoreError {
        let layer = description.layer(ofNeuron: neuron)
        return .damaged(path: path, detail: "the statistics of \(layer.name):\(neuron - layer.firstNeuron) \(what)")
    }
}
