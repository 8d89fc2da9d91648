import CKernels
import GRDB

/// Rows of `activation_block` and `mean_block`, written from a buffer and read back.
package enum BlockRows {
    /// One row, its bytes in place in SQLite's page: at any alignment, valid until the next row.
    package struct Row {
        package let block: Int
        package let neuron: Int
        package let layer: Int
        package let channel: Int
        package let count: Int
        package let values: UnsafeRawPointer
        package let positions: UnsafeRawPointer
        /// Bytes of a position.
        package let width: Int
    }

    static func write(_ buffer: BlockBuffer, block: Int, _ database: Database) throws {
        let lanes = buffer.count
        let insert = try RawStatement(
            database, "INSERT INTO activation_block(id, n, value_max, checksum, value, position) VALUES (?, ?, ?, ?, ?, ?)")
        let insertMean = try RawStatement(database, "INSERT INTO mean_block(id, n, checksum, mean) VALUES (?, ?, ?, ?)")
        for (index, layer) in buffer.description.layers.enumerated() {
            for channel in 0..<layer.channels {
                let column = buffer.column(layer: index, channel: channel)
                let values = UnsafeRawBufferPointer(start: column.values, count: lanes * 4)
                let positions = UnsafeRawBufferPointer(start: column.positions, count: lanes * column.width)
                insert.bind(1, Schema.key(block: block, neuron: layer.firstNeuron + channel))
                insert.bind(2, lanes)
                insert.bind(3, Double(ndx_column_maximum(column.values, lanes)))
                insert.bind(4, checksum(values, positions))
                insert.bind(5, bytes: values.baseAddress, count: values.count)
                insert.bind(6, bytes: positions.baseAddress, count: positions.count)
                try insert.run()
            }
        }
        // After all activations, so that a scan of a layer's values meets nothing else.
        for (index, layer) in buffer.description.layers.enumerated() where layer.hasMean {
            for channel in 0..<layer.channels {
                guard let column = buffer.meanColumn(layer: index, channel: channel) else { continue }
                let bytes = UnsafeRawBufferPointer(start: column, count: lanes * 4)
                insertMean.bind(1, Schema.key(block: block, neuron: layer.firstNeuron + channel))
                insertMean.bind(2, lanes)
                insertMean.bind(3, checksum(bytes))
                insertMean.bind(4, bytes: bytes.baseAddress, count: bytes.count)
                try insertMean.run()
            }
        }
    }

    /// Reads all rows of one block.
    /// - Throws: as ``BlockScan/rows(block:lanes:neurons:_:)``.
    static func read(
        _ database: Database, path: String, description: StoreDescription, block: Int, lanes: Int, body: (Row) throws -> Void
    ) throws {
        let scan = try BlockScan(database, path: path, description: description)
        try scan.rows(block: block, lanes: lanes, neurons: 0..<description.neuronCount, body)
    }

    /// Reads the means of one block, of all layers that keep them or of some; `body` is given layer, channel and the bytes.
    /// - Throws: ``StoreError/damaged(path:detail:)`` if a row is missing, does not have `lanes` entries, or is not what was written.
    static func readMeans(
        _ snapshot: Snapshot, block: Int, lanes: Int, layers: [LayerRecord]? = nil,
        body: (Int, Int, UnsafeRawPointer) throws -> Void
    ) throws {
        let description = snapshot.description
        let kept = description.layers.filter { $0.hasMean }.map { $0.neurons }
        guard !kept.isEmpty else { return }
        let rows = try KeyedRows(
            snapshot.database, path: snapshot.path, description: description, table: "mean_block", columns: "n, checksum, mean",
            neurons: kept)
        for (index, layer) in (layers ?? description.layers).enumerated() where layer.hasMean {
            try rows.visit(block: block, layer.neurons) { neuron, row in
                let bytes = row.bytes(3)
                guard row.int(1) == lanes, bytes.count == lanes * 4, let base = bytes.baseAddress else {
                    throw rows.damage("does not hold \(lanes) images", block, neuron)
                }
                guard checksum(bytes) == row.int(2) else { throw rows.damage("has another checksum", block, neuron) }
                try body(index, neuron - layer.firstNeuron, base)
            }
        }
    }
}
