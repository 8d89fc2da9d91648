/// "Did you mean": the names nearest to one that does not exist.
public enum Suggestion {
    /// Bytes of a name that somebody may have mistyped: comparing takes time by their square.
    fileprivate static let longest = 1000

    /// Up to `limit` of `names`, nearest first: those that differ only in case, then those that contain the wanted one, then those that share
    /// whole words with it, the most first, then those within a third of its length, at least two edits but not all of it.
    ///
    /// Words are runs of letters and digits, and the runs of letters alone in them: `expand3` shares a word with `fire3/expand`. A name that shares
    /// words alone is near if they are at least half of the wanted one's letters.
    public static func nearest(to wanted: String, among names: some Sequence<String>, limit: Int = 3) -> [String] {
        let target = Name(wanted)
        guard !target.text.isEmpty, target.text.count <= longest else { return [] }
        var found: [(nearness: Nearness, name: String)] = []
        for (order, name) in names.enumerated() {
            if let nearness = target.nearness(of: Name(name), order) { found.append((nearness, name)) }
        }
        found.sort { $0.nearness < $1.nearness }
        return found.prefix(limit).map { $0.name }
    }

    /// `; did you mean a, b or c?`, or nothing.
    public static func clause(_ names: [String]) -> String {
        guard let last = names.last else { return "" }
        let all = names.count == 1 ? last : names.dropLast().joined(separator: ", ") + " or " + last
        return "; did you mean \(all)?"
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment).
    static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var before: [Int] = []
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            row.reserveCapacity(b.count + 1)
            for j in 1...b.count {
                var best = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, before[j - 2] + 1) }
                row.append(best)
            }
            before = previous
            previous = row
        }
        return previous[b.count]
    }
}

/// How near a name is to the wanted one; what is nearer is less.
private struct Nearness: Comparable {
    /// 0 for the same but for case, 1 for a name that contains the wanted one, 2 for others.
    var kind: Int
    /// Letters of the words that both have, and digits of the numbers.
    var sharedLetters = 0
    var sharedDigits = 0
    var edits = 0
    var order: Int

    static func < (a: Nearness, b: Nearness) -> Bool {
        (a.kind, -a.sharedLetters, -a.sharedDigits, a.edits, a.order)
            < (b.kind, -b.sharedLetters, -b.sharedDigits, b.edits, b.order)
    }
}

/// A name in lower case, as bytes, and its words.
private struct Name {
    let text: [UInt8]
    /// Runs of letters and digits, and the runs of letters in them.
    let words: Set<ArraySlice<UInt8>>
    /// The runs of letters alone.
    let letters: Set<ArraySlice<UInt8>>
    let numbers: Set<ArraySlice<UInt8>>

    init(_ name: String) {
        text = Array(name.lowercased().utf8)
        let isDigit = { (byte: UInt8) in (48...57).contains(byte) }
        // What is no ASCII is taken for a letter.
        let isLetter = { (byte: UInt8) in (97...122).contains(byte) || byte >= 128 }
        let runs = text.split { !isDigit($0) && !isLetter($0) }
        letters = Set(runs.flatMap { $0.split(whereSeparator: isDigit) })
        words = letters.union(runs.filter { !$0.allSatisfy(isDigit) })
        numbers = Set(runs.flatMap { $0.split(whereSeparator: isLetter) })
    }

    /// Nil for a name that is not near; `order` settles ties.
    func nearness(of name: Name, _ order: Int) -> Nearness? {
        if name.text == text { return Nearness(kind: 0, order: order) }
        let shared = words.intersection(name.words).reduce(0) { $0 + $1.count }
        let digits = numbers.intersection(name.numbers).reduce(0) { $0 + $1.count }
        let contains = text.count >= 3 && name.contains(text)
        let reach = min(max(2, text.count / 3), text.count - 1)
        let isClose = abs(name.text.count - text.count) <= reach
        let alike = letters.intersection(name.letters).reduce(0) { $0 + $1.count }
        let isAkin = alike >= 3 && 2 * alike >= letters.reduce(0) { $0 + $1.count }
        guard contains || isClose || isAkin else { return nil }
        let edits = name.text.count <= Suggestion.longest ? Suggestion.editDistance(name.text, text) : name.text.count
        guard contains || isAkin || edits <= reach else { return nil }
        return Nearness(
            kind: contains ? 1 : 2, sharedLetters: shared, sharedDigits: digits, edits: edits, order: order)
    }

    private func contains(_ part: [UInt8]) -> Bool {
        guard text.count > part.count else { return false }
        return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
    }
}
