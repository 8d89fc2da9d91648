import CKernels
import GRDB

/// One entry of a list of the strongest.
package struct TopEntry: Hashable, Sendable {
    package let image: Int
    package let value: Float
    /// y · width + x.
    package let position: Int

    init(_ top: ndx_top) {
        image = Int(top.image)
        value = top.key
        position = Int(top.position)
    }
}

/// Reads the kept lists of the strongest. It belongs to one connection and one read transaction.
package final class TopLists {
    private let path: String
    private let description: StoreDescription
    private let select: RawStatement
    private let isChecked: Bool
    private let through: Int
    private let entries: UnsafeMutablePointer<ndx_top>

    init(_ database: Database, path: String, description: StoreDescription) throws {
        self.path = path
        self.description = description
        isChecked = try Schema.keepsChecksums(database)
        through = try Store.derivedThrough(database)
        select = try RawStatement(
            database,
            """
            SELECT neuron_id, list, \(isChecked ? "checksum" : "NULL") FROM top_list
            WHERE neuron_id BETWEEN ? AND ? ORDER BY neuron_id
            """)
        entries = .allocate(capacity: description.topCount)
    }

    deinit { entries.deallocate() }

    /// Visits the first `limit` entries of the neurons' lists, with their ranks from 1. Only those are parsed.
    /// - Throws: ``StoreError/damaged(path:detail:)`` if there is no list, or not the one that was written.
    package func visit(neurons: Range<Int>, limit: Int = .max, _ body: (Int, Int, TopEntry) throws -> Void) throws {
        try lists(of: neurons, limit: limit) { neuron, list in
            for (index, entry) in list.enumerated() { try body(neuron, index + 1, TopEntry(entry)) }
        }
    }

    /// The first `limit` entries of a neuron's list, strongest first.
    /// - Throws: as ``visit(neurons:limit:_:)``.
    package func list(neuron: Int, limit: Int = .max) throws -> [TopEntry] {
        var found: [TopEntry] = []
        try visit(neurons: neuron..<neuron + 1, limit: limit) { found.append($2) }
        return found
    }

    /// Gives `body` each neuron's list, valid during the call.
    func lists(of neurons: Range<Int>, limit: Int = .max, _ body: (Int, UnsafeBufferPointer<ndx_top>) throws -> Void) throws {
        select.bind(1, neurons.lowerBound)
        select.bind(2, neurons.upperBound - 1)
        defer { select.reset() }
        var expected = neurons.lowerBound
        var layer = description.layers.firstIndex { $0.neurons.contains(expected) } ?? 0
        while try select.step() {
            guard select.int(0) == expected, expected < neurons.upperBound else { break }
            while expected >= description.layers[layer].neurons.upperBound { layer += 1 }
            try body(expected, parse(select, expected, description.layers[layer], limit))
            expected += 1
        }
        if expected < neurons.upperBound { throw damage(expected, "there is no list") }
    }

    private func parse(
        _ row: RawStatement, _ neuron: Int, _ layer: LayerRecord, _ limit: Int
    ) throws -> UnsafeBufferPointer<ndx_top> {
        let text = row.bytes(1)
        if isChecked, Self.checksum(text, neuron: neuron, through: through) != row.int(2) {
            throw damage(neuron, "this is not the list that was written")
        }
        let start = text.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = ndx_list_read(start, text.count, min(limit, description.topCount), entries)
        let list = UnsafeBufferPointer(start: entries, count: max(count, 0))
        let cells = layer.height * layer.width
        guard count >= 0, list.allSatisfy({ Int($0.image) < through && Int($0.position) < cells }) else {
            throw damage(neuron, "this is no list")
        }
        return list
    }

    /// That of a row is of `meta.derived_through`, then of its columns: a list of other images is another list.
    package static func checksum(_ text: UnsafeRawBufferPointer, neuron: Int, through: Int) -> Int {
        var sum = RowChecksum()
        sum.add(through)
        sum.add(neuron)
        sum.add(text)
        return sum.value
    }

    private func damage(_ neuron: Int, _ what: String) -> StoreError {
        let layer = description.layer(ofNeuron: neuron)
        return .damaged(
            path: path, detail: "\(what) of the strongest images of \(layer.name):\(neuron - layer.firstNeuron) in top_list")
    }
}
