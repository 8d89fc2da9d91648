import ActivationStore
import GRDB

/// Paths and labels of images, each asked for once; or all of them first, where most will be asked for.
final class ImageNames {
    typealias Name = (path: String, label: String?)

    private let store: Store
    private let image: ImageRows
    private var known: [Int: Name] = [:]
    /// By image id; empty unless all were read.
    private let all: [Name]

    /// - Parameters:
    ///   - expected: how many times a name will be asked for, about.
    ///   - images: of the store. One after the other costs a third of a search for each.
    init(_ store: Store, _ database: Database, expected: Int = 0, of images: Int = 0) throws {
        self.store = store
        image = try ImageRows(database, path: store.path, "WHERE image.id = ?")
        all = images > 0 && expected > images / 4 ? try Self.all(store, database, images) : []
        if all.isEmpty { known.reserveCapacity(expected) }
    }

    /// - Throws: ``StoreError/damaged(path:detail:)`` where the image is not there, or its row is not what was written.
    func of(_ id: Int) throws -> Name {
        if id < all.count { return all[id] }
        if let name = known[id] { return name }
        image.bind(id)
        defer { image.reset() }
        guard try image.step() else {
            throw StoreError.damaged(path: store.path, detail: "there is no image \(id) in its table image")
        }
        let name = (image.imagePath, image.label)
        known[id] = name
        return name
    }

    /// Whether all were read: then any thread may ask for them.
    var hasAll: Bool { !all.isEmpty }

    /// - Throws: as ``of(_:)``.
    /// - Precondition: all were read.
    func known(_ id: Int) throws -> Name {
        guard all.indices.contains(id) else {
            throw StoreError.damaged(path: store.path, detail: "there is no image \(id) in its table image")
        }
        return all[id]
    }

    /// Names that are nearly all asked for again and again are worth their memory, a hundred bytes each, up to here.
    private static let remembered = 1 << 18

    private static func all(_ store: Store, _ database: Database, _ images: Int) throws -> [Name] {
        guard images <= remembered else { return try read(store, database, images) }
        return try store.names.value(database) { try read(store, database, images) }
    }

    private static func read(_ store: Store, _ database: Database, _ images: Int) throws -> [Name] {
        // Ids are dense; were they not, what follows the gap would be searched for one by one.
        let size = 2048
        var parts = [[Name]](repeating: [], count: (images + size - 1) / size)
        try parts.withUnsafeMutableBufferPointer { parts in
            let parts = parts
            try store.share(
                parts.count, rows: images, database,
                context: { try ImageRows($0, path: store.path, "WHERE image.id >= ? ORDER BY image.id LIMIT \(size)") },
                work: { part, rows in
                    rows.bind(part * size)
                    defer { rows.reset() }
                    parts[part].reserveCapacity(size)
                    while try rows.step(), rows.id == part * size + parts[part].count {
                        parts[part].append((rows.imagePath, rows.label))
                    }
                })
        }
        let whole = parts.prefix { $0.count == size }.count
        return Array(parts[..<min(whole + 1, parts.count)].joined())
    }
}
