internal import CCodecs
internal import Support

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What is in a tar or a zip, found once, so that each of its files is read at its place.
///
/// Names are those of the archive without `./`. What could lead out of it, and what is no file, is not among its files but is said.
package struct Archive: Sendable {
    /// A file in it.
    package struct Entry: Sendable, Equatable {
        package var name: String
        /// Where its bytes begin; of a zip, its local header.
        var offset: Int
        /// How many bytes of the archive are its own.
        var stored: Int
        /// How many bytes it has.
        package var bytes: Int
        var method = Method.stored
        /// Of a zip, the checksum of its bytes.
        var sum: UInt32?
    }

    enum Method: Sendable, Equatable { case stored, deflated, zipStored }

    /// Something that is not read, and why.
    package struct Refusal: Sendable, Equatable {
        package var name: String
        package var reason: String
    }

    /// By the bytes of their names.
    package private(set) var entries: [Entry] = []
    package private(set) var refusals: [Refusal] = []
    private var places: [ExactString: Int] = [:]
    /// What it was unpacked to, of one that is compressed as a whole: a file without a name, which goes with the last that has this.
    private let unpacked: ArchiveFile?
    /// How many bytes it was unpacked to; nil of one that is not compressed as a whole.
    package var unpackedBytes: Int? { unpacked?.bytes }

    /// Whether a name is that of an archive.
    package static func isNamed(_ path: String) -> Bool {
        ending(of: path) != nil
    }

    /// Names of archives that are compressed as a whole, in which nothing can be found without unpacking all before it, so that they are unpacked.
    package static func isPackedName(_ path: String) -> Bool {
        ending(of: path).map { packedEndings.contains($0) } ?? false
    }

    private static let packedEndings = [".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.bz2", ".tbz2", ".tar.xz", ".txz"]

    /// What says of a name that it is an archive's; nil of others.
    package static func ending(of path: String) -> String? {
        // As few bytes as the longest ending has, for paths are many.
        let last = String(decoding: path.utf8.suffix(9), as: UTF8.self).lowercased()
        return ([".tar", ".zip"] + packedEndings).first { last.utf8.count > $0.utf8.count && last.hasSuffix($0) }
    }

    /// - Throws: `ImageError` without a name.
    package init(contentsOf path: String) throws(ImageError) {
        let file = try ArchiveFile(path)
        guard let packing = try ArchivePacking(file) else {
            try self.init(file, isZip: path.lowercased().hasSuffix(".zip"))
            return
        }
        try self.init(packing.unpacked(file), isZip: false, isUnpacked: true)
    }

    /// Of an archive in memory.
    /// - Throws: `ImageError` without a name.
    package init(_ bytes: [UInt8]) throws(ImageError) { try self.init(ArchiveFile(bytes), isZip: false) }

    private init(_ file: ArchiveFile, isZip isNamedZip: Bool, isUnpacked: Bool = false) throws(ImageError) {
        unpacked = isUnpacked ? file : nil
        let isZip = try file.read(at: 0, count: 4, orLess: true).elementsEqual([0x50, 0x4B, 0x03, 0x04])
        var reading = Reading()
        if isZip || isNamedZip {
            try reading.zip(file)
        } else {
            try reading.tar(file)
        }
        refusals = reading.refusals
        entries = reading.entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        for (index, entry) in entries.enumerated() { places[ExactString(entry.name)] = index }
    }

    /// Where archives that are compressed as a whole are unpacked.
    package static var folder: String { ArchivePacking.folder }

    package func entry(named name: String) -> Entry? { places[ExactString(name)].map { entries[$0] } }

    /// What is found while an archive is read from its beginning to its end.
    struct Reading {
        private(set) var entries: [Entry] = []
        private(set) var refusals: [Refusal] = []
        private var seen: Set<ExactString> = []

        /// Adds a file, unless its name leads out of the archive or is there already.
        mutating func add(_ entry: Entry, name bytes: some Collection<UInt8>) {
            guard let name = name(bytes) else { return }
            guard seen.insert(ExactString(name)).inserted else {
                return refuse(name, "is in the archive twice; the first is read")
            }
            var entry = entry
            entry.name = name
            entries.append(entry)
        }

        mutating func refuse(_ name: String, _ reason: String) { refusals.append(Refusal(name: name, reason: reason)) }

        /// The name without `.` and empty components; nil for one that is refused.
        private mutating func name(_ bytes: some Collection<UInt8>) -> String? {
            let text = PathText.text(of: bytes)
            let parts = text.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }.filter { $0 != "." }
            if bytes.contains(0) || parts.isEmpty {
                refuse(text, "has a name in the archive that is none")
            } else if text.utf8.first == UInt8(ascii: "/") || parts.contains("..") {
                refuse(text, "has a name in the archive that leads out of it")
            } else {
                return parts.joined(separator: "/")
            }
            return nil
        }
    }

    /// An entry's bytes, into memory for as many.
    /// - Throws: `ImageError` without a name.
    func read(_ entry: Entry, of path: String, to out: UnsafeMutableRawBufferPointer) throws(ImageError) {
        if let unpacked { return try read(entry, from: unpacked, to: out) }
        try read(entry, from: ArchiveFile(path), to: out)
    }

    /// The same of an archive in memory.
    package func read(_ entry: Entry, of bytes: [UInt8], to out: UnsafeMutableRawBufferPointer) throws(ImageError) {
        try read(entry, from: ArchiveFile(bytes), to: out)
    }

    private func read(_ entry: Entry, from file: ArchiveFile, to out: UnsafeMutableRawBufferPointer) throws(ImageError) {
        var offset = entry.offset
        if entry.method != .stored {
            // The local header, whose name and extra field may differ in length from those in the directory.
            let header = try file.read(at: offset, count: 30)
            guard header.starts(with: [0x50, 0x4B, 0x03, 0x04]) else {
                throw Self.damaged("a file's header is not where it should be")
            }
            offset += 30 + Int(header[26]) + Int(header[27]) << 8 + Int(header[28]) + Int(header[29]) << 8
        }
        guard entry.method == .deflated else {
            try file.read(at: offset, to: UnsafeMutableRawBufferPointer(rebasing: out[..<entry.bytes]))
            return try compare(entry, out)
        }
        let packed = try file.read(at: offset, count: entry.stored)
        guard Inflation.unpack(packed, to: UnsafeMutableRawBufferPointer(rebasing: out[..<entry.bytes])) else {
            throw Self.damaged("the packed bytes of '\(entry.name)' are not what the archive says")
        }
        try compare(entry, out)
    }

    /// Compares the sum that a zip has of a file's bytes.
    private func compare(_ entry: Entry, _ out: UnsafeMutableRawBufferPointer) throws(ImageError) {
        guard let sum = entry.sum else { return }
        let found = codec_crc32(out.assumingMemoryBound(to: UInt8.self).baseAddress, entry.bytes)
        guard found != sum else { return }
        throw Self.damaged("the checksum of '\(entry.name)' is not the one that the archive states; get it again")
    }

    static func damaged(_ detail: String) -> ImageError { ImageError(.unreadable(reason: "the archive is damaged: \(detail)")) }
}

