import CKernels
package import GRDB

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
    private let entries: UnsafeMutablePointer<ndx_top>

    package init(_ database: Database, path: String, description: StoreDescription) throws {
        self.path = path
        self.description = description
        select = try RawStatement(
            database, "SELECT neuron_id, list FROM top_list WHERE neuron_id BETWEEN ? AND ? ORDER BY neuron_id")
        entries = .allocate(capacity: description.topCount)
    }

    deinit { entries.deallocate() }

    /// Visits the first `limit` entries of the neurons' lists, with their ranks from 1. Only those are parsed.
    /// - Throws: ``StoreError/damaged(path:detail:)`` if there is no list, or its text is none.
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
        while try select.step() {
            guard select.int(0) == expected else { break }
            try body(expected, parse(select, expected, limit))
            expected += 1
        }
        if expected < neurons.upperBound { throw damage(expected, "there is no list") }
    }

    private func parse(_ row: RawStatement, _ neuron: Int, _ limit: Int) throws -> UnsafeBufferPointer<ndx_top> {
        let text = row.bytes(1)
        let start = text.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = ndx_list_read(start, text.count, min(limit, description.topCount), entries)
        guard count >= 0 else { throw damage(neuron, "this is no list") }
        return UnsafeBufferPointer(start: entries, count: count)
    }

    private func damage(_ neuron: Int, _ what: String) -> StoreError {
        let layer = description.layer(ofNeuron: neuron)
        return .damaged(
            path: path, detail: "\(what) of the strongest images of \(layer.name):\(neuron - layer.firstNeuron) in top_list")
    }
}
