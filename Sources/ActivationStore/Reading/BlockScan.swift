import CKernels
import GRDB

/// Reads activation rows in key order, without copying, and checks every one: no value of a damaged row is ever given out. It belongs to
/// one connection and one read transaction.
///
/// A checksum costs 0.15 µs a row, 0.3 where its 3 KB come from memory, so what was checked is not remembered. A row's `value_max` has no
/// checksum, and passing rows by for it would save less than reading them.
package final class BlockScan {
    private let description: StoreDescription
    private let rows: KeyedRows

    init(_ database: Database, path: String, description: StoreDescription) throws {
        self.description = description
        rows = try KeyedRows(
            database, path: path, description: description, table: "activation_block", columns: "n, checksum, value, position",
            neurons: [0..<description.neuronCount])
    }

    /// Visits the rows of `neurons` in one block of `lanes` images.
    /// - Throws: ``StoreError/damaged(path:detail:)`` if a row is missing, does not have `lanes` entries, or is not what was written.
    package func rows(block: Int, lanes: Int, neurons: Range<Int>, _ body: (BlockRows.Row) throws -> Void) throws {
        guard !neurons.isEmpty else { return }
        var layer = description.layers.firstIndex { $0.neurons.contains(neurons.lowerBound) } ?? 0
        try rows.visit(block: block, neurons) { neuron, row in
            while neuron >= description.layers[layer].neurons.upperBound { layer += 1 }
            let record = description.layers[layer]
            let width = record.positionBytes
            let values = row.bytes(3)
            // SQLite gives no address for an empty blob; nothing is read there.
            let positions = width == 0 ? UnsafeRawBufferPointer(rebasing: values[..<0]) : row.bytes(4)
            guard row.int(1) == lanes, values.count == lanes * 4, positions.count == lanes * width,
                let valueStart = values.baseAddress, let positionStart = positions.baseAddress
            else { throw rows.damage("does not hold \(lanes) images", block, neuron) }
            guard checksum(values, positions) == row.int(2) else { throw rows.damage("has another checksum", block, neuron) }
            guard ndx_positions_are_below(positionStart, width, lanes, UInt64(record.height * record.width)) != 0 else {
                throw rows.damage("has a position outside the layer's map", block, neuron)
            }
            try body(
                BlockRows.Row(
                    block: block, neuron: neuron, layer: layer, channel: neuron - record.firstNeuron, count: lanes,
                    values: valueStart, positions: positionStart, width: width))
        }
    }
}
