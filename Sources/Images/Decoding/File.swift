internal import Support

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Reads files into memory that is kept for the next one. Used by one thread at a time.
final class FileBuffer {
    /// No picture that is decoded is longer, and no file is read further.
    private static let longest = 1 << 31

    private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var count = 0

    /// The bytes of the last file read, until the next is.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    deinit { buffer.deallocate() }

    /// Reads a file. Content that is not decoded anyway is refused by its first bytes, without reading the rest.
    func read(_ path: String) throws(ImageError) {
        count = 0
        // A pipe is opened without waiting for its other end, so that it can be refused.
        let file = PathText.withPath(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        if file < 0 {
            let problem = errno
            guard problem == ENOTDIR, let archived = try ArchivedFile(finding: path) else {
                throw ImageError(.unreadable(reason: String(cString: strerror(problem))))
            }
            return try read(archived)
        }
        defer { close(file) }
        var information = stat()
        if fstat(file, &information) == 0 {
            if information.st_mode & S_IFMT == S_IFDIR { throw ImageError(.unreadable(reason: "it is a folder")) }
            if information.st_mode & S_IFMT != S_IFREG {
                throw ImageError(.unreadable(reason: "it is no file but a pipe, socket or device"))
            }
            reserve(min(Int(information.st_size), 1 << 24) + 1)
        }
        reserve(4096)
        while true {
            let before = count
            guard try fill(from: file) else { break }
            if before == 0 {
                let kind = ContentKind(of: bytes)
                if !kind.isDecoded { throw ImageError(.notDecoded(kind)) }
            }
            if count > FileBuffer.longest { throw ImageError(.unreadable(reason: "it is longer than 2 GiB")) }
            if count == buffer.count { reserve(count * 2) }
        }
        if count == 0 { throw ImageError(.empty) }
    }

    /// Reads a file in an archive.
    private func read(_ file: ArchivedFile) throws(ImageError) {
        guard file.bytes > 0 else { throw ImageError(.empty) }
        guard file.bytes <= FileBuffer.longest else { throw ImageError(.unreadable(reason: "it is longer than 2 GiB")) }
        reserve(file.bytes + 1)
        try file.read(to: UnsafeMutableRawBufferPointer(rebasing: buffer[..<file.bytes]))
        count = file.bytes
        let kind = ContentKind(of: bytes)
        if !kind.isDecoded { throw ImageError(.notDecoded(kind)) }
    }

    /// Reads what fits; false at the end of the file.
    private func fill(from file: Int32) throws(ImageError) -> Bool {
        while true {
            let got = readSome(file, UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
            if got > 0 { count += got }
            if got >= 0 { return got > 0 }
            if errno != EINTR { throw ImageError(.unreadable(reason: String(cString: strerror(errno)))) }
        }
    }

    private func reserve(_ capacity: Int) {
        guard capacity > buffer.count || buffer.count > 64 << 20 && count == 0 else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 64)
        larger.copyMemory(from: bytes)
        buffer.deallocate()
        buffer = larger
    }
}

/// The system's `read`, which the method of that name hides.
private func readSome(_ file: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    read(file, buffer.baseAddress, buffer.count)
}
