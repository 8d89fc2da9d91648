import ActivationStore
import ArgumentParser
import Foundation
import Indexing
import Search
import Support

/// Which images are explained, where they are not named one by one.
struct ChoiceOptions: ParsableArguments {
    @Option(
        name: .customLong("where"),
        help:
            "Only images of the store that meet this SQL condition on path, label, split, width, height, predicted, score, correct …"
    )
    var condition: String?

    @Option(
        name: .customShort("k"),
        help: ArgumentHelp("Of all these images so many, evenly through their order.", valueName: "count"))
    var count: Int?

    func validate() throws {
        if let count, count < 1 { throw ValidationError(QueryError.wrongCount(count).description) }
    }

    /// Whether a command about these names is about one image, whatever is in its store and its folders.
    func isOne(_ names: [String]) -> Bool {
        names.count == 1 && condition == nil && !names.contains(where: ChosenImages.isFolder)
    }

    /// - Parameter names: paths or ids of the store, other files, or folders; of none all images of the store.
    /// - Throws: `Failure` where none is left.
    func images(_ names: [String], in store: Store, files: ImageFiles) throws -> ChosenImages {
        var chosen = ChosenImages(names: try ChosenImages.expanded(names, in: store))
        chosen.isListed = condition == nil && chosen.names.count == names.count && count == nil
        if let condition { try chosen.keep(try store.imageIDs(where: condition), of: store, files, isNamed: !names.isEmpty) }
        guard !chosen.names.isEmpty else {
            let empty = try condition.flatMap { try store.emptySelection(where: $0) }
            throw Failure("no image is left to explain" + (empty.map { ": \($0)" } ?? ""))
        }
        chosen.available = chosen.names.count
        if let count { chosen.names = chosen.names.spread(over: count) }
        return chosen
    }
}

/// Images that a user named, chose by a condition, or has in folders.
struct ChosenImages {
    /// Paths or ids of the store, or other files.
    var names: [String]
    /// Whether the user named each: one that cannot be read is an error then, else it is passed over and said.
    var isListed = false
    /// How many there were, of which some were taken.
    var available = 0
    /// Named, but not in the store, which alone knows whether they meet the condition.
    private var strangers: [String] = []

    init(names: [String]) { self.names = names }

    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// Names with the images that are in a folder or an archive instead of the folder or the archive.
    /// - Throws: `DatasetError` for one without images.
    static func expanded(_ names: [String], in store: Store?) throws -> [String] {
        try names.flatMap { name -> [String] in
            guard isFolder(name) || Dataset.isArchive(name), (try? store?.image(named: name)) == nil else { return [name] }
            let dataset = try Dataset(paths: [name])
            for note in [dataset.unpacking, dataset.refusal].compactMap({ $0 }) { printNote(note) }
            return dataset.items.map(\.file)
        }
    }

    /// - Parameter isNamed: whether those that were named are chosen from, instead of all of the store.
    fileprivate mutating func keep(_ ids: [Int], of store: Store, _ files: ImageFiles, isNamed: Bool) throws {
        let kept = Set(ids)
        guard isNamed else {
            names = try store.images().filter { kept.contains($0.id) }.map(\.path)
            return
        }
        var known: [String] = []
        for name in names {
            guard let image = try? files.image(named: name, in: store) else {
                strangers.append(name)
                continue
            }
            if kept.contains(image.id) { known.append(name) }
        }
        names = known
    }

    /// What was left out before anything was explained, a sentence each.
    var notes: [String] {
        var notes: [String] = []
        if names.count < available {
            notes.append("\(names.count) of \(available) images, evenly through their order; -k \(available) takes all")
        }
        if let first = strangers.first {
            notes.append(
                "\(strangers.count) of the named images \(strangers.count == 1 ? "is" : "are") not in the store, so no condition is known of \(strangers.count == 1 ? "it" : "them") and \(strangers.count == 1 ? "it is" : "they are") not explained, such as \(first)"
            )
        }
        return notes
    }
}

extension Array {
    /// So many elements, in their order and at even distances: the middle of each of `count` equal parts.
    func spread(over count: Int) -> [Element] {
        guard count < self.count else { return self }
        return (0..<count).map { self[(2 * $0 + 1) * self.count / (2 * count)] }
    }
}
