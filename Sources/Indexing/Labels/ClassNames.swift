import Support

/// The names of a network's outputs, from a file with one line for each: `tench, Tinca tinca`, or with ImageNet's synset
/// before it, `n01440764 tench, Tinca tinca`, which is dropped.
public enum ClassNames {
    /// - Parameter count: how many there must be; nil for any number.
    /// - Throws: `DatasetError` where the file cannot be read or has not `count` lines.
    public static func read(_ path: String, count: Int?) throws -> [String] {
        let text: String
        do {
            text = try TextFile.read(path)
        } catch {
            throw DatasetError.unreadableClasses(path: path, reason: error.reason)
        }
        let names = TextFile.lines(text).map { line in
            guard let space = line.firstIndex(of: " "), line.first == "n", line[..<space].dropFirst().allSatisfy(\.isNumber),
                line[..<space].count == 9
            else { return line }
            return String(line[line.index(after: space)...])
        }
        guard let count, names.count != count else { return names }
        throw DatasetError.classCount(path: path, names: names.count, classes: count)
    }
}
