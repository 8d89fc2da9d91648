import ActivationStore
import Foundation
import Images
import Support

/// Pictures in archives, by paths that go on in them: `shards/0001.tar/cat/7.jpg`.
extension Dataset {
    /// The pictures of an archive; what is refused is added to `refused`.
    ///
    /// The label is what WebDataset has beside the picture (`7.cls`, or `label` in `7.json`), else the folder that it stands in; the archive is one of
    /// its name without the ending.
    /// - Parameter root: the folder that the user named, or that the archive stands in.
    mutating func archived(_ path: String, root: String) -> [Item] {
        let archive: Archive
        do {
            archive = try ArchivedFile.contents(of: path)
        } catch {
            refused.append(SkippedRecord(path: path, reason: error.reason))
            return []
        }
        if let bytes = archive.unpackedBytes { unpacked.append(Unpacked(path: path, bytes: bytes)) }
        let facts = FileFacts(path)
        for refusal in archive.refusals {
            let name = refusal.name.isEmpty ? path : path + "/" + refusal.name
            refused.append(
                SkippedRecord(path: name, reason: refusal.reason, bytes: facts?.bytes, modified: facts?.modified))
        }
        let around =
            root == "."
            ? RealPaths.split(path).folder : String(Substring(RealPaths.split(path).folder.utf8.dropFirst(root.utf8.count)))
        let outer = around == "." ? "" : around.split(separator: "/").map { $0 + "/" }.joined()
        let (labels, own) = (ShardLabels(archive, path: path), RealPaths.split(path).name + "/")
        return archive.entries.filter { Self.hasPictureName($0.name) }.map { entry in
            let (label, split) = FolderLabels.labelAndSplit(of: outer + own + entry.name, in: root)
            var item = Item(path: path + "/" + entry.name, label: labels.label(of: entry.name) ?? label, split: split)
            item.isClassNumber = labels.isNumber(entry.name)
            return item
        }
    }

    /// Whether a file that is there is called as archives are.
    public static func isArchive(_ path: String) -> Bool {
        Archive.isNamed(path) && FileKind(PathText.typed(path))?.type == .file
    }

    /// Where compressed archives were unpacked to, in a sentence; nil where there is none.
    public var unpacking: String? {
        guard let first = unpacked.first else { return nil }
        let megabytes = (unpacked.reduce(0) { $0 + $1.bytes } + 500_000) / 1_000_000
        return
            "\(first.path)\(unpacked.count > 1 ? " and \(unpacked.count - 1) more" : "") \(unpacked.count > 1 ? "are" : "is") compressed as a whole, and unpacked to \(megabytes) MB in \(Archive.folder) until the command ends; a plain .tar saves that"
    }

    /// What in archives is not read, in a sentence; nil where all is.
    public var refusal: String? {
        refused.first.map { first in
            "\(refused.count) \(refused.count == 1 ? "file" : "files") in archives \(refused.count == 1 ? "is" : "are") left out, such as \(first.path), which \(first.reason)"
        }
    }

    /// With the names of classes in place of the numbers that WebDataset has.
    public func named(_ classes: [String]) -> Dataset {
        with(
            items.map { item in
                guard item.isClassNumber, let number = item.label.flatMap({ Int($0) }), classes.indices.contains(number) else {
                    return item
                }
                var item = item
                item.label = classes[number]
                item.said = LabelEdit(label: .set(item.label), split: .set(item.split))
                return item
            })
    }
}

/// The labels that a WebDataset shard has beside its pictures, by the name up to its first point.
private struct ShardLabels {
    private var labels: [ExactString: (text: String, isNumber: Bool)] = [:]
    /// No label is longer.
    private static let longest = 1 << 16

    init(_ archive: Archive, path: String) {
        for entry in archive.entries where entry.bytes <= Self.longest {
            let (stem, ending) = Self.parts(entry.name)
            guard ending == "cls" || ending == "json", let file = ArchivedFile(path + "/" + entry.name),
                let bytes = file.contents()
            else { continue }
            if ending == "cls" {
                let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
                if !text.isEmpty { labels[ExactString(stem)] = (text, Int(text) != nil) }
            } else if labels[ExactString(stem)] == nil, let said = try? JSONDecoder().decode(Said.self, from: Data(bytes)) {
                if let text = said.text { labels[ExactString(stem)] = (text, false) }
                if let number = said.number { labels[ExactString(stem)] = ("\(number)", true) }
            }
        }
    }

    func label(of name: String) -> String? { labels[ExactString(Self.parts(name).stem)]?.text }

    func isNumber(_ name: String) -> Bool { labels[ExactString(Self.parts(name).stem)]?.isNumber ?? false }

    /// The name up to the first point after its folders, and what comes after that.
    private static func parts(_ name: String) -> (stem: String, ending: String) {
        let start = name.utf8.lastIndex(of: UInt8(ascii: "/")).map { name.utf8.index(after: $0) } ?? name.startIndex
        guard let point = name.utf8[start...].firstIndex(of: UInt8(ascii: ".")) else { return (name, "") }
        return (String(name[..<point]), name[name.utf8.index(after: point)...].lowercased())
    }

    /// What the JSON beside a picture says of its class.
    private struct Said: Decodable {
        var text: String?
        var number: Int?

        private enum Keys: String, CodingKey { case label }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Keys.self)
            number = try? values.decode(Int.self, forKey: .label)
            text = number == nil ? try? values.decode(String.self, forKey: .label) : nil
        }
    }
}
