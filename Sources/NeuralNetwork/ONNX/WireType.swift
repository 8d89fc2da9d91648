import Foundation

/// How values of a type stand in a message.
struct WireType<Value>: Sendable {
    /// As `WireReader.value` takes it.
    let kind: UInt8
    /// - Returns: Nil for a value of another kind.
    let decode: @Sendable (WireValue, WireReader) throws -> Value?
    /// Without a key.
    let encode: @Sendable (Value, inout Data) -> Void
    /// Packed numbers of a fixed width at once; nil for what has none.
    var decodeAll: (@Sendable (UnsafeRawBufferPointer) -> [Value])?
}

extension WireType {
    /// A number of fixed width, whose bytes in memory are those of the file.
    fileprivate static func fixed(_ kind: UInt8, _ decode: @escaping @Sendable (WireValue, WireReader) throws -> Value?)
        -> WireType
    {
        WireType(
            kind: kind, decode: decode,
            encode: { value, data in withUnsafeBytes(of: value) { data.append(contentsOf: $0) } },
            decodeAll: { bytes in
                let count = bytes.count / MemoryLayout<Value>.size
                return [Value](unsafeUninitializedCapacity: count) { values, written in
                    UnsafeMutableRawBufferPointer(values).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: bytes.prefix(count * MemoryLayout<Value>.size)))
                    written = count
                }
            })
    }
}

extension WireType<Float> {
    static let float = fixed(5) { value, _ in
        guard case .fixed32(let bits) = value else { return nil }
        return Float(bitPattern: bits)
    }
}

extension WireType<Double> {
    static let double = fixed(1) { value, _ in
        guard case .fixed64(let bits) = value else { return nil }
        return Double(bitPattern: bits)
    }
}

extension WireType where Value: FixedWidthInteger & SignedInteger & Sendable {
    /// `int32` and `int64`: a negative one is written with ten bytes, as protobuf does.
    static var integer: WireType {
        WireType(
            kind: 0,
            decode: { value, _ in
                guard case .varint(let bits) = value else { return nil }
                return Value(truncatingIfNeeded: bits)
            },
            encode: { $1.append(varint: UInt64(bitPattern: Int64($0))) })
    }
}

extension WireType<String> {
    static let text = WireType(
        kind: 2,
        decode: { value, reader in
            guard case .bytes(let range) = value else { return nil }
            guard let text = String(validating: reader.bytes[range], as: UTF8.self) else { throw WireFault() }
            return text
        },
        encode: { $1.append(counted: Data($0.utf8)) })
}

extension WireType<Data> {
    static let bytes = WireType(
        kind: 2,
        decode: { value, reader in
            guard case .bytes(let range) = value else { return nil }
            return Data(reader.bytes[range])
        },
        encode: { $1.append(counted: $0) })
}

extension WireType<FileBytes> {
    /// Bytes that are worth leaving in the file.
    private static let least = 4096

    /// Bytes that stay in the file where they are many.
    static let part = WireType(
        kind: 2,
        decode: { value, reader in
            guard case .bytes(let range) = value else { return nil }
            return range.count < least ? FileBytes(Data(reader.bytes[range])) : reader.file.part(range)
        },
        encode: { $1.append(counted: $0.data) })
}

extension Data {
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    mutating func append(counted bytes: Data) {
        append(varint: UInt64(bytes.count))
        append(bytes)
    }
}
