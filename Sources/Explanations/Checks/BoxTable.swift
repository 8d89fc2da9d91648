import Foundation
public import Images
import Indexing
import Support

/// Where things are in pictures, as a table of boxes (`.csv`) says.
///
/// ```
/// file,split,label,x0,y0,x1,y1
/// test/cat/cat-31.jpg,test,cat,19,15,80,64
/// ```
///
/// `file` is relative to the table's folder; `split` and `label` may be missing. x0, y0 and x1, y1 are the left, upper, right and lower
/// edges in pixels of the upright file, counted from its upper left corner, x1 and y1 outside: the box above covers columns 19 to 79
/// and rows 15 to 63. A file of several rows has several boxes; a row whose four cells are empty has none. A prefix `tag` takes the
/// columns `tag_x0` to `tag_y1` instead.
public struct BoxTable: Sendable {
    public struct Row: Equatable, Sendable {
        /// As the table has it.
        public var file: String
        public var split: String?
        public var label: String?
        /// In pixels of the upright file; nil where the row has none.
        public var box: Rectangle?
        /// Of the table, from 1, its header being the first.
        public var line: Int
    }

    public let path: String
    /// In the table's order.
    public let rows: [Row]
    /// By the full path of the file.
    private let indices: [ExactString: [Int]]

    /// - Parameter prefix: of the columns' names, without the underscore; empty for `x0` to `y1`.
    /// - Throws: `BoxTableError`.
    public init(contentsOf path: String, prefix: String = "") throws {
        let table: Table
        do {
            table = try Table(contentsOf: path)
        } catch {
            throw BoxTableError.unreadable(path: path, reason: error.reason)
        }
        let columns = try Columns(table.header, prefix: prefix, path: path)
        var (rows, indices): ([Row], [ExactString: [Int]]) = ([], [:])
        for cells in table.rows {
            let row = try columns.row(cells.cells, line: cells.line, path: path)
            indices[Self.full(Self.folder(of: path) + "/" + row.file), default: []].append(rows.count)
            rows.append(row)
        }
        (self.path, self.rows, self.indices) = (path, rows, indices)
    }

    /// The full path of a row's file.
    public func file(of row: Row) -> String { Self.folder(of: path) + "/" + row.file }

    /// The rows of a file; of none, an empty list.
    public func rows(of file: String) -> [Row] { (indices[Self.full(file)] ?? []).map { rows[$0] } }

    /// An image's boxes in the network's input frame, clipped to it; those that the frame does not show are left out.
    ///
    /// - Parameter label: only the boxes of this label; nil for all.
    /// - Throws: `BoxTableError.noRow` for an image that the table does not name.
    public func boxes(of subject: InputImage, label: String? = nil) throws -> [Rectangle] {
        let rows = rows(of: subject.file)
        guard !rows.isEmpty else {
            throw BoxTableError.noRow(path: path, image: subject.name, example: self.rows.first?.file)
        }
        let placement = subject.framed.placement
        return rows.filter { label == nil || $0.label == label }.compactMap(\.box).map {
            placement.inputRectangle(ofSource: $0.clipped(to: placement.source)).clipped(to: placement.crop)
        }.filter { $0.width > 0 && $0.height > 0 }
    }

    private static func folder(of path: String) -> String {
        let folder = RealPaths.folder(of: path)
        return folder.isEmpty ? "." : folder
    }

    private static func full(_ path: String) -> ExactString { RealPaths().real(path) }
}

/// Which columns of a table are what.
private struct Columns {
    private let file: Int
    private let split: Int?
    private let label: Int?
    private let edges: [(name: String, index: Int)]

    init(_ header: [String], prefix: String, path: String) throws {
        let names = header.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        let wanted = ["x0", "y0", "x1", "y1"].map { prefix.isEmpty ? $0 : prefix.lowercased() + "_" + $0 }
        let missing = (["file"] + wanted).filter { !names.contains($0) }
        guard missing.isEmpty, let file = names.firstIndex(of: "file") else {
            throw BoxTableError.columns(path: path, missing: missing, found: header)
        }
        self.file = file
        split = names.firstIndex(of: "split")
        label = names.firstIndex(of: "label")
        edges = wanted.compactMap { name in names.firstIndex(of: name).map { (name, $0) } }
    }

    func row(_ cells: [String], line: Int, path: String) throws -> BoxTable.Row {
        func cell(_ index: Int) -> String? {
            guard cells.indices.contains(index) else { return nil }
            let text = cells[index].trimmingCharacters(in: .whitespaces)
            return text.isEmpty ? nil : text
        }
        func fail(_ column: String, _ expected: String) -> BoxTableError {
            let index = column == "file" ? file : edges.first { $0.name == column }?.index
            return .cell(path: path, line: line, column: column, value: index.flatMap(cell) ?? "", expected: expected)
        }
        guard let name = cell(file) else { throw fail("file", "the name of a file") }
        var row = BoxTable.Row(file: name, split: split.flatMap(cell), label: label.flatMap(cell), line: line)
        guard edges.contains(where: { cell($0.index) != nil }) else { return row }
        let numbers = try edges.map { edge in
            guard let number = cell(edge.index).flatMap(Double.init), number.isFinite else {
                throw fail(edge.name, "a number of pixels")
            }
            return number
        }
        for axis in 0..<2 where numbers[axis + 2] <= numbers[axis] {
            throw fail(edges[axis + 2].name, "a number above \(edges[axis].name), which is \(cells[edges[axis].index])")
        }
        row.box = Rectangle(
            x: numbers[0], y: numbers[1], width: numbers[2] - numbers[0], height: numbers[3] - numbers[1])
        return row
    }
}

/// What can be wrong with a table of boxes: the facts; `description` makes the sentences.
public enum BoxTableError: Error, Equatable, Sendable {
    case unreadable(path: String, reason: String)
    case columns(path: String, missing: [String], found: [String])
    case cell(path: String, line: Int, column: String, value: String, expected: String)
    case noRow(path: String, image: String, example: String?)
}

extension BoxTableError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read the boxes in '\(path)': \(reason)"
        case .columns(let path, let missing, let found):
            "'\(path)' has no column \(missing.joined(separator: ", ")); a table of boxes has file, x0, y0, x1, y1, and this one \(found.joined(separator: ", "))"
        case .cell(let path, let line, let column, let value, let expected):
            "'\(path)', line \(line), column \(column): expected \(expected), found \(value.isEmpty ? "nothing" : "'\(value)'")"
        case .noRow(let path, let image, let example):
            "'\(path)' has no row for '\(image)'; its files are relative to its own folder"
                + (example.map { ", such as '\($0)'" } ?? ", and it has no rows at all")
        }
    }
}
