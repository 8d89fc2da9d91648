import Foundation

/// Element types that are read, by their number in the ONNX format.
enum ElementType: Int32, Sendable {
    case float = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case bool = 9
    case float16 = 10
    case double = 11
    case bfloat16 = 16

    /// Booleans too.
    var isInteger: Bool {
        switch self {
        case .float, .float16, .double, .bfloat16: false
        default: true
        }
    }

    /// The smallest and the largest value of the integers that networks are quantised to; nil for other types.
    var quantizedRange: ClosedRange<Int>? {
        switch self {
        case .uint8: 0...255
        case .int8: -128...127
        case .uint16: 0...65535
        case .int16: -32768...32767
        default: nil
        }
    }

    /// What the format calls the type of this number, whether it is read or not.
    static func name(of number: Int32) -> String {
        let names = [
            "undefined", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "double",
            "uint32",
            "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
            "uint4",
            "int4", "float4e2m1",
        ]
        return names.indices.contains(Int(number)) ? names[Int(number)] : "\(number)"
    }

    /// Bytes an element.
    var width: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16, .float16, .bfloat16: 2
        case .float, .int32: 4
        case .int64, .double: 8
        }
    }

    /// `bytes` are little-endian and as many as the shape needs.
    func decode(_ bytes: Data, shape: [Int]) -> HostTensor {
        if let floats = floats(bytes) { return HostTensor(floats, shape: shape) }
        func each<Raw, T>(_ type: Raw.Type, _ convert: (Raw) -> T) -> [T] {
            bytes.withUnsafeBytes { raw in
                (0..<raw.count / MemoryLayout<Raw>.size).map {
                    convert(raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Raw>.size, as: Raw.self))
                }
            }
        }
        return switch self {
        case .float, .double, .float16, .bfloat16: preconditionFailure("numbers that are no integers have been read")
        case .uint8, .bool: HostTensor(each(UInt8.self) { Int($0) }, shape: shape)
        case .int8: HostTensor(each(Int8.self) { Int($0) }, shape: shape)
        case .uint16: HostTensor(each(UInt16.self) { Int($0) }, shape: shape)
        case .int16: HostTensor(each(Int16.self) { Int($0) }, shape: shape)
        case .int32: HostTensor(each(Int32.self) { Int($0) }, shape: shape)
        case .int64: HostTensor(each(Int64.self) { Int($0) }, shape: shape)
        }
    }

    /// Nil for integers.
    func floats(_ bytes: Data) -> [Float]? {
        func each<Raw>(_ type: Raw.Type, _ convert: (Raw) -> Float) -> [Float] {
            bytes.withUnsafeBytes { raw in
                let count = raw.count / MemoryLayout<Raw>.size
                return [Float](unsafeUninitializedCapacity: count) { floats, written in
                    for index in 0..<count {
                        floats.initializeElement(
                            at: index,
                            to: convert(raw.loadUnaligned(fromByteOffset: index * MemoryLayout<Raw>.size, as: Raw.self)))
                    }
                    written = count
                }
            }
        }
        return switch self {
        case .float: each(Float.self) { $0 }
        case .double: each(Double.self) { Float($0) }
        case .float16: each(UInt16.self) { Float(half: $0) }
        case .bfloat16: each(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
        default: nil
        }
    }
}

extension Float {
    /// From IEEE 754 binary16; written out because `Float16` is not on every platform.
    init(half bits: UInt16) {
        let sign: Float = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Float(bits & 0x3FF)
        switch exponent {
        case 0: self = sign * fraction * 0x1p-24
        case 31: self = fraction == 0 ? sign * .infinity : .nan
        default: self = sign * (1 + fraction * 0x1p-10) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
        }
    }
}
