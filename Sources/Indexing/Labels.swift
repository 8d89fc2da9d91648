import Foundation
import SwiftCSV

/// Where the labels of images come from.
public enum LabelSource: Equatable, Sendable {
    /// From the folders they stand in.
    case folders
    case none
    /// A table (`.csv`: columns `file` or `path`, `label`, perhaps `split`), or a text with one label a line in the order of
    /// the images.
    case file(String)
}

extension Dataset {
    /// The same images with labels, and splits where a table has them, from `source`.
    ///
    /// A table's file names fit an image whose path ends in them. Images that the table does not name have no label.
    /// - Throws: `DatasetError` where the file cannot be read or does not fit the images.
    public func labelled(by source: LabelSource) throws -> Dataset {
        switch source {
        case .folders: return self
        case .none: return Dataset(items: items.map { Item(path: $0.path, split: $0.split) })
        case .file(let path):
            let text = try Self.text(path)
            return try path.lowercased().hasSuffix(".csv") ? labelled(byTable: text, path) : labelled(byLines: text, path)
        }
    }

    private func labelled(byLines text: String, _ path: String) throws -> Dataset {
        let labels = Self.lines(text)
        guard labels.count == items.count else {
            throw DatasetError.labelCount(path: path, labels: labels.count, images: items.count)
        }
        return Dataset(items: zip(items, labels).map { Item(path: $0.path, label: $1, split: $0.split) })
    }

    private func labelled(byTable text: String, _ path: String) throws -> Dataset {
        let table: CSV<Named>
        do {
            table = try CSV<Named>(string: text)
        } catch {
            throw DatasetError.unreadableLabels(path: path, reason: "it is no table of comma-separated values: \(error)")
        }
        let columns = Dictionary(table.header.map { ($0.lowercased().trimmingCharacters(in: .whitespaces), $0) }) { first, _ in
            first
        }
        let fileColumn = ["file", "path", "filename", "image"].lazy.compactMap { columns[$0] }.first
        let labelColumn = ["label", "class", "category"].lazy.compactMap { columns[$0] }.first
        guard let fileColumn, let labelColumn else { throw DatasetError.labelColumns(path: path, found: table.header) }
        let splitColumn = columns["split"]
        // By the last component, as a table may name files from another root than the user did.
        var rows: [Substring: [(file: String, label: String?, split: String?)]] = [:]
        for row in table.rows {
            guard let file = row[fileColumn], let name = file.split(separator: "/").last else { continue }
            let label = row[labelColumn].flatMap { $0.isEmpty ? nil : $0 }
            rows[name, default: []].append((file, label, splitColumn.flatMap { row[$0] }.flatMap { $0.isEmpty ? nil : $0 }))
        }
        var matched = false
        let result = items.map { item in
            let candidates = item.path.split(separator: "/").last.flatMap { rows[$0] } ?? []
            guard let row = candidates.first(where: { item.path == $0.file || item.path.hasSuffix("/" + $0.file) }) else {
                return Item(path: item.path, split: item.split)
            }
            matched = true
            return Item(path: item.path, label: row.label, split: row.split ?? item.split)
        }
        guard matched else { throw DatasetError.noLabelMatches(path: path, example: table.rows.first?[fileColumn] ?? "nothing") }
        return Dataset(items: result)
    }

    static func text(_ path: String) throws -> String {
        do {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw DatasetError.unreadableLabels(path: path, reason: "it is not UTF-8 text")
            }
            return text
        } catch let error as DatasetError {
            throw error
        } catch {
            throw DatasetError.unreadableLabels(path: path, reason: "there is no such file, or it cannot be read")
        }
    }

    /// Lines without their ends; empty ones at the end are none.
    static func lines(_ text: String) -> [String] {
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}

/// The names of a network's outputs, from a file with one line for each: `tench, Tinca tinca`, or with ImageNet's synset
/// before it, `n01440764 tench, Tinca tinca`, which is dropped.
public enum ClassNames {
    /// - Throws: `DatasetError` where the file cannot be read or has not `count` lines.
    public static func read(_ path: String, count: Int) throws -> [String] {
        let names = Dataset.lines(try Dataset.text(path)).map { line in
            guard let space = line.firstIndex(of: " "), line.first == "n", line[..<space].dropFirst().allSatisfy(\.isNumber),
                line[..<space].count == 9
            else { return line }
            return String(line[line.index(after: space)...])
        }
        guard names.count == count else { throw DatasetError.classCount(path: path, names: names.count, classes: count) }
        return names
    }
}
