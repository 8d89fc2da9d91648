import ActivationStore
import GRDB

/// Paths and labels of images, each asked for once.
final class ImageNames {
    private let image: RawStatement
    private let label: RawStatement
    private var known: [Int: (path: String, label: String?)] = [:]
    private var labels: [Int: String] = [:]

    init(_ database: Database) throws {
        image = try RawStatement(database, "SELECT path, label_id FROM image WHERE id = ?")
        label = try RawStatement(database, "SELECT name FROM label WHERE id = ?")
    }

    func of(_ id: Int) throws -> (path: String, label: String?) {
        if let names = known[id] { return names }
        image.bind(1, id)
        defer { image.reset() }
        let isThere = try image.step()
        let names =
            isThere ? (image.text(0) ?? "", try image.isNull(1) ? nil : name(ofLabel: image.int(1))) : ("image \(id)", nil)
        known[id] = names
        return names
    }

    private func name(ofLabel id: Int) throws -> String? {
        if let name = labels[id] { return name }
        label.bind(1, id)
        defer { label.reset() }
        guard try label.step(), let name = label.text(0) else { return nil }
        labels[id] = name
        return name
    }
}
