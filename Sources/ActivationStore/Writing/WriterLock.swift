import Foundation
import Support

/// The right to write one store, which dies with the process that holds it.
///
/// An `flock` on the empty file `STORE-writing`, `STORE` being the file's own name whatever links lead to it: SQLite's own locks are left
/// alone, so readers are not disturbed. The file is removed on release; after a kill it stays behind, unlocked and harmless. Whoever gets the
/// lock removes what killed runs have left beside the store.
package final class WriterLock {
    private let descriptor: Int32
    private let path: String

    /// - Throws: ``StoreError/beingWritten(path:)``; ``StoreError/notWritable(path:reason:)`` when the file cannot be made;
    ///   ``StoreError/noLocks(path:reason:)``; ``StoreError/severalNames(path:count:)`` for a file that is in other folders too.
    init(store: String) throws {
        let name = try StoreName.resolved(store)
        path = name + "-writing"
        var status = stat()
        if stat(name, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink > 1 {
            throw StoreError.severalNames(path: store, count: Int(status.st_nlink))
        }
        while true {
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard file >= 0 else { throw StoreError.notWritable(path: store, reason: Self.reason(errno, store)) }
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                close(file)
                if code == EINTR { continue }
                throw Self.refusal(code, path: store) ?? StoreError.beingWritten(path: store)
            }
            // Between open and flock its holder may have removed the file: then the lock is on nothing, and we try again.
            var held = stat()
            var named = stat()
            if fstat(file, &held) == 0, stat(path, &named) == 0, held.st_ino == named.st_ino, held.st_dev == named.st_dev {
                descriptor = file
                StoreName.removeLeftovers(of: name)
                return
            }
            close(file)
        }
    }

    /// Whether somebody holds it now.
    static func isHeld(store: String) -> Bool {
        let file = open(store + "-writing", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_SH | LOCK_NB) != 0
    }

    /// As `init`, but patient with one who writes for less than `seconds`.
    static func waiting(store: String, seconds: Double) throws -> WriterLock {
        let deadline = Date().addingTimeInterval(seconds)
        while true {
            do {
                return try WriterLock(store: store)
            } catch StoreError.beingWritten where Date() < deadline {
                usleep(20_000)
            }
        }
    }

    /// What an error of a lock means where it is not that another holds it; nil where it is.
    package static func refusal(_ code: Int32, path: String) -> StoreError? {
        guard [ENOLCK, ENOTSUP, EOPNOTSUPP, ENOSYS, EINVAL].contains(code) else { return nil }
        return .noLocks(path: path, reason: String(cString: strerror(code)))
    }

    /// As ``refusal(_:path:)``, of the locks that SQLite would take, which it calls busy on a file system that has none.
    static func refusal(on path: String) -> StoreError? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var wanted = flock()
        wanted.l_type = Int16(F_RDLCK)
        wanted.l_whence = Int16(SEEK_SET)
        wanted.l_len = 1
        return fcntl(file, F_GETLK, &wanted) == 0 ? nil : refusal(errno, path: path)
    }

    private static func reason(_ code: Int32, _ store: String) -> String {
        let folder = RealPaths.folder(of: store)
        guard code == ENOENT else {
            return "in the folder \(folder.isEmpty ? "." : folder): \(String(cString: strerror(code)))"
        }
        return "there is no folder \(folder)"
    }

    deinit {
        unlink(path)
        close(descriptor)
    }
}
