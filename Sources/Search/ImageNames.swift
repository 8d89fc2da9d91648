import ActivationStore
import GRDB

/// Paths and labels of images, each asked for once.
final class ImageNames {
    private let select: RawStatement
    private var known: [Int: (path: String, label: String?)] = [:]

    init(_ database: Database) throws {
        select = try RawStatement(
            database,
            "SELECT image.path, label.name FROM image LEFT JOIN label ON label.id = image.label_id WHERE image.id = ?")
    }

    func of(_ image: Int) throws -> (path: String, label: String?) {
        if let names = known[image] { return names }
        select.bind(1, image)
        defer { select.reset() }
        let names = try select.step() ? (select.text(0) ?? "", select.text(1)) : ("image \(image)", nil)
        known[image] = names
        return names
    }
}
