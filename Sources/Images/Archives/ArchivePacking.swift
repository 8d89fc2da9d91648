internal import CCodecs

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// How an archive is compressed as a whole. Nothing can be sought in such, so that it is unpacked once, to a file without a name in the folder for
/// temporary files: the system removes it when the program ends, however that is.
enum ArchivePacking {
    case gzip, zstandard

    /// By its first bytes; nil of what is not compressed.
    /// - Throws: `ImageError` without a name for a way of compressing that is not read.
    init?(_ file: ArchiveFile) throws(ImageError) {
        let start = try file.read(at: 0, count: 6, orLess: true)
        if start.starts(with: [0x1F, 0x8B]) {
            self = .gzip
        } else if start.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            self = .zstandard
        } else if start.starts(with: [0x42, 0x5A, 0x68]) || start.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]) {
            let isXZ = start[0] == 0xFD
            throw ImageError(
                .unreadable(
                    reason:
                        "it is a tar compressed by \(isXZ ? "xz" : "bzip2"), which is not read; make it a plain .tar (\(isXZ ? "unxz" : "bunzip2")), as pictures are packed already"
                ))
        } else {
            return nil
        }
    }

    /// Where archives are unpacked: the folder that TMPDIR names, or else one that outlives a start of the machine, since that has most room.
    static var folder: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp" }

    /// No archive of pictures is a thousand times as long as it is packed.
    private static let mostTimes = 1100

    /// - Throws: `ImageError` without a name.
    func unpacked(_ file: ArchiveFile) throws(ImageError) -> ArchiveFile {
        var name = Array((Self.folder + "/neurodex-XXXXXX").utf8CString)
        let target = mkstemp(&name)
        guard target >= 0 else {
            throw ImageError(
                .unreadable(
                    reason: "it is compressed, and cannot be unpacked to \(Self.folder) (\(String(cString: strerror(errno)))); "
                        + "TMPDIR names another folder"))
        }
        // From here on it has no name, and goes when it is closed.
        unlink(name)
        var room = statvfs()
        let free = fstatvfs(target, &room) == 0 ? UInt64(room.f_bavail) * UInt64(room.f_frsize) : .max
        let most = UInt64(file.bytes) * UInt64(Self.mostTimes) + 1 << 20
        let limit = min(most, free / 10 * 9)
        var (count, message) = (UInt64(0), [CChar](repeating: 0, count: Int(CODEC_MESSAGE_LENGTH)))
        lseek(file.descriptor, 0, SEEK_SET)
        let status = codec_unpack(file.descriptor, target, self == .zstandard ? 1 : 0, limit, &count, &message)
        guard status != CODEC_OK else { return ArchiveFile(descriptor: target, bytes: Int(count)) }
        close(target)
        throw ImageError(.unreadable(reason: Self.problem(status, message.text, isBomb: limit == most)))
    }

    private static func problem(_ status: codec_status, _ message: String, isBomb: Bool) -> String {
        switch status {
        case CODEC_ABSENT:
            return "it is compressed by Zstandard, which needs libzstd1, and that is not on this machine: apt install libzstd1"
        case CODEC_TRUNCATED:
            let detail = message.isEmpty ? "" : " (\(message))"
            return "the archive is damaged: it ends before all of it is unpacked" + detail
        case CODEC_UNSUPPORTED where isBomb:
            return "it would be more than \(mostTimes) times as long as it is packed, which no archive of pictures is"
        case CODEC_UNSUPPORTED:
            return "unpacked it would take more than nine tenths of the room in \(folder); TMPDIR names another folder"
        case CODEC_NO_MEMORY: return "it cannot be unpacked to \(folder) (\(message.isEmpty ? "no memory is left" : message))"
        default: return "the archive is damaged: \(message)"
        }
    }
}
