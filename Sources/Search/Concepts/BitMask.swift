import CKernels

/// Which of some places are set, 64 to a word, the lowest bit first.
struct BitMask: Hashable {
    private(set) var words: [UInt64]
    private(set) var count: Int

    init(_ places: Int, isSet: (Int) -> Bool) {
        words = [UInt64](repeating: 0, count: (places + 63) / 64)
        for place in 0..<places where isSet(place) { words[place >> 6] |= 1 << UInt64(place & 63) }
        count = words.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    private init(words: [UInt64]) {
        self.words = words
        count = words.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    static func & (a: BitMask, b: BitMask) -> BitMask { BitMask(words: zip(a.words, b.words).map { $0 & $1 }) }
    static func | (a: BitMask, b: BitMask) -> BitMask { BitMask(words: zip(a.words, b.words).map { $0 | $1 }) }

    /// The sum and number of the ranks at places that are set in both.
    func sum(_ ranks: [Float], with other: BitMask) -> (sum: Int, count: Int) {
        let found = ndx_sum_masked(ranks, words, other.words, words.count)
        return (Int(found.sum), Int(found.count))
    }
}
