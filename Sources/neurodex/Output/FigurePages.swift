import Foundation

/// The pages of a figure, written as they are made: under the name of the file where there is one, numbered where there are more.
struct FigurePages {
    private let path: String
    /// The first page, until it is known whether it is the only one.
    private var first: Data?
    private(set) var count = 0

    init(path: String) { self.path = path }

    mutating func add(_ page: FigureFile) throws {
        let data = try page.data(as: FigureFile.Format(path: path))
        count += 1
        guard count > 1 else {
            first = data
            return
        }
        if let first { try write(first, to: name(1)) }
        first = nil
        try write(data, to: name(count))
    }

    /// Writes what is left, and says what the files are called.
    mutating func finish() throws {
        if let first { try write(first, to: path) }
        first = nil
        if count > 1 { printNote("drawn on \(count) pages, \(name(1)) to \(name(count))") }
    }

    private func name(_ number: Int) -> String {
        "\((path as NSString).deletingPathExtension)-\(number).\((path as NSString).pathExtension)"
    }
}
