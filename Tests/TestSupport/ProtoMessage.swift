import Foundation

/// A protobuf message as a list of fields and nothing more: enough to write, read and change ONNX files in tests without
/// the program's own types, so that a mistake there is not made twice.
///
/// https://protobuf.dev/programming-guides/encoding; field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
public struct ProtoMessage: Sendable {
    public enum Value: Sendable {
        case varint(UInt64)
        case fixed64([UInt8])
        case bytes([UInt8])
        case fixed32([UInt8])
    }

    public var fields: [(number: Int, value: Value)] = []

    public init() {}

    /// Nil where the bytes are no message.
    public init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        func varint() -> UInt64? {
            var result: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                guard let byte = rest.popFirst() else { return nil }
                result |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return result }
            }
            return nil
        }
        func take(_ count: Int) -> [UInt8]? {
            guard count >= 0, count <= rest.count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        while !rest.isEmpty {
            guard let tag = varint() else { return nil }
            let value: Value?
            switch tag & 7 {
            case 0: value = varint().map { .varint($0) }
            case 1: value = take(8).map { .fixed64($0) }
            case 2: value = varint().flatMap { take(Int(clamping: $0)) }.map { .bytes($0) }
            case 5: value = take(4).map { .fixed32($0) }
            default: value = nil
            }
            guard let value else { return nil }
            fields.append((Int(tag >> 3), value))
        }
    }

    public var bytes: [UInt8] {
        var out: [UInt8] = []
        func put(_ number: UInt64) {
            var rest = number
            while rest >= 0x80 {
                out.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            out.append(UInt8(rest))
        }
        for (number, value) in fields {
            switch value {
            case .varint(let value):
                put(UInt64(number) << 3)
                put(value)
            case .fixed64(let bytes):
                put(UInt64(number) << 3 | 1)
                out += bytes
            case .bytes(let bytes):
                put(UInt64(number) << 3 | 2)
                put(UInt64(bytes.count))
                out += bytes
            case .fixed32(let bytes):
                put(UInt64(number) << 3 | 5)
                out += bytes
            }
        }
        return out
    }

    // MARK: Writing

    public mutating func add(_ number: Int, _ value: Int) { fields.append((number, .varint(UInt64(bitPattern: Int64(value))))) }
    public mutating func add(_ number: Int, _ text: String) { fields.append((number, .bytes(Array(text.utf8)))) }
    public mutating func add(_ number: Int, bytes: [UInt8]) { fields.append((number, .bytes(bytes))) }
    public mutating func add(_ number: Int, _ message: ProtoMessage) { fields.append((number, .bytes(message.bytes))) }
    public mutating func add(_ number: Int, _ value: Float) { fields.append((number, .fixed32(Self.littleEndian([value])))) }

    public static func littleEndian<Number>(_ numbers: [Number]) -> [UInt8] { numbers.withUnsafeBytes { Array($0) } }

    // MARK: Reading

    public func bytes(_ number: Int) -> [[UInt8]] {
        fields.compactMap { field in
            guard field.number == number, case .bytes(let bytes) = field.value else { return nil }
            return bytes
        }
    }
    public func strings(_ number: Int) -> [String] { bytes(number).map { String(decoding: $0, as: UTF8.self) } }
    public func messages(_ number: Int) -> [ProtoMessage] { bytes(number).compactMap { ProtoMessage($0) } }

    /// Repeated integers, packed or one by one.
    public func integers(_ number: Int) -> [Int] {
        fields.filter { $0.number == number }.flatMap { field -> [Int] in
            switch field.value {
            case .varint(let value): return [Int(Int64(bitPattern: value))]
            case .bytes(let packed):
                // Packed varints read as the values of a message whose keys are put before each.
                var values: [Int] = []
                var value: UInt64 = 0
                var shift: UInt64 = 0
                for byte in packed {
                    value |= UInt64(byte & 0x7F) << shift
                    shift += 7
                    guard byte < 0x80 else { continue }
                    values.append(Int(Int64(bitPattern: value)))
                    (value, shift) = (0, 0)
                }
                return values
            default: return []
            }
        }
    }
}

/// A tensor of an ONNX file or of a test vector, as this reads it: float32 or integers.
public struct TestTensor: Sendable {
    public var name: String
    /// ONNX element type: 1 is float32, 7 int64.
    public var type: Int
    public var shape: [Int]
    /// Empty for element types other than float32, float64, int32, int64, float16 and booleans.
    public var values: [Double]

    public init(contentsOf path: String) throws {
        guard let message = ProtoMessage([UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        self.init(message)
    }

    public init(_ message: ProtoMessage) {
        name = message.strings(8).first ?? ""
        type = message.integers(2).first ?? 0
        shape = message.integers(1)
        let raw = message.bytes(9).first ?? []
        func each<Number: BitwiseCopyable>(_: Number.Type, of bytes: [UInt8]) -> [Number] {
            bytes.withUnsafeBytes { bytes in
                stride(from: 0, to: bytes.count, by: MemoryLayout<Number>.size).map {
                    bytes.loadUnaligned(fromByteOffset: $0, as: Number.self)
                }
            }
        }
        let packed = message.bytes(4).flatMap { $0 }
        switch type {
        case 1: values = each(Float.self, of: raw.isEmpty ? packed : raw).map(Double.init)
        case 6: values = raw.isEmpty ? message.integers(5).map(Double.init) : each(Int32.self, of: raw).map(Double.init)
        case 7: values = raw.isEmpty ? message.integers(7).map(Double.init) : each(Int64.self, of: raw).map(Double.init)
        case 9: values = raw.isEmpty ? message.integers(5).map(Double.init) : raw.map(Double.init)
        case 11: values = each(Double.self, of: raw.isEmpty ? message.bytes(10).flatMap { $0 } : raw)
        default: values = []
        }
    }
}
