#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What the system says of what stands at a path, links followed.
package struct FileStatus: Equatable, Sendable {
    /// Whether it is a file: no folder, pipe, socket or device.
    package let isFile: Bool
    package let bytes: Int
    /// When its contents last changed, in nanoseconds since 1970.
    package let modified: Int
    package let inode: UInt64

    /// Nil where there is nothing that could be looked at; `errno` says why.
    package init?(_ path: String) {
        var status = stat()
        guard PathText.withPath(path, { stat($0, &status) }) == 0 else { return nil }
        isFile = status.st_mode & S_IFMT == S_IFREG
        (bytes, inode) = (Int(status.st_size), UInt64(status.st_ino))
        #if os(Linux)
            modified = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
        #else
            modified = status.st_mtimespec.tv_sec * 1_000_000_000 + status.st_mtimespec.tv_nsec
        #endif
    }
}
