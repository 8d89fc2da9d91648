import Foundation
import GRDB

/// What opening a store brings back, so that it grows as if it had never been closed.
extension StoreWriter {
    /// Brings back the last block if it is not full, and what is derived: from its tables, and from the lanes they lack; some layers on each core.
    func restore() throws {
        let store = try Store.open(path: path)
        try store.read { snapshot in
            let layers = description.layers.map(\.neurons)
            try snapshot.readers.forEach(layers, rows: description.neuronCount) { snapshot, parts in
                let (statistics, lists, blocks) = try (snapshot.statisticsRows(), snapshot.topLists(), snapshot.scan())
                try parts.take { neurons in
                    if savedThrough > 0 { try derived.load(neurons, from: statistics, lists) }
                    try restore(neurons, from: blocks)
                }
            }
            guard committedLanes > 0 else { return }
            buffer.restore(lanes: committedLanes)
            try BlockRows.readMeans(snapshot, block: block, lanes: committedLanes) {
                layer, channel, bytes in
                buffer.meanColumn(layer: layer, channel: channel)?.copyMemory(from: bytes, byteCount: committedLanes * 4)
            }
        }
    }

    private func restore(_ neurons: Range<Int>, from blocks: BlockScan) throws {
        let size = description.blockImages
        let images = block * size + committedLanes
        // The block that the tables end in is read even if they have all of it: its moments are not among the settled ones.
        for block in savedThrough / size..<(images + size - 1) / size {
            let lanes = min(size, images - block * size)
            try blocks.rows(block: block, lanes: lanes, neurons: neurons) { row in
                derived.fold(
                    neuron: row.neuron, values: row.values, positions: row.positions, width: row.width,
                    lanes: max(0, savedThrough - block * size), lanes, block: block)
                if block == self.block { restore(row, lanes: lanes) }
            }
        }
    }

    private func restore(_ row: BlockRows.Row, lanes: Int) {
        let column = buffer.column(layer: row.layer, channel: row.channel)
        column.values.copyMemory(from: row.values, byteCount: lanes * 4)
        column.positions.copyMemory(from: row.positions, byteCount: lanes * row.width)
    }
}

extension RunRecord {
    static func timestamp(_ date: Date) -> String { date.ISO8601Format() }

    /// Begins a run; runs that were killed are marked so.
    func insert(_ database: Database, path: String, started: Date) throws -> Int64 {
        for id in try Int.fetchAll(database, sql: "SELECT id FROM run WHERE status = 'running'") {
            try CheckedTable.run.change(database, where: "id = \(id)") {
                try database.execute(sql: "UPDATE run SET status = 'interrupted' WHERE id = ?", arguments: [id])
            }
        }
        let json = try String(decoding: JSONEncoder().encode(arguments), as: UTF8.self)
        let last = try Int64.fetchOne(database, sql: "SELECT max(id) FROM run") ?? 0
        guard last < .max else { throw StoreError.damaged(path: path, detail: "its runs are numbered to \(last)") }
        try CheckedTable.run.insert(
            database, [last + 1, toolVersion, Self.timestamp(started), nil, "running", host, json, jobs, 0, 0, nil])
        return last + 1
    }
}
