import ActivationStore
public import Foundation
import Support

/// What a user knows of images beside their labels: a table (`.csv`, `.tsv`) with a column of files and others, such as camera, site or age.
///
/// Rows are found as those of a table of labels are: a row is of the images whose path ends in its file's name; where several rows
/// are, the longest name counts, and the first of equal ones.
public struct ImageTable {
    public let path: String
    /// Names of its columns without that of files, in order.
    public let columns: [String]

    private let table: Table
    private let file: Int

    /// - Throws: ``DatasetError`` for a file that cannot be read, and for a table that names no files or says nothing of them.
    public init(contentsOf path: String) throws {
        do {
            table = try Table(contentsOf: path)
        } catch {
            throw DatasetError.unreadableTable(path: path, reason: error.reason)
        }
        guard let file = table.fileColumn, table.header.count > 1 else {
            throw DatasetError.fileColumn(path: path, found: table.header)
        }
        (self.path, self.file) = (path, file)
        columns = table.header.enumerated().filter { $0.offset != file }.map { Self.name($0.element) }
    }

    /// What a column says of each image, nil where it says nothing; and how the table fits the images. Nil where it has no such column.
    /// - Parameters:
    ///   - images: paths.
    ///   - folder: that relative paths start from: absolute.
    /// - Throws: ``DatasetError/noLabelMatches(path:example:)`` where the table names none of the images.
    public func values(
        of column: String, for images: [String], in folder: String = FileManager.default.currentDirectoryPath
    ) throws -> (values: [String?], report: LabelReport)? {
        guard let index = table.header.indices.first(where: { $0 != file && Self.name(table.header[$0]) == column }) else {
            return nil
        }
        let (edits, report) = try LabelTable(table, file: file, label: index, path: path).edits(of: images, in: folder)
        return (edits.map { $0.label.value(orElse: nil) }, report)
    }

    private static func name(_ header: String) -> String { header.trimmingCharacters(in: .whitespaces) }
}
