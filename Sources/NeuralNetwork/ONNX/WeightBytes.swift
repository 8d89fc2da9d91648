import Foundation

/// The large weights of an ONNX file, found without reading them: a parser would copy them.
///
/// A message of protobuf is a sequence of fields, each its number and kind and then its value, so what is of no interest can be skipped
/// (https://protobuf.dev/programming-guides/encoding/).
struct WeightBytes {
    /// The file without them, a message of its own.
    private(set) var rest = Data()
    /// Where they stand in the file, by the number of the initializer.
    private(set) var ranges: [Int: Range<Int>] = [:]

    /// ModelProto.graph, GraphProto.initializer, TensorProto.raw_data.
    private static let path = [7, 5, 9]
    /// Bytes that are worth leaving where they are.
    private static let least = 4096
    private var initializers = 0

    /// - Returns: Nil where the bytes are no whole message, or hold no large weight.
    init?(of file: Data) {
        guard let rest = file.withUnsafeBytes({ remainder(of: $0, 0..<$0.count, depth: 0) }), !ranges.isEmpty else { return nil }
        self.rest = rest
    }

    /// A message without the large weights in it. `depth`: how far along the path it stands.
    private mutating func remainder(of bytes: UnsafeRawBufferPointer, _ message: Range<Int>, depth: Int) -> Data? {
        var (result, place) = (Data(), message.lowerBound)
        while place < message.upperBound {
            guard let field = Field(bytes, in: place..<message.upperBound) else { return nil }
            place = field.whole.upperBound
            guard field.number == Self.path[depth], let body = field.body else {
                result.append(contentsOf: bytes[field.whole])
                continue
            }
            guard depth == Self.path.count - 1 else {
                guard let inner = remainder(of: bytes, body, depth: depth + 1) else { return nil }
                result.append(contentsOf: bytes[field.key])
                result.append(varint: inner.count)
                result.append(inner)
                if depth == 1 { initializers += 1 }
                continue
            }
            // Of several the last one counts.
            ranges[initializers] = body.count >= Self.least ? body : nil
            if body.count < Self.least { result.append(contentsOf: bytes[field.whole]) }
        }
        return result
    }
}

/// One field of a message.
struct Field {
    let number: Int
    let key: Range<Int>
    /// Key and value.
    let whole: Range<Int>
    /// The bytes of a value that is counted in bytes; nil for numbers.
    let body: Range<Int>?

    /// The first field in `range`; nil where there is no whole one, or one of a kind that is not used any more.
    init?(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) {
        var place = range.lowerBound
        func varint() -> Int? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                guard place < range.upperBound else { return nil }
                let byte = bytes[place]
                place += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return Int(exactly: value) ?? Int.max }
            }
            return nil
        }
        guard let tag = varint() else { return nil }
        (number, key) = (tag >> 3, range.lowerBound..<place)
        var size = 0
        switch tag & 7 {
        case 0: guard varint() != nil else { return nil }
        case 1: size = 8
        case 2:
            guard let count = varint() else { return nil }
            size = count
        case 5: size = 4
        default: return nil
        }
        guard size <= range.upperBound - place else { return nil }
        body = tag & 7 == 2 ? place..<place + size : nil
        whole = range.lowerBound..<place + size
    }
}

extension Data {
    fileprivate mutating func append(varint value: Int) {
        var rest = UInt(value)
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
