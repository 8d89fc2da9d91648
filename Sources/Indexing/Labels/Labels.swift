import ActivationStore
public import Foundation
import Support

/// Where the labels of images come from.
public enum LabelSource: Equatable, Sendable {
    /// From the folders they stand in.
    case folders
    case none
    /// A table (`.csv` or `.tsv`, or any text whose first line has such columns: `file` or `path`, `label`, perhaps `split`), or a
    /// text with one label a line in the order of the images.
    case file(String)

    /// As users write it, and as a store keeps it.
    public init(_ text: String) {
        switch text {
        case "folders": self = .folders
        case "none": self = .none
        default: self = .file(text)
        }
    }

    /// What a store keeps of it: for a file its full path, so that another folder to work in does not matter.
    public var kept: String {
        switch self {
        case .folders: "folders"
        case .none: "none"
        case .file(let path): FilePlace.full(path)
        }
    }
}

extension Dataset {
    /// The same images with labels, and splits where a table has them, from `source`; and how a table fits them, if it is one.
    ///
    /// A row of a table is of the images whose path ends in its file's name; where several rows are, the longest name counts, and the
    /// first of equal ones. Images that the table does not name have no label.
    /// - Parameter folder: that relative paths of images start from: absolute.
    /// - Throws: `DatasetError` where the file cannot be read or does not fit the images.
    public func labelled(
        by source: LabelSource, in folder: String = FileManager.default.currentDirectoryPath
    ) throws -> (dataset: Dataset, report: LabelReport?) {
        switch source {
        case .folders: return (self, nil)
        case .none:
            return (with(items.map { $0.labelled(LabelEdit(label: .set(nil), split: .kept)) }), nil)
        case .file(let path):
            let text: String
            do {
                text = try TextFile.read(path)
                guard let table = try LabelTable(text, path: path) else { return (try labelled(byLines: text, path), nil) }
                let (edits, report) = try table.edits(of: items.map(\.path), in: folder)
                return (with(zip(items, edits).map { $0.labelled($1) }), report)
            } catch let error as UnreadableText {
                throw DatasetError.unreadableLabels(path: path, reason: error.reason)
            }
        }
    }

    private func labelled(byLines text: String, _ path: String) throws -> Dataset {
        let labels = TextFile.lines(text)
        if let first = labels.first, let space = first.lastIndex(where: \.isWhitespace), isNamed(String(first[..<space])) {
            throw DatasetError.labelPairs(path: path, line: first)
        }
        guard labels.count == items.count else {
            throw DatasetError.labelCount(path: path, labels: labels.count, images: items.count)
        }
        return with(
            zip(items, labels).map { item, label in
                item.labelled(LabelEdit(label: .set(label.isEmpty ? nil : label), split: .kept))
            })
    }
}

extension Dataset {
    /// Whether an image has the name that a path ends in.
    private func isNamed(_ path: String) -> Bool {
        guard let name = path.split(separator: "/").last else { return false }
        return items.contains { $0.path.split(separator: "/").last == name }
    }
}

extension Dataset.Item {
    /// With what a source of labels says: of what it says nothing, a new image has no label, and the split of its folders.
    func labelled(_ said: LabelEdit) -> Dataset.Item {
        var item = self
        item.said = said
        item.label = said.label.value(orElse: nil)
        item.split = said.split.value(orElse: split)
        return item
    }
}
