/// What parts of a question find, each on one thread at a time, to be put one behind the other.
///
/// Elements are moved into the answer: to copy 100 000 that refer to names takes as long as to find them.
final class PartialResults<Element>: @unchecked Sendable {
    private let parts: [UnsafeMutableBufferPointer<Element>]
    private let counts: UnsafeMutableBufferPointer<Int>

    /// - Parameter capacities: how many elements each part finds at most.
    init(capacities: [Int]) {
        parts = capacities.map { .allocate(capacity: $0) }
        counts = .allocate(capacity: capacities.count)
        counts.initialize(repeating: 0)
    }

    deinit {
        for (part, count) in zip(parts, counts) {
            part[..<count].deinitialize()
            part.deallocate()
        }
        counts.deallocate()
    }

    func append(_ element: consuming Element, to part: Int) {
        precondition(counts[part] < parts[part].count, "part \(part) finds more than \(parts[part].count)")
        parts[part].initializeElement(at: counts[part], to: element)
        counts[part] += 1
    }

    /// All that was found, in the order of the parts; nothing is left here.
    func joined() -> [Element] {
        Array(unsafeUninitializedCapacity: counts.reduce(0, +)) { all, filled in
            for (index, part) in parts.enumerated() {
                filled = all[filled...].moveInitialize(fromContentsOf: part[..<counts[index]])
                counts[index] = 0
            }
        }
    }
}
