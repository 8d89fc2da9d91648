/// Which of some names of files images have: a name is of the images whose path ends in it, the longest counting, as in tables of
/// labels.
package enum NamedFiles {
    /// - Parameter folder: that relative paths start from: absolute.
    /// - Returns: for each path the number of its name; nil where none is its.
    package static func places(of paths: [String], among names: [String], in folder: String) -> [Int?] {
        let table = LabelTable(names: names.enumerated().map { ($1, $0 + 1) }, path: "")
        // That no name is any image's is for the caller to say.
        return (try? table.places(of: paths, in: folder).0) ?? paths.map { _ in nil }
    }
}
