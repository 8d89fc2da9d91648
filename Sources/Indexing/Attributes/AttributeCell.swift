import Foundation

/// What a cell of a table says of an attribute.
enum AttributeCell: Equatable {
    case number(Double)
    /// Of words such as `true` and `no`.
    case answer(Bool)
    /// An empty cell, or a word for one.
    case unknown
    /// Neither a number nor a word that is known.
    case text

    private static let unknownWords: Set<String> = ["na", "n/a", "nan", "null", "none", "?", "-", "unknown"]

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        if bytes.count == 1, (48...57).contains(bytes[0]) {
            self = .number(Double(bytes[0] - 48))
            return
        }
        guard bytes.count > 0 else {
            self = .unknown
            return
        }
        if let number = Self.number(bytes) {
            self = .number(number)
            return
        }
        switch String(decoding: bytes, as: UTF8.self).lowercased() {
        case "true", "yes", "y", "t": self = .answer(true)
        case "false", "no", "n", "f": self = .answer(false)
        case let word where Self.unknownWords.contains(word): self = .unknown
        default: self = .text
        }
    }

    /// Decimal and finite.
    private static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        guard bytes.allSatisfy({ (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }),
            let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite
        else { return nil }
        return value
    }
}

/// The values of one attribute while a text is read, by the number of the image's name.
struct AttributeColumn {
    let name: String
    private(set) var values: [Double] = []
    /// What was said of a name first, and otherwise later.
    private(set) var contradictions = 0
    private(set) var contradiction: (file: Int, line: Int)?
    /// The first cell that is no number.
    private(set) var refused: (text: String, line: Int)?
    private var (hasWords, hasNumbers) = (false, false)
    /// How many were said to be 0, and to be 1 or -1; and whether all numbers are one of 0, 1 and -1.
    private var (zeros, ones, minus, isBinary) = (0, 0, 0, true)

    init(name: String) { self.name = name }

    mutating func add(_ cell: AttributeCell, file: Int, line: Int, text: () -> String) {
        switch cell {
        case .unknown: return
        case .text:
            if refused == nil { refused = (text(), line) }
        case .answer(let isSo):
            hasWords = true
            set(isSo ? 1 : 0, file, line)
        case .number(let value):
            hasNumbers = true
            set(value, file, line)
        }
    }

    private mutating func set(_ value: Double, _ file: Int, _ line: Int) {
        while values.count <= file { values.append(.nan) }
        guard values[file].isNaN else {
            if values[file] != value {
                contradictions += 1
                if contradiction == nil { contradiction = (file, line) }
            }
            return
        }
        values[file] = value
        switch value {
        case 0: zeros += 1
        case 1: ones += 1
        case -1: minus += 1
        default: isBinary = false
        }
    }

    /// Why it is no attribute; nil where it is one.
    var objection: String? {
        if let refused { return "line \(refused.line) says '\(refused.text)', which is no number and neither yes nor no" }
        if !hasWords, !hasNumbers { return "it says nothing" }
        if hasWords, hasNumbers, !isBinary || minus > 0 { return "it has words such as yes and numbers such as 2" }
        return nil
    }

    /// 0 and 1, or 1 and -1, which stands for 0.
    var isOfTwo: Bool { isBinary && (minus == 0 || zeros == 0) }
    /// Nothing but that an image has it.
    var isOnlyPositive: Bool { isOfTwo && zeros == 0 && minus == 0 }
    var hasMinus: Bool { isOfTwo && minus > 0 }

    /// Of the names of files, by number.
    /// - Parameter absent: what it is of a name of which nothing is said.
    func value(file: Int, absent: Double = .nan) -> Double {
        guard values.indices.contains(file), !values[file].isNaN else { return absent }
        return isOfTwo && values[file] == -1 ? 0 : values[file]
    }
}
