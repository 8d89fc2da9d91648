public import Foundation

/// Numbers of a NumPy file (.npy), in the order of C.
///
/// Source: [the .npy format](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), versions 1 to 3. It takes
/// floating-point numbers of 2, 4 and 8 bytes, whole numbers of 1 to 8, and booleans, of either byte order, in the order of C
/// or Fortran.
///
/// ```swift
/// let array = try NumpyArray(path: "vectors.npy")
/// array.shape     // [50000, 512]
/// array.floats()  // 25 600 000 numbers, the last axis the fastest
/// ```
public struct NumpyArray: Sendable {
    public let shape: [Int]
    /// As NumPy writes it, such as `<f4`.
    public let kind: String
    private let number: Number
    private let isFortran: Bool
    private let bytes: Data

    /// How one number is stored.
    private enum Number {
        case float, signed, unsigned
    }

    public var count: Int { shape.reduce(1, *) }

    /// Reads a file.
    /// - Throws: ``NumpyError``.
    public init(path: String) throws(NumpyError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw NumpyError(path: path, reason: "there is no such file") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw NumpyError(path: path, reason: "it is no file") }
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw NumpyError(path: path, reason: "it cannot be read")
        }
        do {
            self = try Self(data)
        } catch {
            throw NumpyError(path: path, reason: error.reason)
        }
    }

    /// - Throws: ``NumpyError``, without a path.
    public init(_ data: Data) throws(NumpyError) {
        let header = try Header(data)
        let description = try header.value("descr", pattern: #/['"]descr['"]\s*:\s*(['"])([^'"]*)\1/#)
        let order = try header.value("fortran_order", pattern: #/(['"])fortran_order['"]\s*:\s*(True|False)/#)
        let text = try header.value("shape", pattern: #/(['"])shape['"]\s*:\s*\(([^)]*)\)/#)
        var (lengths, count): ([Int], Int) = ([], 1)
        for part in text.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) }) where !part.isEmpty {
            guard let length = Int(part), length >= 0 else {
                throw NumpyError(reason: "its header has the shape (\(text.prefix(60))), which is none")
            }
            lengths.append(length)
        }
        for length in lengths {
            let (product, isTooLarge) = count.multipliedReportingOverflow(by: length)
            guard !isTooLarge, product <= Int.max / 8 else {
                throw NumpyError(reason: "its header has the shape (\(text.prefix(60))), which no file holds")
            }
            count = product
        }
        (shape, kind, isFortran) = (lengths, description, order == "True")
        let (number, size) = try Self.number(description)
        self.number = number
        let wanted = count * size
        guard data.count - header.end >= wanted else {
            throw NumpyError(
                reason:
                    "it is cut off: \(count) numbers of \(size) bytes are announced, and \(max(0, data.count - header.end)) bytes are there"
            )
        }
        bytes = data[(data.startIndex + header.end)..<(data.startIndex + header.end + wanted)]
        self.size = size
        isSwapped = description.hasPrefix(">")
    }

    private let size: Int
    private let isSwapped: Bool

    private static func number(_ description: String) throws(NumpyError) -> (Number, Int) {
        let known: [String: (Number, Int)] = [
            "f2": (.float, 2), "f4": (.float, 4), "f8": (.float, 8), "i1": (.signed, 1), "i2": (.signed, 2), "i4": (.signed, 4),
            "i8": (.signed, 8), "u1": (.unsigned, 1), "u2": (.unsigned, 2), "u4": (.unsigned, 4), "u8": (.unsigned, 8),
            "b1": (.unsigned, 1),
        ]
        guard let first = description.first, "<>|=".contains(first), let found = known[String(description.dropFirst())] else {
            throw NumpyError(
                reason:
                    "its numbers are of the type '\(description.prefix(40))'; save float32, float16, float64 or whole numbers, as array.astype('float32')"
            )
        }
        return found
    }

    /// All numbers as float32, the last axis the fastest.
    public func floats() -> [Float] {
        let stored = bytes.withUnsafeBytes { bytes in
            [Float](unsafeUninitializedCapacity: count) { numbers, written in
                for index in 0..<count { numbers.initializeElement(at: index, to: value(bytes, index)) }
                written = count
            }
        }
        guard isFortran, shape.count > 1 else { return stored }
        // Of the array with its axes the other way round, which the file has in the order of C.
        var steps = [Int](repeating: 1, count: shape.count)
        for axis in 1..<shape.count { steps[axis] = steps[axis - 1] * shape[axis - 1] }
        var place = [Int](repeating: 0, count: shape.count)
        var offset = 0
        return [Float](unsafeUninitializedCapacity: count) { numbers, written in
            for index in 0..<count {
                numbers.initializeElement(at: index, to: stored[offset])
                var axis = shape.count - 1
                while axis >= 0 {
                    place[axis] += 1
                    offset += steps[axis]
                    if place[axis] < shape[axis] { break }
                    offset -= steps[axis] * shape[axis]
                    place[axis] = 0
                    axis -= 1
                }
            }
            written = count
        }
    }

    private func value(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Float {
        func load<T: FixedWidthInteger>(_: T.Type) -> T {
            let stored = bytes.loadUnaligned(fromByteOffset: index * size, as: T.self)
            return isSwapped ? stored.byteSwapped : stored
        }
        switch (number, size) {
        case (.float, 2): return Float(Float16(bitPattern: load(UInt16.self)))
        case (.float, 4): return Float(bitPattern: load(UInt32.self))
        case (.float, _): return Float(Double(bitPattern: load(UInt64.self)))
        case (.signed, 1): return Float(load(Int8.self))
        case (.signed, 2): return Float(load(Int16.self))
        case (.signed, 4): return Float(load(Int32.self))
        case (.signed, _): return Float(load(Int64.self))
        case (.unsigned, 1): return Float(load(UInt8.self))
        case (.unsigned, 2): return Float(load(UInt16.self))
        case (.unsigned, 4): return Float(load(UInt32.self))
        case (.unsigned, _): return Float(load(UInt64.self))
        }
    }
}

