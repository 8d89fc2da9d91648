import Foundation
import Support

/// The names of a store's file, and of what stands beside it: SQLite's journal, the lock, a file that is to take its place.
enum StoreName {
    /// Suffixes of files that are to take a store's place.
    enum Successor: String, CaseIterable {
        case compacting, merging
    }

    private static let mostLinks = 40
    /// How many names of a folder are looked at for those that a run has left.
    private static let mostNames = 200_000

    /// The name of the file itself: links are followed, also to a file that is not there yet. What stands beside a store has this name in its
    /// own, whichever name the user gave: else two runs by two names would not meet.
    /// - Throws: ``StoreError/notReadable(path:reason:)`` for links in a circle.
    static func resolved(_ path: String) throws -> String {
        var name = path
        for _ in 0..<mostLinks {
            var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
            let length = readlink(name, &target, target.count - 1)
            guard length >= 0 else { return name }
            let text = String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let folder = RealPaths.folder(of: name)
            name = text.hasPrefix("/") || folder.isEmpty ? text : folder + "/" + text
        }
        throw StoreError.notReadable(path: path, reason: String(cString: strerror(ELOOP)))
    }

    /// That a new store would have its name for itself.
    /// - Throws: ``StoreError/leftJournal(path:journal:)`` where an earlier store of this name, which is gone, has left a journal: SQLite would
    ///   put what it holds into the new one.
    static func refuseLeftJournal(_ path: String) throws {
        let name = try resolved(path)
        guard access(name, F_OK) != 0 else { return }
        for journal in [name + "-journal", name + "-wal"] where holdsPages(journal) {
            throw StoreError.leftJournal(path: path, journal: journal)
        }
    }

    /// Whether SQLite would go by this journal: its first bytes are zero once it is done with.
    static func holdsPages(_ journal: String) -> Bool {
        let file = open(journal, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return false }
        defer { close(file) }
        var start: UInt32 = 0
        return read(file, &start, MemoryLayout<UInt32>.size) == MemoryLayout<UInt32>.size && start != 0
    }

    /// Removes what runs that were killed have left beside a store. Only a writer that holds the store's lock may.
    static func removeLeftovers(of name: String) {
        for successor in Successor.allCases {
            let left = "\(name)-\(successor)"
            for file in [left, left + "-journal", left + "-wal", left + "-shm", left + "-writing"] { unlink(file) }
        }
        // SQLite's journals of a transaction over two files have a random number in their names.
        let (folder, own) = (RealPaths.folder(of: name), (name as NSString).lastPathComponent)
        let starts = Successor.allCases.map { "\(own)-\($0)-mj" }
        guard let stream = opendir(folder.isEmpty ? "." : folder) else { return }
        defer { closedir(stream) }
        var left: [String] = []
        for _ in 0..<mostNames {
            guard let entry = readdir(stream) else { break }
            let file = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if starts.contains(where: file.hasPrefix) { left.append(file) }
        }
        for file in left { unlink(folder.isEmpty ? file : folder + "/" + file) }
    }

    /// Lets `make` write a store to a file beside `path`, which then takes its place, with its mode and owner.
    static func replace(_ path: String, by successor: Successor, _ make: (String) throws -> Void) throws {
        let name = try resolved(path)
        let temporary = "\(name)-\(successor)"
        do {
            try create(temporary, like: name, path: path)
            try make(temporary)
            // One that belongs to the old file would be put into the new one.
            guard !holdsPages(name + "-journal"), !holdsPages(name + "-wal") else { throw StoreError.busy(path: path) }
            guard rename(temporary, name) == 0 else {
                throw StoreError.notWritable(path: path, reason: String(cString: strerror(errno)))
            }
        } catch {
            for leftover in [temporary, temporary + "-journal"] { unlink(leftover) }
            throw error
        }
        // The new name is on the disk before anybody is told.
        let parent = RealPaths.folder(of: name)
        let folder = open(parent.isEmpty ? "." : parent, O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// Makes an empty file with the mode and the owner of another, which SQLite's journals then take from it. Nothing where there is no other.
    private static func create(_ temporary: String, like name: String, path: String) throws {
        var old = stat()
        guard stat(name, &old) == 0 else { return }
        let file = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StoreError.notWritable(path: path, reason: String(cString: strerror(errno))) }
        defer { close(file) }
        var new = stat()
        guard fstat(file, &new) == 0,
            new.st_uid == old.st_uid && new.st_gid == old.st_gid
                || fchown(file, old.st_uid, old.st_gid) == 0
        else {
            throw StoreError.notWritable(
                path: path,
                reason: "it belongs to user \(old.st_uid) and group \(old.st_gid), and a new file in its place would not")
        }
        guard fchmod(file, old.st_mode & 0o7777) == 0 else {
            throw StoreError.notWritable(path: path, reason: String(cString: strerror(errno)))
        }
    }
}
