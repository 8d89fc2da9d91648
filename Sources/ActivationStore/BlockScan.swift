package import GRDB

/// Reads activation rows in key order, without copying. It belongs to one connection and one read transaction.
package final class BlockScan {
    private let path: String
    private let description: StoreDescription
    private let range: RawStatement
    private let single: RawStatement

    package init(_ database: Database, path: String, description: StoreDescription) throws {
        self.path = path
        self.description = description
        let columns = "SELECT id, n, value_max, value, position FROM activation_block"
        range = try RawStatement(database, "\(columns) WHERE id BETWEEN ? AND ? ORDER BY id")
        single = try RawStatement(database, "\(columns) WHERE id = ?")
    }

    /// Visits the rows of `neurons` in one block of `lanes` images.
    ///
    /// A row is passed over, without its values being read, if `isWanted(neuron, maximum)` is false.
    /// - Throws: ``StoreError/damaged(path:detail:)`` if a row is missing or its blobs do not have `lanes` entries.
    package func rows(
        block: Int, lanes: Int, neurons: Range<Int>, where isWanted: (Int, Float?) throws -> Bool,
        _ body: (BlockRows.Row) throws -> Void
    ) throws {
        guard let first = neurons.first, let last = neurons.last else { return }
        let statement = neurons.count == 1 ? single : range
        statement.bind(1, Schema.key(block: block, neuron: first))
        if neurons.count > 1 { statement.bind(2, Schema.key(block: block, neuron: last)) }
        defer { statement.reset() }

        var expected = first
        var layer = description.layers.firstIndex { $0.neurons.contains(first) } ?? 0
        while try statement.step() {
            let neuron = statement.int(0) & (Schema.neuronLimit - 1)
            guard neuron == expected else { throw missing(expected, block) }
            expected += 1
            while neuron >= description.layers[layer].neurons.upperBound { layer += 1 }
            let maximum = statement.isNull(2) ? nil : Float(statement.double(2))
            guard try isWanted(neuron, maximum) else { continue }

            let width = description.layers[layer].positionBytes
            let values = statement.bytes(3)
            // SQLite gives no address for an empty blob; nothing is read there.
            let positions = width == 0 ? UnsafeRawBufferPointer(rebasing: values[..<0]) : statement.bytes(4)
            guard statement.int(1) == lanes, values.count == lanes * 4, positions.count == lanes * width,
                let valueStart = values.baseAddress, let positionStart = positions.baseAddress
            else {
                throw StoreError.damaged(
                    path: path, detail: "the row of \(name(neuron)) in block \(block) does not hold \(lanes) images")
            }
            try body(
                BlockRows.Row(
                    block: block, neuron: neuron, layer: layer, channel: neuron - description.layers[layer].firstNeuron,
                    count: lanes, maximum: maximum, values: valueStart, positions: positionStart, width: width))
        }
        if expected <= last { throw missing(expected, block) }
    }

    private func name(_ neuron: Int) -> String {
        let layer = description.layer(ofNeuron: neuron)
        return "\(layer.name):\(neuron - layer.firstNeuron)"
    }

    private func missing(_ neuron: Int, _ block: Int) -> StoreError {
        .damaged(path: path, detail: "block \(block) has no row of \(name(neuron))")
    }
}