/// The text at the start of a NumPy file: a dictionary as Python writes it.
private struct Header {
    let text: String
    /// Where the numbers begin.
    let end: Int

    init(_ data: Data) throws(NumpyError) {
        let start = [UInt8](data.prefix(12))
        guard start.starts(with: [0x93] + Array("NUMPY".utf8)) else {
            throw NumpyError(reason: "it is no NumPy file; save it with numpy.save")
        }
        guard start.count == 12, (1...3).contains(start[6]) else {
            throw NumpyError(reason: "it is a NumPy file of a version that is not known, or cut off")
        }
        let isShort = start[6] == 1
        let lengths = start[8..<(isShort ? 10 : 12)].reversed()
        end = (isShort ? 10 : 12) + lengths.reduce(0) { $0 << 8 | Int($1) }
        guard end <= data.count else { throw NumpyError(reason: "it is cut off in its header") }
        text = String(decoding: data[(data.startIndex + (isShort ? 10 : 12))..<(data.startIndex + end)], as: UTF8.self)
    }

    func value(_ key: String, pattern: Regex<(Substring, Substring, Substring)>) throws(NumpyError) -> String {
        guard let match = text.firstMatch(of: pattern) else {
            throw NumpyError(
                reason: "its header has no '\(key)' that is understood; save it with numpy.save, without fields or objects")
        }
        return String(match.output.2)
    }
}

/// Why a file is no array of numbers.
public struct NumpyError: Error, Hashable, CustomStringConvertible {
    public var path: String?
    public var reason: String

    init(path: String? = nil, reason: String) { (self.path, self.reason) = (path, reason) }

    public var description: String { (path.map { "\($0): " } ?? "") + "the array cannot be read: \(reason)" }
}
