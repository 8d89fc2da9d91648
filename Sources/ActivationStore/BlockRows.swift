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
        /// Largest value that is not NaN; nil if there is none.
        package let maximum: Float?
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
    /// - Throws: ``StoreError/damaged(path:detail:)`` if a row is missing or too short.
    static func read(
        _ database: Database, path: String, description: StoreDescription, block: Int, lanes: Int, body: (Row) throws -> Void
    ) throws {
        let scan = try BlockScan(database, path: path, description: description)
        try scan.rows(block: block, lanes: lanes, neurons: 0..<description.neuronCount, where: { _, _ in true }, body)
    }

    /// Reads the means of one block, of all layers that keep them or of some; `body` is given layer, channel and the bytes.
    static func readMeans(
        _ database: Database, path: String, description: StoreDescription, block: Int, lanes: Int,
        layers: [LayerRecord]? = nil, body: (Int, Int, UnsafeRawPointer) throws -> Void
    ) throws {
        let select = try RawStatement(database, "SELECT mean FROM mean_block WHERE id = ?")
        for (index, layer) in (layers ?? description.layers).enumerated() where layer.hasMean {
            for channel in 0..<layer.channels {
                select.bind(1, Schema.key(block: block, neuron: layer.firstNeuron + channel))
                guard try select.step() else {
                    throw StoreError.damaged(
                        path: path, detail: "block \(block) lacks the means of \(layer.name):\(channel)")
                }
                let bytes = select.bytes(0)
                guard bytes.count == lanes * 4, let base = bytes.baseAddress else {
                    throw StoreError.damaged(
                        path: path,
                        detail: "block \(block) has \(bytes.count / 4) means of \(layer.name):\(channel), not \(lanes)")
                }
                try body(index, channel, base)
                select.reset()
            }
        }
    }
}
