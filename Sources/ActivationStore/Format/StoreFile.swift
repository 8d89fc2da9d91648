import CSQLite
import Foundation
import GRDB
import GRDBSQLite
import Support

/// A store as a file: what it is before SQLite opens it, how it is opened, and SQLite's failures as ``StoreError``.
package enum StoreFile {
    enum State: Equatable {
        /// No file, or one of no bytes.
        case absent
        case store(version: Int)
    }

    /// Looks at the file's header.
    /// - Throws: ``StoreError`` for no name, a folder, an unreadable file, another format, a newer version.
    static func inspect(_ path: String) throws -> State {
        guard !path.isEmpty else { throw StoreError.unnamed }
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return .absent }
            throw StoreError.notReadable(path: path, reason: String(cString: strerror(errno)))
        }
        if status.st_mode & S_IFMT == S_IFDIR { throw StoreError.isDirectory(path: path, stores: stores(in: path)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw StoreError.notAStore(path: path, found: "no regular file") }
        if status.st_size == 0 { return .absent }

        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw StoreError.notReadable(path: path, reason: String(cString: strerror(errno))) }
        defer { close(file) }
        var header = [UInt8](repeating: 0, count: 100)
        let length = read(file, &header, header.count)
        guard length == header.count, header.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw StoreError.notAStore(path: path, found: kind(of: header, named: path))
        }
        func number(at offset: Int) -> Int { header[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
        guard number(at: 68) == Schema.applicationID else {
            throw StoreError.notAStore(path: path, found: "a SQLite file of another program")
        }
        let version = number(at: 60)
        guard version <= Schema.version else {
            throw StoreError.newerVersion(path: path, found: version, supported: Schema.version)
        }
        return .store(version: version)
    }

    /// What a network is called that was named in the place of a store.
    static let network = "an ONNX network"
    /// How files are named that are no stores.
    static let otherEndings: Set<String> = [
        "onnx", "pt", "pth", "png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "npy", "npz", "csv", "txt", "json", "pdf",
        "html", "zip",
    ]

    private static func kind(of header: [UInt8], named path: String) -> String {
        let kinds: [([UInt8], String)] = [
            ([0x89, 0x50, 0x4E, 0x47], "a PNG picture"), ([0xFF, 0xD8, 0xFF], "a JPEG picture"), ([0x50, 0x4B], "a ZIP archive"),
            (Array("RIFF".utf8), "a WebP picture"), (Array("GIF8".utf8), "a GIF picture"),
            ([0x93] + Array("NUMPY".utf8), "a NumPy array"),
        ]
        if let known = kinds.first(where: { header.starts(with: $0.0) }) { return known.1 }
        // The first field of an ONNX file is the version of its format, a small number, and the second one of seven.
        let isNetwork =
            header[0] == 0x08 && (1...30).contains(header[1]) && [0x12, 0x1A, 0x22, 0x2A, 0x32, 0x3A, 0x42].contains(header[2])
        return isNetwork || path.lowercased().hasSuffix(".onnx") ? network : "a file of another kind"
    }

    /// Files beside `path` with a name like its: of its kind, or stores.
    static func nearest(to path: String) -> [String] {
        let (folder, name) = (RealPaths.folder(of: path), (path as NSString).lastPathComponent as NSString)
        let ending = name.pathExtension.lowercased()
        let endings = otherEndings.contains(ending) ? [ending] : [ending, "sqlite", "sqlite3", "db"]
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        let stems = names.sorted().filter { endings.contains(($0 as NSString).pathExtension.lowercased()) }.map {
            (stem: ($0 as NSString).deletingPathExtension, name: $0)
        }
        return Suggestion.nearest(to: name.deletingPathExtension, among: stems.map { $0.stem }).compactMap { stem in
            stems.first { $0.stem == stem }.map { (folder as NSString).appendingPathComponent($0.name) }
        }
    }

    private static func stores(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".sqlite") }.sorted().map { (folder as NSString).appendingPathComponent($0) }
    }

    /// What SQLite is told, so that it opens the file of that very name: for it, `:memory:` and the empty name are no files, and
    /// `file:…` is an address.
    package static func name(_ path: String) -> String { path.hasPrefix("/") ? path : "./" + path }

    /// A connection that writes. Only the writer that holds the lock may ask for it.
    static func writable(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "neurodex.writer"
        configuration.busyMode = .timeout(60)
        configuration.prepareDatabase { database in
            try harden(database)
            try database.execute(
                sql: """
                    PRAGMA page_size = \(Schema.pageSize);
                    PRAGMA journal_mode = TRUNCATE;
                    PRAGMA synchronous = FULL;
                    PRAGMA secure_delete = OFF;
                    PRAGMA cache_size = -4000;
                    """)
        }
        return try DatabaseQueue(path: name(path), configuration: configuration)
    }

    /// Connections that read, and wait five seconds for a writer.
    /// - Parameter mapsPages: whether they keep the pages they read mapped: the fastest, and as much memory as is read.
    static func readable(_ path: String, mapsPages: Bool = true) throws -> DatabasePool {
        do {
            return try pool(path, mapsPages: mapsPages)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY || error.resultCode == .SQLITE_CANTOPEN {
            // A writer was killed inside a transaction. Its journal has to be rolled back, which a reader may not do.
            guard FileManager.default.fileExists(atPath: try StoreName.resolved(path) + "-journal") else { throw error }
            try writable(path).close()
            return try pool(path, mapsPages: mapsPages)
        }
    }

    /// - Parameter patience: seconds to wait for a lock; nil for not at all.
    static func pool(
        _ path: String, label: String = "reader", patience: Double? = 5, mapsPages: Bool = true
    ) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "neurodex." + label
        configuration.readonly = true
        configuration.busyMode = patience.map { .timeout($0) } ?? .immediateError
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            try harden(database)
            try database.execute(sql: "PRAGMA mmap_size = \(mapsPages ? 2_147_418_112 : 0); PRAGMA cache_size = -16000;")
        }
        let pool = try DatabasePool(path: name(path), configuration: configuration)
        _ = try pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema") }
        return pool
    }

    /// Nothing of the file is run: see `ndx_harden`.
    private static func harden(_ database: Database) throws {
        guard let connection = database.sqliteConnection, ndx_harden(connection) == SQLITE_OK else {
            throw DatabaseError(message: "the connection cannot be made fit for a file from somebody else")
        }
    }

    /// Waits until a file's bytes are on the disk.
    static func synchronise(_ path: String) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        defer { if file >= 0 { close(file) } }
        guard file >= 0, fsync(file) == 0 else {
            throw StoreError.notWritable(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// Runs `body`, giving SQLite's errors the path they are about.
    static func translating<T>(_ path: String, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw translated(error, path: path)
        } catch is RowDecodingError {
            throw StoreError.damaged(path: path, detail: "a row has a value of another type than its column")
        }
    }

    /// That the file is as long as it says. Only what a connection has mapped before can be missing then: a file that is cut short while a
    /// question is being answered ends the program (SIGBUS), as with everything that maps files.
    /// - Throws: ``StoreError/damaged(path:detail:)``.
    static func checkLength(_ database: Database, path: String) throws {
        let pages = try Int.fetchOne(database.cachedStatement(sql: "PRAGMA page_count")) ?? 0
        let size = try Int.fetchOne(database.cachedStatement(sql: "PRAGMA page_size")) ?? 0
        // Of a file that was removed, or replaced as by `compact`, a connection goes on reading what it has opened.
        var hasMoved: CInt = 0
        sqlite3_file_control(database.sqliteConnection, "main", SQLITE_FCNTL_HAS_MOVED, &hasMoved)
        var status = stat()
        guard hasMoved == 0, stat(path, &status) == 0 else { return }
        // Pages that are still in a write-ahead log are counted too.
        guard Int(status.st_size) < pages * size, access((try? StoreName.resolved(path) + "-wal") ?? path, F_OK) != 0
        else { return }
        throw StoreError.damaged(
            path: path, detail: "its header tells of \(pages * size) bytes, and it has \(status.st_size)")
    }

    static func translated(_ error: DatabaseError, path: String) -> StoreError {
        let message = error.message ?? error.resultCode.description
        switch error.resultCode {
        case .SQLITE_FULL: return .diskFull(path: path)
        case .SQLITE_BUSY, .SQLITE_LOCKED: return WriterLock.refusal(on: path) ?? .busy(path: path)
        case .SQLITE_NOTADB: return .notAStore(path: path, found: "a file of another kind")
        case .SQLITE_CORRUPT:
            return .damaged(path: path, detail: "SQLite says \(message)" + shortfall(path))
        case .SQLITE_READONLY, .SQLITE_PERM: return .notWritable(path: path, reason: message)
        case .SQLITE_CANTOPEN:
            let folder = RealPaths.folder(of: path)
            if !FileManager.default.fileExists(atPath: folder.isEmpty ? "." : folder) {
                return .notWritable(path: path, reason: "there is no folder \(folder)")
            }
            return .notWritable(path: path, reason: message)
        case .SQLITE_IOERR:
            return WriterLock.refusal(on: path) ?? .notWritable(path: path, reason: message)
        default: return .database(path: path, code: Int(error.extendedResultCode.rawValue), message: message)
        }
    }

    /// What a truncated file lacks, in words; nothing if it is long enough.
    private static func shortfall(_ path: String) -> String {
        guard let handle = FileHandle(forReadingAtPath: path), let header = try? handle.read(upToCount: 100), header.count == 100,
            let size = try? handle.seekToEnd()
        else { return "" }
        func number(_ range: Range<Int>) -> UInt64 { header[range].reduce(0) { $0 << 8 | UInt64($1) } }
        let expected = number(28..<32) * max(512, number(16..<18))
        return size < expected ? "; its header tells of \(expected) bytes, and it has \(size)" : ""
    }
}
