public import ActivationStore
import Support

/// Where the files of a store's images are.
///
/// Relative paths start from the folder that the first run worked in. If the store stands elsewhere now than when it was written, its images are
/// looked for where they would be had they moved with it; then where they were; then from the folder that the program works in.
public struct ImagePlaces: Sendable {
    /// The folder that relative paths start from: absolute.
    public let folder: String
    /// What the store says; nil for one that does not.
    private let origin: ImageOrigin?
    /// Where the store stands now.
    private let storeFolder: String
    private let workingFolder = RealPaths.workingFolder

    public init(_ store: Store) throws { self.init(try store.imageOrigin(), storeFolder: store.folder) }

    /// - Parameter origin: what the store says.
    init(_ origin: ImageOrigin?, storeFolder: String, folder: String? = nil) {
        (self.origin, self.storeFolder) = (origin, storeFolder)
        self.folder = folder ?? origin?.folder ?? workingFolder
    }

    /// Of a store that is written to, whose relative paths start from wherever most of its images are found. The store remembers it.
    public static func settled(_ writer: StoreWriter) throws -> ImagePlaces {
        let (origin, storeFolder) = (try writer.imageOrigin(), writer.folder)
        let known = try writer.knownImages().filter { $0.key.text.utf8.first != UInt8(ascii: "/") }
        let plain = ImagePlaces(origin, storeFolder: storeFolder)
        var best = (folder: plain.folder, found: -1)
        for folder in plain.folders {
            let found = known.prefix(sampled).count { path, image in
                FileFacts(RealPaths.joined(folder, path.text))?.bytes == image.bytes
            }
            if found > best.found { best = (folder, found) }
        }
        let stood = (origin?.storeFolders ?? []).filter { $0 != storeFolder } + [storeFolder]
        try writer.record(ImageOrigin(folder: best.folder, storeFolders: stood))
        return ImagePlaces(
            ImageOrigin(folder: best.folder, storeFolders: stood), storeFolder: storeFolder, folder: best.folder)
    }

    /// Images that are looked for to tell where a store's images are.
    private static let sampled = 200

    /// Folders that relative paths may start from, the likeliest first.
    private var folders: [String] {
        guard let origin else { return [workingFolder, storeFolder] }
        return moved(origin.folder) + [origin.folder, workingFolder]
    }

    /// Where something would be, had it moved with the store.
    private func moved(_ path: String) -> [String] {
        (origin?.storeFolders.reversed() ?? []).filter { $0 != storeFolder }.compactMap { old in
            RealPaths.relative(path, from: old).map { RealPaths.plain(RealPaths.joined(storeFolder, $0)) }
        }
    }

    // MARK: Finding

    /// Where an image's file may be, the likeliest first.
    func candidates(of path: String) -> [String] {
        let isRelative = path.utf8.first != UInt8(ascii: "/")
        if isRelative, origin == nil { return [path, RealPaths.joined(storeFolder, path)] }
        let place = RealPaths.absolute(path, from: folder)
        // Where the program works in that folder, the path itself: messages then say it as the user does.
        let direct = isRelative && folder == workingFolder ? path : place
        return moved(place) + [direct]
    }

    /// The path of an image's file: the first of the places where one of its size is, else the first where one is at all; nil where it has
    /// gone.
    public func file(of path: String, bytes: Int) -> String? {
        var first: String?
        for candidate in candidates(of: path) {
            guard FileKind(candidate)?.type == .file, let facts = FileFacts(candidate) else { continue }
            if facts.bytes == bytes { return candidate }
            first = first ?? candidate
        }
        // From the folder that the program works in, only what has the right size: it is a guess.
        guard first == nil, origin != nil, folder != workingFolder, path.utf8.first != UInt8(ascii: "/"),
            FileKind(path)?.type == .file, FileFacts(path)?.bytes == bytes
        else { return first }
        return path
    }

    /// Where an image's file was, if it is not there any more.
    func absolute(_ path: String) -> String { RealPaths.absolute(path, from: folder) }

    /// A path that a user typed, as the store keeps it: as it is, unless it is relative to another folder than the store's paths.
    func kept(_ path: String) -> String {
        guard folder != workingFolder, path.utf8.first != UInt8(ascii: "/") else { return path }
        let place = RealPaths.absolute(path, from: workingFolder)
        let plain = place.contains("/..") ? RealPaths().real(place).text : RealPaths.plain(place)
        return text(of: plain)
    }

    /// A place as the store's paths name it: from their folder, if it is below it, else absolute.
    func text(of place: String) -> String {
        let start = folder.utf8.last == UInt8(ascii: "/") ? folder : folder + "/"
        return place.utf8.starts(with: start.utf8) ? String(Substring(place.utf8.dropFirst(start.utf8.count))) : place
    }
}
