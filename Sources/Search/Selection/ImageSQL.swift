import ActivationStore

/// SQL that a user wrote about an image, made ready to be asked of every row of `image_info`: `has('outdoor')` and
/// `attribute('age')` are of that image, and names of attributes are columns, where the view has none of the name.
struct ImageSQL {
    /// What SQLite is asked instead of the user's text.
    let text: String
    /// What it is asked of.
    let source: String

    /// - Throws: ``QueryError/ambiguousAttribute(name:choices:)``.
    init(_ written: String, in snapshot: Snapshot) throws {
        let scan = Scan(written)
        text = scan.rewritten
        let columns = try Set(snapshot.imageColumns().map { $0.lowercased() })
        var mentioned: [String: [String]] = [:]
        for attribute in try snapshot.attributeNames() {
            let name = attribute.name.lowercased()
            if scan.names.contains(name), !columns.contains(name) { mentioned[name, default: []].append(attribute.name) }
        }
        if let several = mentioned.filter({ $0.value.count > 1 }).min(by: { $0.key < $1.key }) {
            throw QueryError.ambiguousAttribute(name: several.key, choices: several.value)
        }
        guard !mentioned.isEmpty else {
            source = "image_info"
            return
        }
        let more = mentioned.values.compactMap(\.first).sorted().map { name in
            "attribute(image_info.id, \(Spelling.sql(name))) AS \"\(name.replacing("\"", with: "\"\""))\""
        }
        source = "(SELECT image_info.*, \(more.joined(separator: ", ")) FROM image_info) AS image_info"
    }
}

/// One pass over SQL, which knows what is quoted and what is a comment.
private struct Scan {
    /// Words and quoted names, in small letters.
    private(set) var names: Set<String> = []
    private(set) var rewritten = ""

    private let bytes: [UInt8]
    /// Where the image's id is to be put in.
    private var places: [Int] = []

    init(_ text: String) {
        bytes = Array(text.utf8)
        var place = 0
        while place < bytes.count {
            let end = end(of: place)
            note(place..<end)
            place = end
        }
        var start = 0
        for place in places {
            rewritten += String(decoding: bytes[start..<place], as: UTF8.self) + "image_info.id, "
            start = place
        }
        rewritten += String(decoding: bytes[start...], as: UTF8.self)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || (48...57).contains(byte)
            || (65...90).contains(byte) || (97...122).contains(byte)
    }

    /// Where the piece ends that begins at a place: a word, something quoted, a comment, or one character.
    private func end(of start: Int) -> Int {
        let byte = bytes[start]
        let next = start + 1 < bytes.count ? bytes[start + 1] : 0
        func after(_ sign: UInt8) -> Int { bytes[(start + 1)...].firstIndex(of: sign).map { $0 + 1 } ?? bytes.count }
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"): return after(byte)
        case UInt8(ascii: "["): return after(UInt8(ascii: "]"))
        case UInt8(ascii: "-") where next == byte: return after(UInt8(ascii: "\n"))
        case UInt8(ascii: "/") where next == UInt8(ascii: "*"):
            var place = start + 2
            while place + 1 < bytes.count, bytes[place] != UInt8(ascii: "*") || bytes[place + 1] != UInt8(ascii: "/") {
                place += 1
            }
            return min(place + 2, bytes.count)
        case _ where Self.isWord(byte): return bytes[start...].firstIndex { !Self.isWord($0) } ?? bytes.count
        default: return start + 1
        }
    }

    private mutating func note(_ piece: Range<Int>) {
        guard let first = bytes[piece].first else { return }
        if [UInt8(ascii: "\""), UInt8(ascii: "`"), UInt8(ascii: "[")].contains(first), piece.count > 2 {
            names.insert(String(decoding: bytes[piece.dropFirst().dropLast()], as: UTF8.self).lowercased())
        }
        guard Self.isWord(first) else { return }
        let word = String(decoding: bytes[piece], as: UTF8.self).lowercased()
        guard word == "has" || word == "attribute", let argument = argument(behind: piece.upperBound) else {
            names.insert(word)
            return
        }
        places.append(argument)
    }

    /// Where the only argument of a call begins; nil for what is no call, or has none or several.
    private func argument(behind word: Int) -> Int? {
        var place = word
        while place < bytes.count, [32, 9, 10, 13].contains(bytes[place]) { place += 1 }
        guard place < bytes.count, bytes[place] == UInt8(ascii: "(") else { return nil }
        let start = place + 1
        var (depth, isEmpty) = (0, true)
        while place < bytes.count {
            let end = end(of: place)
            switch bytes[place] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: ",") where depth == 1: return nil
            case 32, 9, 10, 13: break
            default: isEmpty = false
            }
            if depth == 0 { return isEmpty ? nil : start }
            place = end
        }
        return nil
    }
}
