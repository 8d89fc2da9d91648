#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Real paths: absolute, without `.`, `..` and links; two paths lead to one file if their real paths are equal. Folders are looked up once, so
/// that it takes one call of the system for each file. Used by one thread at a time.
public final class RealPaths {
    private var folders: [ExactString: String] = [:]
    /// The folder that relative paths start from.
    private let start: String

    /// - Parameter folder: an absolute path; nil for the folder that the program works in.
    public init(from folder: String? = nil) { start = folder ?? Self.workingFolder }

    /// Of a file that is there; of another, where it would be.
    public func real(_ path: String) -> ExactString {
        let path = Self.absolute(path, from: start)
        let (folder, name) = Self.split(path)
        guard name != "..", name != ".", !name.isEmpty else { return ExactString(Self.real(path) ?? Self.plain(path)) }
        var status = stat()
        if PathText.withPath(path, { lstat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFLNK, let real = Self.real(path) {
            return ExactString(real)
        }
        return ExactString(Self.joined(realFolder(folder), name))
    }

    private func realFolder(_ folder: String) -> String {
        if let known = folders[ExactString(folder)] { return known }
        let real: String
        if let there = Self.real(folder) {
            real = there
        } else {
            // Of a folder that is not there, or is one in an archive, the part that is.
            let plain = Self.plain(folder)
            let (parent, name) = Self.split(plain)
            real = name.isEmpty || parent == "." ? plain : Self.joined(realFolder(parent), name)
        }
        folders[ExactString(folder)] = real
        return real
    }

    // MARK: Paths as text

    /// The folder that the program works in.
    public static var workingFolder: String {
        guard let bytes = getcwd(nil, 0) else { return "/" }
        defer { free(bytes) }
        return text(bytes)
    }

    /// The real path of what is there; nil where nothing is.
    public static func real(_ path: String) -> String? {
        guard let bytes = PathText.withPath(path, { realpath($0, nil) }) else { return nil }
        defer { free(bytes) }
        return text(bytes)
    }

    public static func absolute(_ path: String, from folder: String) -> String {
        path.utf8.first == UInt8(ascii: "/") ? path : joined(folder, path)
    }

    /// The folder that a path names something in, `.` where it names none, and the name.
    public static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        let folder = String(path[..<slash])
        return (folder.isEmpty ? "/" : folder, String(path[path.utf8.index(after: slash)...]))
    }

    /// The path of the folder that a path says its file is in: empty for a name alone.
    ///
    /// Foundation's `deletingLastPathComponent` ends the program for a name of one character.
    public static func folder(of path: String) -> String {
        let bytes = path.utf8
        guard let last = bytes.lastIndex(where: { $0 != UInt8(ascii: "/") }) else { return path.isEmpty ? "" : "/" }
        guard let slash = bytes[...last].lastIndex(of: UInt8(ascii: "/")) else { return "" }
        guard let end = bytes[...slash].lastIndex(where: { $0 != UInt8(ascii: "/") }) else { return "/" }
        return String(path[...end])
    }

    public static func joined(_ folder: String, _ name: String) -> String {
        folder.utf8.last == UInt8(ascii: "/") ? folder + name : folder + "/" + name
    }

    /// Without `.`, empty components, slashes at the end, and what `..` takes back: by the letter, whatever links there are.
    public static func plain(_ path: String) -> String {
        var kept: [Substring] = []
        for part in components(path) {
            if part == "..", let last = kept.last, last != ".." { kept.removeLast() } else { kept.append(part) }
        }
        let isAbsolute = path.utf8.first == UInt8(ascii: "/")
        if isAbsolute { kept = Array(kept.drop { $0 == ".." }) }
        return isAbsolute ? "/" + kept.joined(separator: "/") : kept.isEmpty ? "." : kept.joined(separator: "/")
    }

    /// What leads from one absolute path to another; nil where they have nothing in common.
    public static func relative(_ path: String, from folder: String) -> String? {
        let (to, from) = (components(plain(path)), components(plain(folder)))
        let common = zip(to, from).prefix { $0.utf8.elementsEqual($1.utf8) }.count
        guard common > 0 || from.isEmpty else { return nil }
        let steps = [Substring](repeating: "..", count: from.count - common) + to[common...]
        return steps.isEmpty ? "." : steps.joined(separator: "/")
    }

    private static func components(_ path: String) -> [Substring] {
        // By bytes: a letter may stand for itself after a slash, and combine with nothing.
        path.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }.filter { $0 != "." }
    }

    private static func text(_ bytes: UnsafePointer<CChar>) -> String {
        PathText.text(of: UnsafeRawBufferPointer(start: bytes, count: strlen(bytes)))
    }
}
