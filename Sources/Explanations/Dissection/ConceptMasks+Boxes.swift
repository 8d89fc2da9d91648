import Foundation
import Images
import Indexing
import Support

extension ConceptMasks.Draft {
    /// Boxes as ``BoxTable`` reads them: those of `x0` to `y1` are of the concept that `label` says (`object`, if it says
    /// none), those of `tag_x0` to `tag_y1` of the concept `tag`.
    ///
    /// - Throws: `BoxTableError`, `MaskError`.
    init(boxes path: String) throws {
        let data = (try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data()
        var (concepts, names): ([String], [String]) = ([], [])
        var (files, places): ([String: Int], [[ConceptMasks.Shape]]) = ([:], [])
        for prefix in try Self.prefixes(path) {
            let table = try BoxTable(contentsOf: path, prefix: prefix)
            for row in table.rows {
                let place = files[row.file] ?? names.count
                if place == names.count {
                    files[row.file] = place
                    // Where the picture stands beside the table, it and no other of its name is meant.
                    let file = table.file(of: row)
                    names.append(FileManager.default.fileExists(atPath: file) ? RealPaths().real(file).text : row.file)
                    places.append([])
                }
                guard let box = row.box else { continue }
                let concept = prefix.isEmpty ? row.label ?? "object" : prefix
                let index = concepts.firstIndex(of: concept) ?? concepts.count
                if index == concepts.count { concepts.append(concept) }
                places[place].append(ConceptMasks.Shape(concept: index, outline: .box(box)))
            }
        }
        guard !concepts.isEmpty else { throw MaskError.noConcepts(path: path) }
        self.init(
            concepts: concepts, names: names, sources: places.map { .shapes($0) }, sizes: names.map { _ in nil },
            digests: [Data(SHA256.hash(data: data))], notes: [])
    }

    /// What stands before the four edges, without the underscore: empty for `x0`.
    private static func prefixes(_ path: String) throws -> [String] {
        let header: [String]
        do {
            header = try Table(contentsOf: path).header
        } catch {
            throw BoxTableError.unreadable(path: path, reason: error.reason)
        }
        let names = header.map { $0.trimmingCharacters(in: .whitespaces) }
        let found = names.filter { $0.lowercased() == "x0" || $0.lowercased().hasSuffix("_x0") }
        // Of none, the table's own refusal says what it has instead.
        return found.isEmpty ? [""] : found.map { String($0.dropLast($0.count > 2 ? 3 : 2)) }
    }
}
