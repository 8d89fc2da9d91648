import ActivationStore

/// Two stores and the images that both have, each in one read transaction. Images are the same if their files are, byte for byte; of several
/// copies of a file, the first of one store goes with the first of the other.
struct StorePair {
    let a: Side
    let b: Side
    /// Images that both have, in the order of A's ids; their places, from 0, are what they are called by here.
    let count: Int

    /// One of the stores.
    struct Side {
        let snapshot: Snapshot
        let fold: BlockFold
        /// Ids of the images that both stores have, by place.
        fileprivate(set) var images: [Int] = []
        /// By lane: the place of its image, −1 if the other store has not got it.
        fileprivate var places: [Int32]
        /// Images that the other store has not got.
        var unmatched: Int { fold.present - images.count }

        func place(ofImage id: Int) -> Int? { places.indices.contains(id) && places[id] >= 0 ? Int(places[id]) : nil }

        fileprivate init(_ snapshot: Snapshot) throws {
            self.snapshot = snapshot
            try snapshot.checkImages()
            fold = try BlockFold(snapshot)
            places = [Int32](repeating: -1, count: fold.images)
        }

        /// Copies the values of a row to the places of their images.
        func gather(_ row: BlockRows.Row, to column: UnsafeMutablePointer<Float>) {
            let first = row.block * fold.description.blockImages
            places.withUnsafeBufferPointer { places in
                for lane in 0..<row.count where places[first + lane] >= 0 {
                    column[Int(places[first + lane])] = row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self)
                }
            }
        }

        /// The ranks of some neurons over the images of the pair.
        func ranks(
            _ neurons: Range<Int>, visit: (Int, UnsafePointer<Float>, Sorter) -> Void = { _, _, _ in }
        ) throws -> RankBand {
            try RankBand(neurons, fold, images: images.count, gather: gather, visit: visit)
        }
    }

    static func read<Answer>(_ a: Store, _ b: Store, _ body: (StorePair) throws -> Answer) throws -> Answer {
        try a.read { one in
            // A store beside itself: a transaction may not begin inside another of its own.
            guard a !== b else { return try body(StorePair(Side(one), Side(one))) }
            return try b.read { other in try body(StorePair(Side(one), Side(other))) }
        }
    }

    private init(_ a: Side, _ b: Side) throws {
        var (a, b) = (a, b)
        // The images of B by content, and after each the next copy of it.
        var first: [Content: Int32] = [:]
        var next = [Int32](repeating: -1, count: b.places.count)
        for (id, content) in try Self.contents(b).reversed() {
            next[id] = first.updateValue(Int32(id), forKey: content) ?? -1
        }
        for (id, content) in try Self.contents(a) {
            guard let other = first[content], other >= 0 else { continue }
            first[content] = next[Int(other)]
            a.places[id] = Int32(a.images.count)
            b.places[Int(other)] = Int32(a.images.count)
            a.images.append(id)
            b.images.append(Int(other))
        }
        (self.a, self.b, count) = (a, b, a.images.count)
    }

    /// The SHA-256 of a file.
    private struct Content: Hashable {
        var words: SIMD4<UInt64>
    }

    private static func contents(_ side: Side) throws -> [(Int, Content)] {
        let select = try RawStatement(side.snapshot, "SELECT id, sha256 FROM image ORDER BY id")
        var contents: [(Int, Content)] = []
        contents.reserveCapacity(side.fold.present)
        while try select.step() {
            guard side.places.indices.contains(select.int(0)) else { continue }
            contents.append((select.int(0), Content(words: select.bytes(1).loadUnaligned(as: SIMD4<UInt64>.self))))
        }
        return contents
    }
}
