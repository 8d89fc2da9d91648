import ActivationStore
import CKernels
import GRDB

/// The k strongest (or weakest) images of each of a range of neurons, from the blocks: exact whatever is derived.
struct TopScan {
    let store: Store
    let count: Int
    let lowest: Bool
    let mask: [UInt8]?

    struct Entry {
        let image: Int
        let value: Float
        let position: Int
    }

    /// Room for lists: neurons are taken in groups that keep within it, and the file is read once for each group.
    private static let memory = 256 << 20

    /// Gives `body` each neuron's list, in neuron order.
    func run(_ neurons: Range<Int>, _ database: Database, _ body: (Int, [Entry]) throws -> Void) throws {
        let blocks = try store.blocks(database)
        let capacity = min(count, blocks.reduce(0, +))
        guard capacity > 0 else {
            for neuron in neurons { try body(neuron, []) }
            return
        }
        let group = max(1, Self.memory / (capacity * MemoryLayout<ndx_top>.stride))
        let scan = try store.scan(database)
        for first in stride(from: neurons.lowerBound, to: neurons.upperBound, by: group) {
            let some = first..<min(first + group, neurons.upperBound)
            try run(some, capacity: capacity, blocks: blocks, scan, body)
        }
    }

    private func run(
        _ neurons: Range<Int>, capacity: Int, blocks: [Int], _ scan: BlockScan, _ body: (Int, [Entry]) throws -> Void
    ) throws {
        let heaps = UnsafeMutablePointer<ndx_top>.allocate(capacity: neurons.count * capacity)
        defer { heaps.deallocate() }
        var sizes = [Int](repeating: 0, count: neurons.count)
        let blockImages = store.description.blockImages
        let sign: Float = lowest ? -1 : 1
        for (block, lanes) in blocks.enumerated() {
            let first = block * blockImages
            if let mask, !mask[first..<first + lanes].contains(1) { continue }
            func isWanted(_ neuron: Int, _ maximum: Float?) -> Bool {
                // A row whose maximum does not beat the weakest of a full list adds nothing; a tie loses by its id.
                let index = neuron - neurons.lowerBound
                guard let maximum else { return false }
                return lowest || sizes[index] < capacity || maximum > heaps[index * capacity].key
            }
            func fold(_ row: BlockRows.Row, _ kept: UnsafePointer<UInt8>?) {
                let index = row.neuron - neurons.lowerBound
                sizes[index] = ndx_top_fold(
                    heaps + index * capacity, sizes[index], capacity, sign, row.values, row.positions, row.width, lanes,
                    UInt32(first), kept)
            }
            try scan.rows(block: block, lanes: lanes, neurons: neurons, where: isWanted) { row in
                if let mask {
                    mask.withUnsafeBufferPointer { bytes in fold(row, bytes.baseAddress.map { $0 + first }) }
                } else {
                    fold(row, nil)
                }
            }
        }
        for neuron in neurons {
            let index = neuron - neurons.lowerBound
            ndx_top_sort(heaps + index * capacity, sizes[index])
            let list = UnsafeBufferPointer(start: heaps + index * capacity, count: sizes[index])
            try body(
                neuron,
                list.map { Entry(image: Int($0.image), value: sign * $0.key, position: Int($0.position)) })
        }
    }
}
