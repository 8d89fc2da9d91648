import ActivationStore
import CKernels

/// The k strongest (or weakest) images of each of a range of neurons, from the blocks: exact whatever is derived.
struct TopScan {
    let snapshot: Snapshot
    let count: Int
    let lowest: Bool
    let mask: [UInt8]?

    struct Entry {
        let image: Int
        let value: Float
        let position: Int

        init(image: Int, value: Float, position: Int) {
            (self.image, self.value, self.position) = (image, value, position)
        }

        init(_ entry: TopEntry) { self.init(image: entry.image, value: entry.value, position: entry.position) }
    }

    /// Room for lists, which are held twice: neurons are taken in groups that keep within it, and the file is read once for each group.
    private static let memory = 128 << 20

    /// Gives `body` each neuron's list, in neuron order.
    func run(_ neurons: Range<Int>, _ body: (Int, [Entry]) throws -> Void) throws {
        let blocks = try snapshot.blocks()
        let capacity = min(count, blocks.reduce(0, +))
        guard capacity > 0 else {
            for neuron in neurons { try body(neuron, []) }
            return
        }
        let group = max(1, Self.memory / (capacity * MemoryLayout<ndx_top>.stride))
        for first in stride(from: neurons.lowerBound, to: neurons.upperBound, by: group) {
            let some = first..<min(first + group, neurons.upperBound)
            // Neurons are shared among readers, in parts that are read in runs long enough.
            let parts = NeuronSet([some]).parts(of: max(1, min(128, some.count / (4 * snapshot.readers.count))))
            let lists: [[[Entry]]] = try snapshot.readers.map(parts, rows: some.count * blocks.count) { snapshot, parts in
                let scan = try snapshot.scan()
                try parts.take { neurons in try self.lists(of: neurons, capacity: capacity, blocks: blocks, scan) }
            }
            for (part, lists) in zip(parts, lists) {
                for (neuron, list) in zip(part, lists) { try body(neuron, list) }
            }
        }
    }

    private func lists(of neurons: Range<Int>, capacity: Int, blocks: [Int], _ scan: BlockScan) throws -> [[Entry]] {
        let heaps = UnsafeMutablePointer<ndx_top>.allocate(capacity: neurons.count * capacity)
        defer { heaps.deallocate() }
        var sizes = [Int](repeating: 0, count: neurons.count)
        let blockImages = snapshot.description.blockImages
        let sign: Float = lowest ? -1 : 1
        for (block, lanes) in blocks.enumerated() {
            let first = block * blockImages
            if let mask, !mask[first..<first + lanes].contains(1) { continue }
            func fold(_ row: BlockRows.Row, _ kept: UnsafePointer<UInt8>?) {
                let index = row.neuron - neurons.lowerBound
                sizes[index] = ndx_top_fold(
                    heaps + index * capacity, sizes[index], capacity, sign, row.values, row.positions, row.width, lanes,
                    UInt32(first), kept)
            }
            try scan.rows(block: block, lanes: lanes, neurons: neurons) { row in
                if let mask {
                    mask.withUnsafeBufferPointer { bytes in fold(row, bytes.baseAddress.map { $0 + first }) }
                } else {
                    fold(row, nil)
                }
            }
        }
        return sizes.indices.map { index in
            ndx_top_sort(heaps + index * capacity, sizes[index])
            return UnsafeBufferPointer(start: heaps + index * capacity, count: sizes[index]).map {
                Entry(image: Int($0.image), value: sign * $0.key, position: Int($0.position))
            }
        }
    }
}
