import Foundation

/// The right to write one store, which dies with the process that holds it.
///
/// An `flock` on the empty file `STORE-writing`: SQLite's own locks are left alone, so readers are not disturbed. The file is
/// removed on release; after a kill it stays behind, unlocked and harmless.
final class WriterLock {
    private let descriptor: Int32
    private let path: String

    /// - Throws: ``StoreError/beingWritten(path:)``, or ``StoreError/notWritable(path:reason:)`` when the file cannot be made.
    init(store: String) throws {
        path = store + "-writing"
        while true {
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard file >= 0 else { throw StoreError.notWritable(path: store, reason: Self.reason(errno, store)) }
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                close(file)
                throw StoreError.beingWritten(path: store)
            }
            // Between open and flock its holder may have removed the file: then the lock is on nothing, and we try again.
            var held = stat()
            var named = stat()
            if fstat(file, &held) == 0, stat(path, &named) == 0, held.st_ino == named.st_ino, held.st_dev == named.st_dev {
                descriptor = file
                return
            }
            close(file)
        }
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

    private static func reason(_ code: Int32, _ store: String) -> String {
        let folder = (store as NSString).deletingLastPathComponent
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
