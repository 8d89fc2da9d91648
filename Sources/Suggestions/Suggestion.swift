/// "Did you mean": the names nearest to one that does not exist.
public enum Suggestion {
    /// Bytes of a name that somebody may have mistyped: comparing takes time by their square.
    private static let longest = 1000

    /// Up to `limit` of `names`, nearest first; only those within a third of the name's length, at least two edits.
    ///
    /// A name that contains the wanted one, or differs only in case, counts as near.
    public static func nearest(to wanted: String, among names: some Sequence<String>, limit: Int = 3) -> [String] {
        let target = Array(wanted.lowercased().utf8)
        guard !target.isEmpty, target.count <= longest else { return [] }
        let reach = max(2, target.count / 3)
        var found: [(distance: Int, order: Int, name: String)] = []
        for (order, name) in names.enumerated() {
            let candidate = Array(name.lowercased().utf8)
            let distance: Int
            if candidate == target {
                distance = 0
            } else if candidate.count > target.count, target.count >= 3, contains(candidate, target) {
                distance = 1
            } else if abs(candidate.count - target.count) <= reach {
                distance = editDistance(candidate, target)
            } else {
                continue
            }
            if distance <= reach { found.append((distance, order, name)) }
        }
        found.sort { ($0.distance, $0.order) < ($1.distance, $1.order) }
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

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
    }
}
