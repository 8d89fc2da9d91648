public import ActivationStore
import Foundation
import Support

/// What a run over a dataset does to a store.
public struct IndexPlan {
    /// To be run. Their paths are those of the store.
    public private(set) var items: [Dataset.Item] = []
    /// Ids of the images that items stand for from now on, by path: their files have changed.
    private(set) var replaced: [ExactString: Int] = [:]
    /// Whether an item stands for an image of before.
    public func replaces(_ item: Dataset.Item) -> Bool { replaced[ExactString(item.path)] != nil }

    public private(set) var renamings: [Renaming] = []
    /// Images that the store has.
    public private(set) var known = 0
    /// Files of earlier runs that could not be decoded, and have not changed since.
    public private(set) var skipped: [SkippedRecord] = []
    /// Of these, what archives hold that is not read, where the store does not know it.
    private(set) var refused: [SkippedRecord] = []
    /// Files that are in the store by two paths.
    public let twice: Repetition?

    /// A file that the store knows by another path.
    public struct Renaming {
        public var id: Int
        public var from: String
        public var to: String
        var label: String?
        var split: String?
        var modified: Int
    }

    /// A file is the image of its real path, whatever path it was found by. One whose size and time are those that the store remembers is
    /// taken to be unchanged; another is read, and compared by its hash. A file that the store knows by a path that is no more is renamed.
    public init(_ dataset: Dataset, known files: KnownFiles) {
        twice = files.twice
        for item in dataset.items {
            var item = item
            item.path = files.places.kept(item.path)
            let facts = FileFacts(item.file)
            if let (path, image) = files.image(of: item) {
                add(
                    item, as: path, image, facts,
                    isMoved: files.moved.contains(path) && files.images[ExactString(item.path)] == nil)
            } else if let record = files.skipped(item), let facts, facts.bytes == record.bytes, facts.modified == record.modified
            {
                skipped.append(record)
            } else {
                items.append(item)
            }
        }
        let paths = Set(dataset.items.map { ExactString($0.path) })
        for record in dataset.refused {
            var record = record
            record.path = files.places.kept(record.path)
            skipped.append(record)
            // What is there twice has the path of the one that is read.
            if files.skipped(record) != record, !paths.contains(ExactString(record.path)) { refused.append(record) }
        }
        leaveOutRenamed(files)
    }

    /// Adds a file of an image that the store has.
    private mutating func add(
        _ item: Dataset.Item, as path: ExactString, _ image: KnownImage, _ facts: FileFacts?, isMoved: Bool
    ) {
        if let facts, facts.bytes != image.bytes || facts.modified != image.modified,
            FileFacts.sha256(item.file) != image.sha256
        {
            // Its label is the image's, as corrected since perhaps, and not its content's.
            var item = item
            (item.path, item.label, item.split) = (path.text, image.label, image.split)
            items.append(item)
            replaced[path] = image.id
            return
        }
        known += 1
        if isMoved, let facts { rename(image, from: path.text, item, facts, said: LabelEdit()) }
    }

    /// Leaves out the files that the store knows under a path that is no more.
    private mutating func leaveOutRenamed(_ files: KnownFiles) {
        guard !files.gone.isEmpty else { return }
        let missing = files.images.filter { files.gone.contains($0.key) && replaced[$0.key] == nil }
        var gone = Dictionary(grouping: missing) { $0.value.bytes }
        for size in gone.keys { gone[size]?.sort { $0.value.id < $1.value.id } }
        items = items.filter { item in
            // Only a file of a size that is missed is worth reading.
            guard replaced[ExactString(item.path)] == nil, let facts = FileFacts(item.file), let missed = gone[facts.bytes],
                !missed.isEmpty, let hash = FileFacts.sha256(item.file),
                let place = missed.firstIndex(where: { $0.value.sha256 == hash })
            else { return true }
            gone[facts.bytes]?.remove(at: place)
            let (old, image) = missed[place]
            let isInPlace =
                ExactString(RealPaths.split(old.text).folder) == ExactString(RealPaths.split(item.path).folder)
            rename(image, from: old.text, item, facts, said: isInPlace ? LabelEdit() : item.said)
            return false
        }
    }

    /// - Parameter said: of its label and split; the rest stays as it is.
    private mutating func rename(
        _ image: KnownImage, from: String, _ item: Dataset.Item, _ facts: FileFacts, said: LabelEdit
    ) {
        renamings.append(
            Renaming(
                id: image.id, from: from, to: item.path, label: said.label.value(orElse: image.label),
                split: said.split.value(orElse: image.split), modified: facts.modified))
    }
}
