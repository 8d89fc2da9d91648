import Foundation
import Support

/// What is known of images beside their labels: whether something is in the picture (*tag*, *outdoor*), or a number (*age*,
/// *exposure*).
public struct Attribute: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// 0 or 1.
        case binary
        case number
    }

    public let name: String
    public let kind: Kind
    /// By image id, as far as the last image of which it is known; NaN where it is not known.
    public let values: [Double]

    /// - Parameters:
    ///   - values: finite, or NaN where the value is not known; of a binary attribute 0 and 1 alone.
    public init(name: String, kind: Kind, values: [Double]) {
        self.name = name
        self.kind = kind
        self.values = Array(values.prefix((values.lastIndex { !$0.isNaN } ?? -1) + 1))
    }

    /// Of an image; nil where it is not known.
    public subscript(image id: Int) -> Double? {
        guard values.indices.contains(id), !values[id].isNaN else { return nil }
        return values[id]
    }

    /// NaN where it is not known.
    func values(of ids: [Int]) -> [Double] { ids.map { self[image: $0] ?? .nan } }
}

// MARK: As the file has it

extension Attribute {
    /// A JSON array of numbers and nulls.
    var list: String {
        var text: [UInt8] = [UInt8(ascii: "[")]
        text.reserveCapacity(values.count * (kind == .binary ? 2 : 6) + 2)
        for (index, value) in values.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            if value == 0 || value == 1 {
                text.append(UInt8(ascii: "0") + (value == 1 ? 1 : 0))
            } else if value.isNaN {
                text.append(contentsOf: "null".utf8)
            } else {
                text.append(contentsOf: value.shortText.utf8)
            }
        }
        text.append(UInt8(ascii: "]"))
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for a list that is none.
    init?(name: String, kind: String, list: String) {
        guard let kind = Kind(rawValue: kind), let values = Self.values(list) else { return nil }
        guard kind == .number || values.allSatisfy({ $0 == 0 || $0 == 1 || $0.isNaN }) else { return nil }
        self.init(name: name, kind: kind, values: values)
    }

    /// The values of such a list; NaN for null.
    private static func values(_ list: String) -> [Double]? {
        var list = list
        return list.withUTF8 { bytes -> [Double]? in
            guard bytes.count >= 2, bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") else { return nil }
            guard bytes.count > 2 else { return [] }
            var values: [Double] = []
            values.reserveCapacity(bytes.count / 2)
            var place = 1
            while place < bytes.count {
                guard let end = bytes[place...].firstIndex(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "]") }),
                    let value = number(UnsafeBufferPointer(rebasing: bytes[place..<end]))
                else { return nil }
                values.append(value)
                place = end + 1
            }
            return values
        }
    }

    private static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        switch bytes.count {
        case 0: return nil
        case 1: return (48...57).contains(bytes[0]) ? Double(bytes[0] - 48) : nil
        default:
            if bytes.elementsEqual("null".utf8) { return .nan }
            guard let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else { return nil }
            return value
        }
    }
}
