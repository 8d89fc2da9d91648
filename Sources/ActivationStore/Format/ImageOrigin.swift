import Foundation
import GRDB
public import Support

/// What the paths of a store's images mean: which folder relative ones start from, and where the store stood, so that images are found again
/// after store and images were moved together.
public struct ImageOrigin: Hashable, Sendable {
    /// The folder that relative paths start from: absolute.
    public var folder: String
    /// The folders that the store stood in when it was written, the last one last: absolute, without links.
    public var storeFolders: [String]

    public init(folder: String, storeFolders: [String]) {
        self.folder = folder
        self.storeFolders = storeFolders
    }

    private static let folderKey = "images_folder"
    private static let storeFoldersKey = "store_folders"

    /// Nil for a store that does not say: those of neurodex 0.1.
    init?(_ database: Database) throws {
        func text(_ key: String) throws -> String? {
            try String.fetchOne(database, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
        }
        guard let folder = try text(Self.folderKey), let json = try text(Self.storeFoldersKey),
            let folders = try? JSONDecoder().decode([String].self, from: Data(json.utf8))
        else { return nil }
        self.init(folder: folder, storeFolders: folders)
    }

    func write(_ database: Database) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let json = String(decoding: try encoder.encode(storeFolders), as: UTF8.self)
        for (key, value) in [(Self.folderKey, folder), (Self.storeFoldersKey, json)] {
            try database.execute(sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)", arguments: [key, value])
        }
        try StoreDescription.insertChecksum(database)
    }
}

extension Store {
    /// Nil for a store that does not say.
    public func imageOrigin() throws -> ImageOrigin? { try read { try ImageOrigin($0.database) } }

    /// The folder that the store stands in: absolute, without links.
    public var folder: String { Self.folder(of: path) }

    /// The folder that a file stands in: absolute, without links.
    public static func folder(of path: String) -> String {
        let folder = RealPaths.split(path).folder
        return RealPaths.real(folder) ?? RealPaths.plain(RealPaths.absolute(folder, from: RealPaths.workingFolder))
    }

    /// The images, by path.
    public func knownImages() throws -> [ExactString: KnownImage] {
        Dictionary(
            try images().map {
                (
                    ExactString($0.path),
                    KnownImage(
                        id: $0.id, sha256: $0.sha256, bytes: $0.bytes, modified: $0.modified, label: $0.label, split: $0.split)
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Images whose files are, byte for byte, those of others that the store has, each file counted once less; and the paths of two.
    public func copies() throws -> (count: Int, example: (String, String))? {
        try read { snapshot in
            let database = snapshot.database
            let groups = "SELECT sha256, count(*) AS n, min(id) AS first FROM image GROUP BY sha256 HAVING n > 1"
            guard let count = try Int.fetchOne(database, sql: "SELECT sum(n - 1) FROM (\(groups))"), count > 0,
                let row = try Row.fetchOne(
                    database,
                    sql: """
                        SELECT a.path, b.path FROM (\(groups) ORDER BY first LIMIT 1) g JOIN image a ON a.id = g.first
                        JOIN image b ON b.sha256 = g.sha256 AND b.id > a.id ORDER BY b.id LIMIT 1
                        """)
            else { return nil }
            return (count, (try row.decode(atIndex: 0), try row.decode(atIndex: 1)))
        }
    }
}

extension StoreWriter {
    public func imageOrigin() throws -> ImageOrigin? {
        try StoreFile.translating(path) { try database.read { try ImageOrigin($0) } }
    }

    /// The folder that the store stands in: absolute, without links.
    public var folder: String { Store.folder(of: path) }

    /// Remembers what the paths of images mean: one transaction, if it is not what the file says already.
    /// - Throws: ``StoreError``.
    public func record(_ origin: ImageOrigin) throws {
        guard try imageOrigin() != origin else { return }
        try StoreFile.translating(path) {
            try database.inTransaction(.immediate) { database in
                try origin.write(database)
                return .commit
            }
        }
    }
}
