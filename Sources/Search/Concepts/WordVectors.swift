import ActivationStore
import Foundation
import Support

/// Vectors of images and of words from one model that puts both into one space, such as CLIP: each of length 1.
struct WordVectors {
    let names: [String]
    let dimensions: Int
    /// Of each word: words × dimensions.
    let words: [Float]
    /// Of each image, in the order of ids: images × dimensions.
    let images: [Float]
    /// The image of each row.
    let ids: [Int]

    /// - Throws: ``QueryError/wrongVectors(file:reason:)``.
    init(_ files: WordFiles, _ snapshot: Snapshot) throws {
        let (images, words) = (try Self.rows(files.vectors), try Self.rows(files.words))
        guard images.dimensions == words.dimensions else {
            throw QueryError.wrongVectors(
                file: files.words,
                reason:
                    "its vectors have \(words.dimensions) numbers, and those of \(files.vectors) \(images.dimensions): both have to be of one model"
            )
        }
        let names = try Self.names(files.names)
        guard names.count == words.count else {
            throw QueryError.wrongVectors(
                file: files.names,
                reason: "it names \(names.count) words, and \(files.words) has \(words.count) vectors; give a line for each")
        }
        let seen = Dictionary(grouping: names.indices) { names[$0] }
        if let (name, lines) = seen.filter({ $1.count > 1 }).min(by: { $0.value[0] < $1.value[0] }) {
            throw QueryError.wrongVectors(
                file: files.names, reason: "'\(name)' stands in lines \(lines[0] + 1) and \(lines[1] + 1); name each word once")
        }
        let lanes = try snapshot.blocks().reduce(0, +)
        let presence = try snapshot.presence()
        let ids = (0..<lanes).filter { presence == nil || presence?[$0] != 0 }
        guard ids.count == images.count else {
            throw QueryError.wrongVectors(
                file: files.vectors,
                reason:
                    "it has \(images.count) rows, and the store \(ids.count) images; give a row for each image that the store has, in the order of their ids"
            )
        }
        dimensions = images.dimensions
        (self.names, self.ids) = (names, ids)
        self.images = images.values
        self.words = words.values
    }

    private static func names(_ path: String) throws -> [String] {
        let lines: [String]
        do { lines = try TextFile.lines(TextFile.read(path)) } catch {
            throw QueryError.wrongVectors(file: path, reason: error.reason)
        }
        if let empty = lines.firstIndex(of: "") {
            throw QueryError.wrongVectors(file: path, reason: "line \(empty + 1) is empty; it has a word in each line")
        }
        return lines
    }

    /// The rows of an array with two axes, each of length 1.
    private static func rows(_ path: String) throws -> (count: Int, dimensions: Int, values: [Float]) {
        let array: NumpyArray
        do { array = try NumpyArray(path: path) } catch { throw QueryError.wrongVectors(file: path, reason: error.reason) }
        guard array.shape.count == 2, array.count > 0 else {
            throw QueryError.wrongVectors(
                file: path,
                reason:
                    "its shape is (\(array.shape.map(String.init).joined(separator: ", "))), and has to be (rows, numbers of a vector)"
            )
        }
        let (count, dimensions) = (array.shape[0], array.shape[1])
        var values = array.floats()
        var wrong: [Int] = []
        for row in 0..<count {
            let range = row * dimensions..<(row + 1) * dimensions
            let length = values[range].reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard length > 0, length.isFinite else {
                wrong.append(row)
                continue
            }
            for index in range { values[index] = Float(Double(values[index]) / length) }
        }
        guard wrong.isEmpty else {
            throw QueryError.wrongVectors(
                file: path,
                reason:
                    "\(wrong.count) of its \(count) rows are zero or not finite, such as row \(wrong[0]); they have no direction")
        }
        return (count, dimensions, values)
    }
}

/// Where vectors come from.
struct WordFiles {
    /// A NumPy array, images × dimensions.
    var vectors: String
    /// A NumPy array, words × dimensions.
    var words: String
    /// A word a line.
    var names: String
}
