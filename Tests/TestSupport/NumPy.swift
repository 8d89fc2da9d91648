public import Foundation
import SystemZlib

/// One array of a `.npy` file, in row-major order, as one of three kinds of values.
public struct NPYArray: Sendable, Equatable {
    public enum Values: Sendable, Equatable {
        case floats([Float])
        case doubles([Double])
        case ints([Int])
        case strings([String])
    }

    public let shape: [Int]
    public let values: Values

    /// The values as `Float`, exact for float32; empty for strings.
    public var floats: [Float] {
        switch values {
        case .floats(let values): values
        case .doubles(let values): values.map(Float.init)
        case .ints(let values): values.map(Float.init)
        case .strings: []
        }
    }

    /// The values of an integer or boolean array; empty for others.
    public var ints: [Int] {
        if case .ints(let values) = values { values } else { [] }
    }

    /// The values of an array of text; empty for others.
    public var strings: [String] {
        if case .strings(let values) = values { values } else { [] }
    }

    /// Reads a `.npy` file.
    public init(contentsOf path: String) throws {
        try self.init(Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Reads the bytes of a `.npy` file: little-endian float32, float64, integers, booleans and `<U` text in C order.
    public init(_ data: Data) throws {
        let bytes = [UInt8](data)
        guard bytes.count > 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else { throw NumPyError.notAnArray }
        let isFirst = bytes[6] == 1
        let length = (0..<(isFirst ? 2 : 4)).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
        let start = (isFirst ? 10 : 12) + length
        guard start <= bytes.count else { throw NumPyError.truncated }
        let header = String(decoding: bytes[..<start].dropFirst(10), as: UTF8.self)
        guard let type = header.firstMatch(of: /'descr': '([<|=])([a-zA-Z])(\d+)'/),
            let dimensions = header.firstMatch(of: /'shape': \(([0-9, ]*)\)/), header.contains("'fortran_order': False"),
            let size = Int(type.3)
        else { throw NumPyError.unsupported(header: header) }
        shape = dimensions.1.split(separator: ",").compactMap { Int($0.filter(\.isNumber)) }
        let count = shape.reduce(1, *)
        let width = type.2 == "U" ? size * 4 : size
        guard start + count * width <= bytes.count else { throw NumPyError.truncated }

        func load<Value: BitwiseCopyable>(_: Value.Type) -> [Value] {
            bytes.withUnsafeBytes { raw in
                (0..<count).map { raw.loadUnaligned(fromByteOffset: start + $0 * width, as: Value.self) }
            }
        }
        switch (type.2, size) {
        case ("f", 4): values = .floats(load(Float.self))
        case ("f", 8): values = .doubles(load(Double.self))
        case ("u", 1), ("b", 1): values = .ints(load(UInt8.self).map(Int.init))
        case ("i", 1): values = .ints(load(Int8.self).map(Int.init))
        case ("u", 2): values = .ints(load(UInt16.self).map(Int.init))
        case ("i", 2): values = .ints(load(Int16.self).map(Int.init))
        case ("u", 4): values = .ints(load(UInt32.self).map(Int.init))
        case ("i", 4): values = .ints(load(Int32.self).map(Int.init))
        case ("i", 8), ("u", 8): values = .ints(load(Int.self))
        case ("U", _):
            values = .strings(
                (0..<count).map { item in
                    var text = String.UnicodeScalarView()
                    for i in 0..<size {
                        let code = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + item * width + i * 4 + $1]) << (8 * $1) }
                        if code != 0, let scalar = Unicode.Scalar(code) { text.append(scalar) }
                    }
                    return String(text)
                })
        default: throw NumPyError.unsupported(header: header)
        }
    }
}

/// The arrays of a `.npz` file: a ZIP archive of `.npy` files, stored or deflated.
///
/// ```swift
/// let names = try NPZ(path)["files"].strings
/// ```
public struct NPZ {
    private struct Entry {
        let method: Int
        let compressed: Int
        let size: Int
        let offset: Int
    }

    private let data: Data
    private let entries: [String: Entry]

    /// The names of the arrays, sorted.
    public var keys: [String] { entries.keys.sorted() }

    /// Opens a file and reads its directory; arrays are unpacked when asked for.
    public init(_ path: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        // The end record is the last thing in the file, save for a comment of at most 65535 bytes.
        let signature = Data([0x50, 0x4B, 0x05, 0x06])
        guard let end = data.range(of: signature, options: .backwards)?.lowerBound else { throw NumPyError.notAnArchive }
        var entries: [String: Entry] = [:]
        var offset = NPZ.number(data, end + 16, 4)
        for _ in 0..<NPZ.number(data, end + 10, 2) {
            guard NPZ.number(data, offset, 4) == 0x0201_4B50 else { throw NumPyError.notAnArchive }
            let lengths = (0..<3).map { NPZ.number(data, offset + 28 + 2 * $0, 2) }
            let name = String(decoding: data[offset + 46..<offset + 46 + lengths[0]], as: UTF8.self)
            entries[name.hasSuffix(".npy") ? String(name.dropLast(4)) : name] = Entry(
                method: NPZ.number(data, offset + 10, 2), compressed: NPZ.number(data, offset + 20, 4),
                size: NPZ.number(data, offset + 24, 4), offset: NPZ.number(data, offset + 42, 4))
            offset += 46 + lengths.reduce(0, +)
        }
        self.data = data
        self.entries = entries
    }

    /// One array.
    public subscript(key: String) -> NPYArray {
        get throws {
            guard let entry = entries[key] else { throw NumPyError.noArray(name: key, found: keys) }
            let start = entry.offset + 30 + NPZ.number(data, entry.offset + 26, 2) + NPZ.number(data, entry.offset + 28, 2)
            let packed = data[start..<start + entry.compressed]
            if entry.method == 0 { return try NPYArray(Data(packed)) }
            guard entry.method == 8 else { throw NumPyError.notAnArchive }
            return try NPYArray(NPZ.inflate(packed, size: entry.size))
        }
    }

    private static func number(_ data: Data, _ offset: Int, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 | Int(data[offset + $1]) << (8 * $1) }
    }

    private static func inflate(_ packed: Data, size: Int) throws -> Data {
        var input = [UInt8](packed)
        var output = [UInt8](repeating: 0, count: max(size, 1))
        var stream = z_stream()
        // Negative window bits: deflate without zlib's own header, as in ZIP.
        guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw NumPyError.notAnArchive
        }
        defer { inflateEnd(&stream) }
        let status = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                return SystemZlib.inflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END, Int(stream.total_out) == size else { throw NumPyError.truncated }
        return Data(output.prefix(size))
    }
}

/// Why a NumPy file could not be read.
public enum NumPyError: Error {
    case notAnArray, notAnArchive, truncated
    case unsupported(header: String)
    case noArray(name: String, found: [String])
}
