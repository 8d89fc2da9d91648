/// Some pixels of a network's input frame, a bit each, by row, then column.
struct PixelSet: Equatable, Sendable {
    private(set) var words: [UInt64]

    /// None of `pixels`.
    init(of pixels: Int) { words = [UInt64](repeating: 0, count: (pixels + 63) / 64) }

    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    func contains(_ pixel: Int) -> Bool { words[pixel >> 6] >> UInt64(pixel & 63) & 1 == 1 }
    mutating func insert(_ pixel: Int) { words[pixel >> 6] |= 1 << UInt64(pixel & 63) }
    mutating func removeAll() { for index in words.indices { words[index] = 0 } }

    /// How many pixels two sets of one frame share.
    func shared(with other: PixelSet) -> Int {
        var count = 0
        for (one, another) in zip(words, other.words) { count += (one & another).nonzeroBitCount }
        return count
    }
}
