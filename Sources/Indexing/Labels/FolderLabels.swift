import Foundation
import Images

/// Labels and splits from the folders that images stand in: `train/cat/1.jpg` has the label `cat` and the split `train`.
enum FolderLabels {
    private static let splits: Set<String> = ["train", "training", "val", "valid", "validation", "test", "testing"]

    /// The label is the folder that the image stands in. The split is the outermost folder below `root` with a name that splits have, else
    /// the outermost of those that `root` names. A folder is not both: an image right in the folder of a split has no label.
    ///
    /// Of a full path, where a folder far above may be called `test` by chance, only the last folder counts, and the one around it
    /// where the image stands right in it; so it is for the folder one works in, where the image stands right in that.
    ///
    /// An archive counts as a folder of its name without the ending: `train.tar/cat/1.jpg`, `n01440764.tar/1.jpg`. Where that name is a shard's, which
    /// ends in a number, an image right in it has no label.
    ///
    /// - Parameters:
    ///   - path: within `root`.
    ///   - root: a folder as the user names it.
    static func labelAndSplit(of path: String, in root: String) -> (label: String?, split: String?) {
        let around = path.split(separator: "/").dropLast().map(String.init)
        let below = around.map(Self.withoutEnding)
        let named = root.split(separator: "/").filter { $0 != "." && $0 != ".." }.map { withoutEnding(String($0)) }
        var outer = named
        if named.isEmpty || root.hasPrefix("/") {
            let folders = FilePlace.full(root).split(separator: "/").map(String.init)
            outer = below.isEmpty ? folders.suffix(2) : root.hasPrefix("/") ? folders.suffix(1) : []
        }
        let folders = outer + below
        func isSplit(_ index: Int) -> Bool { splits.contains(folders[index].lowercased()) }
        let split = folders.indices.dropFirst(outer.count).first(where: isSplit) ?? folders.indices.first(where: isSplit)
        let isInShard = around.last.map { Archive.isNamed($0) && isShard(withoutEnding($0)) } ?? false
        let label = split == folders.count - 1 || isInShard ? nil : folders.last
        return (label, split.map { folders[$0] })
    }

    private static func withoutEnding(_ name: String) -> String {
        guard let ending = Archive.ending(of: name) else { return name }
        return String(decoding: name.utf8.dropLast(ending.utf8.count), as: UTF8.self)
    }

    /// Whether a name is a number, or ends in one behind a mark: `shard-000000`, `train_12`.
    private static func isShard(_ name: String) -> Bool {
        let rest = name.utf8.reversed().drop { (0x30...0x39).contains($0) }
        guard rest.count < name.utf8.count else { return false }
        return rest.first.map { [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains($0) } ?? true
    }

    /// The innermost folder that has all of some files in it.
    static func commonFolder(of paths: [String]) -> String {
        func folders(_ path: String) -> ArraySlice<Substring> { path.split(separator: "/").dropLast() }
        guard let first = paths.first else { return "." }
        var common = folders(first)
        for path in paths where !common.isEmpty {
            common = common.prefix(zip(common, folders(path)).prefix { $0 == $1 }.count)
        }
        let joined = common.joined(separator: "/")
        return first.hasPrefix("/") ? "/" + joined : joined.isEmpty ? "." : joined
    }
}

extension Dataset {
    /// Images of a store, with the labels of their folders.
    public init(stored paths: [String]) {
        let root = FolderLabels.commonFolder(of: paths)
        let prefix = root == "." ? 0 : root.hasSuffix("/") ? root.utf8.count : root.utf8.count + 1
        items = paths.map { path in
            let relative = String(decoding: path.utf8.dropFirst(prefix), as: UTF8.self)
            let (label, split) = FolderLabels.labelAndSplit(of: relative, in: root)
            return Item(path: path, label: label, split: split)
        }
    }

    /// What a user should know of labels that come from folders, a sentence each.
    public var folderNotes: [String] {
        var notes: [String] = []
        let unlabelled = items.lazy.filter { $0.label == nil }
        let count = unlabelled.count
        if count > 0, let first = unlabelled.first {
            notes.append(
                "\(count) of \(items.count) images stand right in the folder of a split, or in a shard, and have no label, such as '\(first.path)'; --labels gives them one"
            )
        }
        if items.count > 1, let label = items.first?.label, items.allSatisfy({ $0.label == label }) {
            notes.append(
                "all \(items.count) images have the label '\(label)', which is the folder that they stand in; --labels gives them others"
            )
        }
        return notes
    }
}
