import ActivationStore

/// Paths and labels of images, each asked for once; or all of them first, where most will be asked for.
final class ImageNames {
    typealias Name = (path: String, label: String?)

    private let path: String
    private let image: ImageRows
    private var known: [Int: Name] = [:]
    /// By image id; empty unless all were read.
    private let all: [Name]

    /// - Parameters:
    ///   - expected: how many times a name will be asked for, about.
    ///   - images: of the store. One after the other costs a third of a search for each.
    init(_ snapshot: Snapshot, expected: Int = 0, of images: Int = 0) throws {
        path = snapshot.path
        image = try snapshot.imageRows("WHERE image.id = ?")
        all = images > 0 && expected > images / 4 ? try Self.all(snapshot, images) : []
        if all.isEmpty { known.reserveCapacity(expected) }
    }

    /// - Throws: ``StoreError/damaged(path:detail:)`` where the image is not there, or its row is not what was written.
    func of(_ id: Int) throws -> Name {
        if id < all.count { return all[id] }
        if let name = known[id] { return name }
        image.bind(id)
        defer { image.reset() }
        guard try image.step() else {
            throw StoreError.damaged(path: path, detail: "there is no image \(id) in its table image")
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
            throw StoreError.damaged(path: path, detail: "there is no image \(id) in its table image")
        }
        return all[id]
    }

    /// Names that are nearly all asked for again and again are worth their memory, a hundred bytes each, up to here.
    private static let remembered = 1 << 18

    private static func all(_ snapshot: Snapshot, _ images: Int) throws -> [Name] {
        guard images <= remembered else { return try read(snapshot, images) }
        return try snapshot.store.names.value(snapshot) { try read(snapshot, images) }
    }

    private static func read(_ snapshot: Snapshot, _ images: Int) throws -> [Name] {
        // Ids are dense; were they not, what follows the gap would be searched for one by one.
        let size = 2048
        let starts = Array(stride(from: 0, to: images, by: size))
        let parts: [[Name]] = try snapshot.readers.map(starts, rows: images) { snapshot, parts in
            let rows = try snapshot.imageRows("WHERE image.id >= ? ORDER BY image.id LIMIT \(size)")
            try parts.take { start in
                rows.bind(start)
                defer { rows.reset() }
                var names: [Name] = []
                names.reserveCapacity(size)
                while try rows.step(), rows.id == start + names.count { names.append((rows.imagePath, rows.label)) }
                return names
            }
        }
        let whole = parts.prefix { $0.count == size }.count
        return Array(parts[..<min(whole + 1, parts.count)].joined())
    }
}
