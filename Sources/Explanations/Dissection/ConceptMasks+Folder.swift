import Foundation
import Images
import Indexing
import Support

extension ConceptMasks.Draft {
    /// A folder of PNG files, each a mask of the image of its name (`MASKS/cats/1.png` of `…/cats/1.jpg`), and a table of
    /// colours.
    ///
    /// - Parameter colors: the table; nil for `colors.csv` in the folder.
    /// - Throws: `MaskError`.
    init(folder: String, colors table: String?) throws {
        let table = table ?? folder + "/colors.csv"
        guard FileManager.default.fileExists(atPath: table) else { throw MaskError.noColors(folder: folder, path: table) }
        let colors = try MaskColors(contentsOf: table)
        let files = ImageFiles.files(below: folder).map { String($0.path.dropFirst(folder.count)) }.map {
            String($0.drop { $0 == "/" })
        }.sorted()
        let pictures = files.filter { ($0 as NSString).pathExtension.lowercased() == "png" }
        guard !pictures.isEmpty else { throw MaskError.noPictures(folder: folder) }
        var (names, sources, sizes, digests): ([String], [ConceptMasks.Source], [Size?], [Data]) = ([], [], [], [])
        let colorDigest = Data(SHA256.hash(data: Data(colors.text.utf8)))
        for name in pictures {
            let file = folder + "/" + name
            let facts = try MaskFile(contentsOf: file)
            names.append((name as NSString).deletingPathExtension)
            sources.append(.picture(file: file))
            sizes.append(facts.size)
            digests.append(facts.digest + colorDigest)
        }
        let others = files.filter { name in
            let ending = (name as NSString).pathExtension.lowercased()
            return ["jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"].contains(ending)
        }
        self.init(
            concepts: colors.concepts, colors: colors.concept, names: names, hasNoEndings: true, sources: sources, sizes: sizes,
            digests: digests,
            notes: others.first.map {
                [
                    "\(others.count) pictures of '\(folder)' are no PNG, and are not taken: their colours are not exact, such as '\($0)'"
                ]
            } ?? [])
    }
}

/// What is known of a PNG before it is decoded.
private struct MaskFile {
    let size: Size
    let digest: Data

    init(contentsOf path: String) throws {
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) else {
            throw MaskError.notPicture(file: path, reason: "the file cannot be read")
        }
        // The signature, then the header: its length, its name, width, height, and bits a sample.
        let head = [UInt8](bytes.prefix(25))
        guard head.count == 25, head.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
            head[12..<16].elementsEqual("IHDR".utf8)
        else { throw MaskError.notPicture(file: path, reason: "it is no PNG") }
        guard head[24] <= 8 else {
            throw MaskError.notPicture(
                file: path, reason: "it has \(head[24]) bits a sample, and colours are told by 8; save it with 8")
        }
        func number(_ start: Int) -> Int { head[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
        size = Size(width: number(16), height: number(20))
        digest = Data(SHA256.hash(data: bytes))
    }
}

/// What colours stand for: a table with the columns `color` and `concept`.
private struct MaskColors {
    private(set) var concepts: [String] = []
    private(set) var concept: [Color: Int?] = [:]
    /// All that it says.
    private(set) var text = ""

    /// - Throws: `MaskError`.
    init(contentsOf path: String) throws {
        let table: Table
        do {
            table = try Table(contentsOf: path)
        } catch {
            throw MaskError.unreadable(path: path, reason: error.reason)
        }
        guard let color = table.column("color", "colour", "rgb", "hex", "value", "index", "id"),
            let name = table.column("concept", "name", "label", "class", "category")
        else { throw MaskError.colorColumns(path: path, found: table.header) }
        for row in table.rows {
            let written = row.cell(color) ?? ""
            guard let key = Self.color(written) else { throw MaskError.color(path: path, line: row.line, text: written) }
            let named = row.cell(name)
            if let known = concept[key], let first = Self.name(known, concepts), first != named ?? "nothing" {
                throw MaskError.colorTwice(
                    path: path, line: row.line, color: written, first: first, second: named ?? "nothing")
            }
            text += "\(key.hexadecimal) \(named ?? "")\n"
            guard let named else {
                concept[key] = .some(nil)
                continue
            }
            let index = concepts.firstIndex(of: named) ?? concepts.count
            if index == concepts.count { concepts.append(named) }
            concept[key] = .some(index)
        }
        guard !concepts.isEmpty else { throw MaskError.noConcepts(path: path) }
    }

    private static func name(_ index: Int?, _ concepts: [String]) -> String? { index.map { concepts[$0] } ?? "nothing" }

    /// `#e6194b`, `230,25,75`, `230 25 75`, or `7` for the grey 7,7,7, as masks of class numbers have it.
    private static func color(_ text: String) -> Color? {
        if text.hasPrefix("#") {
            let digits = text.dropFirst()
            guard digits.count == 6, let number = UInt32(digits, radix: 16) else { return nil }
            return Color(hex: number)
        }
        let levels = text.split { $0 == "," || $0 == " " || $0 == ";" }.map { UInt8($0) }
        switch (levels.count, levels.first ?? nil) {
        case (1, let level?): return Color(level, level, level)
        case (3, let red?): return levels[1].flatMap { green in levels[2].map { Color(red, green, $0) } }
        default: return nil
        }
    }
}
