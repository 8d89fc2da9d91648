import Foundation
import Images
import Support

/// What stands at a path, links followed: the same for two paths to the same thing.
struct FileKind: Hashable {
    enum Kind: Hashable { case file, folder, other }

    let type: Kind
    private let device: UInt64
    private let inode: UInt64

    /// Nil where there is nothing.
    init?(_ path: String) {
        var status = stat()
        var path = path
        if PathText.withPath(path, { stat($0, &status) }) != 0 {
            // A file in an archive is told from others by its path alone.
            guard errno == ENOTDIR, let file = ArchivedFile(path) else { return nil }
            path = file.archive
            guard PathText.withPath(path, { stat($0, &status) }) == 0 else { return nil }
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: type = .file
        case S_IFDIR: type = .folder
        default: type = .other
        }
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(status.st_ino)
    }
}

/// A file's size in bytes, and its time in nanoseconds since 1970; of one in an archive, the archive's time.
struct FileFacts {
    var bytes: Int
    var modified: Int

    init?(_ path: String) {
        guard let status = FileStatus(path) else {
            guard errno == ENOTDIR, let file = ArchivedFile(path) else { return nil }
            (bytes, modified) = (file.bytes, file.modified)
            return
        }
        (bytes, modified) = (status.bytes, status.modified)
    }

    /// Of the file's bytes; nil where it cannot be read.
    static func sha256(_ path: String) -> Data? { contents(path).map { Data(SHA256.hash(data: $0)) } }

    /// The file's bytes, or as many of them; nil where it cannot be read.
    static func contents(_ path: String, upToCount count: Int = .max) -> Data? {
        let descriptor = PathText.withPath(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else {
            guard errno == ENOTDIR, let file = ArchivedFile(path) else { return nil }
            return file.contents(upToCount: count).map { Data($0) }
        }
        return try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).read(upToCount: count) ?? Data()
    }
}
