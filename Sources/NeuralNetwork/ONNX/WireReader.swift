import Foundation

/// The value of one field of a message.
enum WireValue {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    /// Text, bytes, a message or packed numbers: where they stand in the file.
    case bytes(Range<Int>)
}

/// Bytes that are no message of protobuf.
struct WireFault: Error {}

/// Reads the fields of one message of protobuf in turn (https://protobuf.dev/programming-guides/encoding/): a field is its number and kind, and
/// then its value, so that what is of no interest is stepped over. Nothing is copied.
struct WireReader {
    /// Messages within messages that are read; protobuf's own readers stop there too.
    private static let deepest = 100

    let file: FileBytes
    /// The bytes of `file`.
    let bytes: UnsafeRawBufferPointer
    private var place: Int
    private let end: Int
    private let depth: Int

    /// The whole file is the message.
    init(_ file: FileBytes, _ bytes: UnsafeRawBufferPointer) {
        (self.file, self.bytes, place, end, depth) = (file, bytes, 0, bytes.count, 0)
    }

    private init(_ outer: WireReader, _ range: Range<Int>, depth: Int) {
        (file, bytes, place, end, self.depth) = (outer.file, outer.bytes, range.lowerBound, range.upperBound, depth)
    }

    /// Of a message that is the value of a field of this one.
    /// - Throws: `WireFault` where messages are too deep within each other.
    func inner(_ range: Range<Int>) throws -> WireReader {
        guard depth < Self.deepest else { throw WireFault() }
        return WireReader(self, range, depth: depth + 1)
    }

    /// Of numbers that stand one after another without keys.
    func packed(_ range: Range<Int>) -> WireReader { WireReader(self, range, depth: depth) }

    var isAtEnd: Bool { place == end }

    /// The next field, and where it stands with its key; nil at the end of the message.
    /// - Throws: `WireFault` where there is no whole one, or one of a kind that is not used any more.
    mutating func next() throws -> (number: Int, value: WireValue, whole: Range<Int>)? {
        guard !isAtEnd else { return nil }
        let start = place
        let key = try varint()
        guard let number = Int(exactly: key >> 3), number > 0 else { throw WireFault() }
        let value = try value(kind: UInt8(key & 7))
        return (number, value, start..<place)
    }

    /// - Parameter kind: 0 for varint, 1 for 64 bits, 2 for counted bytes, 5 for 32 bits.
    mutating func value(kind: UInt8) throws -> WireValue {
        switch kind {
        case 0: return .varint(try varint())
        case 1: return .fixed64(UInt64(littleEndian: try number()))
        case 5: return .fixed32(UInt32(littleEndian: try number()))
        case 2:
            guard let count = Int(exactly: try varint()) else { throw WireFault() }
            return .bytes(try skip(count))
        default: throw WireFault()
        }
    }

    private mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard place < end else { throw WireFault() }
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw WireFault()
    }

    private mutating func number<Number>() throws -> Number {
        let range = try skip(MemoryLayout<Number>.size)
        return bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: Number.self)
    }

    private mutating func skip(_ count: Int) throws -> Range<Int> {
        guard count <= end - place else { throw WireFault() }
        defer { place += count }
        return place..<place + count
    }
}
