import ActivationStore
import Foundation
import Support

/// What a table says of images: in wide form a column for each attribute, or in long form a row for each image and
/// attribute.
///
/// A column with 0 and 1 (or yes and no, true and false, 1 and -1) is a binary attribute, one with other numbers a numeric
/// one. Empty cells and words such as `n/a` are unknown. In long form the columns are of files, `attribute` and perhaps
/// `value`; without values, or where an attribute has no other than 1, the other images that the table names do not have it.
public struct AttributeTable: AttributeSource {
    public let path: String
    public private(set) var names: [(file: String, line: Int)] = []
    public private(set) var notes: [String] = []
    private var columns: [AttributeColumn] = []
    private var isLong = false

    /// - Throws: ``DatasetError``.
    public init(contentsOf path: String) throws {
        self.path = path
        do {
            var text = try TextFile.read(path)
            // Millions of rows are read as places in the text's bytes.
            try text.withUTF8 { try read(CellReader($0)) }
        } catch let error as UnreadableText {
            throw DatasetError.unreadableTable(path: path, reason: error.reason)
        }
        try judge()
    }

    private mutating func read(_ cells: CellReader) throws {
        var (reader, row) = (cells, [Range<Int>]())
        guard try reader.next(&row) else { throw UnreadableText(reason: "it is empty") }
        let header = row.map { reader.text($0) }
        func column(_ names: String...) -> Int? {
            let found = header.map { $0.lowercased() }
            return names.lazy.compactMap { found.firstIndex(of: $0) }.first
        }
        guard let file = Table.fileColumn(of: header), header.count > 1 else {
            throw DatasetError.fileColumn(path: path, found: header)
        }
        let value = column("value")
        if let attribute = column("attribute", "concept", "attribute_name"), header.count == (value == nil ? 2 : 3) {
            isLong = true
            try readLong(&reader, file: file, attribute: attribute, value: value)
        } else {
            try readWide(&reader, header, file: file)
        }
    }

    private mutating func readWide(_ reader: inout CellReader, _ header: [String], file: Int) throws {
        var (row, files) = ([Range<Int>](), NameNumbers())
        var all = header.map { AttributeColumn(name: $0) }
        while try reader.next(&row) {
            guard row.indices.contains(file), !row[file].isEmpty else { continue }
            let number = files.number(of: row[file], in: reader) { names.append((reader.text(row[file]), reader.line)) }
            for (index, cell) in row.enumerated() where index != file && index < all.count {
                all[index].add(
                    AttributeCell(UnsafeBufferPointer(rebasing: reader.bytes[cell])), file: number, line: reader.line
                ) { reader.text(cell) }
            }
        }
        columns = all.enumerated().filter { $0.offset != file && !$0.element.name.isEmpty }.map(\.element)
    }

    private mutating func readLong(_ reader: inout CellReader, file: Int, attribute: Int, value: Int?) throws {
        var row: [Range<Int>] = []
        var (files, attributes) = (NameNumbers(), NameNumbers())
        while try reader.next(&row) {
            guard row.indices.contains(file), !row[file].isEmpty else { continue }
            let number = files.number(of: row[file], in: reader) { names.append((reader.text(row[file]), reader.line)) }
            guard row.indices.contains(attribute), !row[attribute].isEmpty else { continue }
            let column = attributes.number(of: row[attribute], in: reader) {
                columns.append(AttributeColumn(name: reader.text(row[attribute])))
            }
            let cell = value.flatMap { row.indices.contains($0) ? row[$0] : nil }
            let said = cell.map { AttributeCell(UnsafeBufferPointer(rebasing: reader.bytes[$0])) } ?? .number(1)
            columns[column].add(said, file: number, line: reader.line) { cell.map { reader.text($0) } ?? "" }
        }
    }

    /// Leaves out what is no attribute, and says so.
    private mutating func judge() throws {
        let refused = columns.compactMap { column in column.objection.map { (column.name, $0) } }
        columns = columns.filter { $0.objection == nil }
        if let (name, reason) = refused.first {
            guard !columns.isEmpty else { throw DatasetError.noAttributes(path: path, reason: "of \(name), \(reason)") }
            notes.append(
                "\(refused.count) \(refused.count == 1 ? "column is" : "columns are") no attribute, such as \(name): \(reason)")
        }
        guard !columns.isEmpty, !names.isEmpty else {
            throw DatasetError.noAttributes(path: path, reason: "it has no row of any")
        }
        if let column = columns.first(where: \.hasMinus) {
            let count = columns.count { $0.hasMinus }
            let which = count == 1 ? "attribute has" : "attributes have"
            notes.append("\(count) \(which) 1 and -1, such as \(column.name): -1 is taken for no")
        }
        let contradictions = columns.reduce(0) { $0 + $1.contradictions }
        if let column = columns.first(where: { $0.contradiction != nil }), let (file, line) = column.contradiction {
            notes.append(
                "\(contradictions) values are not taken, as an earlier row says otherwise, such as \(column.name) of '\(names[file].file)' in line \(line)"
            )
        }
    }

    public var attributes: [AttributeDraft] {
        columns.map { column in
            AttributeDraft(
                name: column.name, kind: column.isOfTwo ? .binary : .number,
                values: names.indices.map { column.value(file: $0, absent: isLong && column.isOnlyPositive ? 0 : .nan) })
        }
    }
}

/// Numbers of texts, in the order in which they come first.
private struct NameNumbers {
    private var numbers: [String: Int] = [:]
    /// Rows of one image often follow each other.
    private var last: (cell: Range<Int>, number: Int)?

    /// - Parameter isNew: called for a text that was not there before.
    mutating func number(of cell: Range<Int>, in reader: CellReader, isNew: () -> Void) -> Int {
        if let last, reader.isSame(cell, last.cell) { return last.number }
        let name = String(decoding: UnsafeBufferPointer(rebasing: reader.bytes[cell]), as: UTF8.self)
        let number: Int
        if let known = numbers[name] {
            number = known
        } else {
            number = numbers.count
            numbers[name] = number
            isNew()
        }
        last = (cell, number)
        return number
    }
}
