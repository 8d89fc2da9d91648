internal import Support
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A file in an archive, by a path that goes on in it: `shards/0001.tar/cat/7.jpg`.
package struct ArchivedFile: Sendable {
    /// The archive's path.
    package let archive: String
    private let contents: Archive
    private let entry: Archive.Entry
    /// Of the archive, in nanoseconds since 1970.
    package let modified: Int

    package var bytes: Int { entry.bytes }

    /// Nil where the path leads into no archive.
    /// - Throws: `ImageError` without a name where the archive cannot be read, or has no such file.
    init?(finding path: String) throws(ImageError) {
        guard let (archive, name) = Self.place(path) else { return nil }
        let known = try Self.known(archive)
        guard let entry = known.contents.entry(named: name) else {
            throw ImageError(.unreadable(reason: "there is no such file in the archive"))
        }
        (self.archive, contents, self.entry, modified) = (archive, known.contents, entry, known.status.modified)
    }

    /// Nil where the path leads into no archive, or to nothing in one that can be read.
    package init?(_ path: String) {
        guard let file = try? Self(finding: path) else { return nil }
        self = file
    }

    /// Its bytes, into memory for as many.
    /// - Throws: `ImageError` without a name.
    func read(to out: UnsafeMutableRawBufferPointer) throws(ImageError) { try contents.read(entry, of: archive, to: out) }

    /// All bytes, or as many of them; nil where they cannot be read.
    package func contents(upToCount count: Int = .max) -> [UInt8]? {
        var isRead = false
        let bytes = [UInt8](unsafeUninitializedCapacity: entry.bytes) { buffer, written in
            do {
                try read(to: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<entry.bytes])))
                (isRead, written) = (true, entry.bytes)
            } catch { written = 0 }
        }
        return isRead ? Array(bytes.prefix(count)) : nil
    }

    /// What is in an archive, looked for once as long as it does not change.
    /// - Throws: `ImageError` without a name.
    package static func contents(of archive: String) throws(ImageError) -> Archive { try known(archive).contents }

    // MARK: Finding

    /// The archive that a path leads into, and the name in it; nil where it leads into none.
    package static func place(_ path: String) -> (archive: String, name: String)? {
        guard let slash = end(ofArchiveIn: path) else { return nil }
        return (String(path[..<slash]), String(path[path.utf8.index(after: slash)...]))
    }

    /// The first slash after a component that is called as archives are, and is a file.
    private static func end(ofArchiveIn path: String) -> String.Index? {
        var rest = path.utf8[...]
        while let slash = rest.firstIndex(of: UInt8(ascii: "/")) {
            let before = path[..<slash]
            if slash > path.startIndex, before.utf8.count > 4, mayEnd(before.utf8.suffix(4)), Archive.isNamed(String(before)) {
                if FileStatus(String(before))?.isFile == true { return slash }
            }
            rest = path.utf8[path.utf8.index(after: slash)...]
        }
        return nil
    }

    /// A quick look at four bytes, for most folders are no archives: of all endings, only those of `.tzst` and `.tbz2` have no point there.
    private static func mayEnd(_ bytes: Substring.UTF8View.SubSequence) -> Bool {
        bytes.contains(UInt8(ascii: ".")) || bytes.first == UInt8(ascii: "t")
    }

    private struct Known: Sendable {
        var contents: Archive
        /// When it was read.
        var status: FileStatus
    }

    private static let all = Mutex<[ExactString: Known]>([:])

    /// - Throws: `ImageError` without a name.
    private static func known(_ path: String) throws(ImageError) -> Known {
        guard let status = FileStatus(path) else {
            throw ImageError(.unreadable(reason: String(cString: strerror(errno))))
        }
        let key = ExactString(path)
        if let known = all.withLock({ $0[key] }), known.status == status { return known }
        // Two workers may read one at once, and either's is as good; but one that has to be unpacked is so once.
        guard Archive.isPackedName(path) else { return try remembered(path, status) }
        let result = unpacking.withLock { _ -> Result<Known, ImageError> in
            if let known = all.withLock({ $0[key] }), known.status == status { return .success(known) }
            return Result { () throws(ImageError) in try remembered(path, status) }
        }
        return try result.get()
    }

    private static let unpacking = Mutex<Void>(())

    private static func remembered(_ path: String, _ status: FileStatus) throws(ImageError) -> Known {
        let known = Known(contents: try Archive(contentsOf: path), status: status)
        all.withLock { $0[ExactString(path)] = known }
        return known
    }
}
