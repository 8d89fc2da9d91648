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
    private let single: RawStatement
    private let all: RawStatement
    private let entries: UnsafeMutablePointer<ndx_top>

    package init(_ database: Database, path: String, description: StoreDescription) throws {
        self.path = path
        self.description = description
        single = try RawStatement(database, "SELECT neuron_id, list FROM top_list WHERE neuron_id = ?")
        all = try RawStatement(database, "SELECT neuron_id, list FROM top_list ORDER BY neuron_id")
        entries = .allocate(capacity: description.topCount)
    }

    deinit { entries.deallocate() }

    /// Visits the first `limit` entries of a neuron's list, strongest first. Only those are parsed.
    /// - Throws: ``StoreError/damaged(path:detail:)`` if there is no list, or its text is none.
    package func visit(neuron: Int, limit: Int = .max, _ body: (TopEntry) throws -> Void) throws {
        single.bind(1, neuron)
        defer { single.reset() }
        guard try single.step() else { throw damage(neuron, "there is no list") }
        for entry in try parse(single, neuron, limit) { try body(TopEntry(entry)) }
    }

    /// Visits every neuron's whole list in neuron order. The entries are valid during the call.
    func forEach(_ body: (Int, UnsafeBufferPointer<ndx_top>) throws -> Void) throws {
        defer { all.reset() }
        while try all.step() {
            let neuron = all.int(0)
            guard neuron >= 0, neuron < description.neuronCount else { continue }
            try body(neuron, parse(all, neuron, .max))
        }
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
