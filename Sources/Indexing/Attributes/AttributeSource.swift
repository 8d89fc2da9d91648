public import ActivationStore
import Foundation

/// An attribute of files that are known by name, before it is known which images they are.
public struct AttributeDraft {
    public var name: String
    public var kind: Attribute.Kind
    /// By the number of the name; NaN where it is not known.
    public var values: [Double]
}

/// A file that says something of images by their names.
public protocol AttributeSource {
    var path: String { get }
    /// Names of files, each once, with where they come first.
    var names: [(file: String, line: Int)] { get }
    var attributes: [AttributeDraft] { get }
    /// What of the file was not taken, a sentence each.
    var notes: [String] { get }
}

/// What a source gives a store's images.
public struct AttributeImport {
    public let attributes: [Attribute]
    /// What a user should know, a sentence each.
    public let notes: [String]
    /// Images that the source names.
    public let images: Int

    /// Names are those of files as tables of labels have them: a name is of the images whose path ends in it, the longest
    /// counting.
    ///
    /// - Parameters:
    ///   - images: ids and paths of the store's.
    ///   - folder: that relative paths start from: absolute.
    /// - Throws: ``DatasetError/noLabelMatches(path:example:)`` where it names none of the images.
    public init(_ source: some AttributeSource, images: [(id: Int, path: String)], in folder: String) throws {
        let (places, report) = try LabelTable(names: source.names, path: source.path).places(of: images.map(\.path), in: folder)
        let lanes = (images.map(\.id).max() ?? -1) + 1
        attributes = source.attributes.map { draft in
            var values = [Double](repeating: .nan, count: lanes)
            for (image, place) in zip(images, places) {
                if let place { values[image.id] = draft.values[place] }
            }
            return Attribute(name: draft.name, kind: draft.kind, values: values)
        }
        self.images = places.count { $0 != nil }
        notes = source.notes + report.sentences
    }
}