/// An archive's bytes at any place.
final class ArchiveFile: Sendable {
    let descriptor: Int32
    let bytes: Int
    /// Nil of a file.
    private let memory: [UInt8]?

    init(_ memory: [UInt8]) { (self.memory, bytes, descriptor) = (memory, memory.count, -1) }

    /// - Throws: `ImageError` without a name.
    init(_ path: String) throws(ImageError) {
        memory = nil
        descriptor = PathText.withPath(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            let reason = descriptor < 0 ? String(cString: strerror(errno)) : "it is no file"
            if descriptor >= 0 { close(descriptor) }
            throw ImageError(.unreadable(reason: reason))
        }
        bytes = Int(status.st_size)
    }

    /// Of a file that is open, which is closed with this.
    init(descriptor: Int32, bytes: Int) { (memory, self.descriptor, self.bytes) = (nil, descriptor, bytes) }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// - Parameter orLess: whether it may end before.
    func read(at offset: Int, count: Int, orLess: Bool = false) throws(ImageError) -> [UInt8] {
        let there = max(0, min(count, bytes - offset))
        guard there == count || orLess, offset >= 0 else { throw Archive.damaged("it ends before byte \(offset + count)") }
        var result = [UInt8](repeating: 0, count: there)
        var failure: ImageError?
        result.withUnsafeMutableBytes { buffer in
            do throws(ImageError) { try read(at: offset, to: buffer) } catch { failure = error }
        }
        if let failure { throw failure }
        return result
    }

    func read(at offset: Int, to out: UnsafeMutableRawBufferPointer) throws(ImageError) {
        if let memory {
            guard offset >= 0, offset <= bytes - out.count else {
                throw Archive.damaged("it ends before byte \(offset + out.count)")
            }
            return memory[offset..<offset + out.count].withUnsafeBytes { out.copyMemory(from: $0) }
        }
        var done = 0
        while done < out.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: out[done...])
            let got = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            if got < 0, errno == EINTR { continue }
            if got < 0 { throw ImageError(.unreadable(reason: String(cString: strerror(errno)))) }
            if got == 0 { throw Archive.damaged("it ends before byte \(offset + out.count)") }
            done += got
        }
    }
}
