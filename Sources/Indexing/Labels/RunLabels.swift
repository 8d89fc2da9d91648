public import ActivationStore
public import Foundation

/// The labels of the images that a run is given: by what the user says, else by what the store goes by, else by folders.
public struct RunLabels: Sendable {
    /// The images with their labels.
    public let dataset: Dataset
    public let source: LabelSource
    /// Whether the user said the source, so that it is also for images that are in the store already.
    public let isSaid: Bool
    /// What the user should know, a sentence each.
    public let notes: [String]

    /// - Parameters:
    ///   - said: as users write a source; nil for none.
    ///   - kept: what the store goes by; nil for none.
    ///   - folder: that relative paths of images start from: absolute.
    /// - Throws: `DatasetError` for a file that the user names, and that cannot be read or does not fit.
    public init(
        _ dataset: Dataset, said: String?, kept: String?, in folder: String = FileManager.default.currentDirectoryPath
    ) throws {
        isSaid = said != nil
        source = LabelSource(said ?? kept ?? "folders")
        do {
            let (labelled, report) = try dataset.labelled(by: source, in: folder)
            self.dataset = labelled
            notes = (isSaid ? report : report?.ofSomeImages())?.sentences ?? (source == .folders ? dataset.folderNotes : [])
        } catch let error as DatasetError where !isSaid {
            self.dataset = dataset.with(dataset.items.map { $0.labelled(LabelEdit()) })
            notes = [
                "images that are new get no label, as labels of this store come from a file: \(error); --labels says where they come from now"
            ]
        }
    }

    /// What the source says of images that are in the store.
    public func edits(known: KnownFiles) -> [Int: LabelEdit] {
        guard isSaid else { return [:] }
        var edits: [Int: LabelEdit] = [:]
        for item in dataset.items {
            if let image = known.image(of: item)?.image { edits[image.id] = item.said }
        }
        return edits
    }
}
