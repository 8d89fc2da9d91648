public import Foundation

/// Arrays as NumPy writes them.
public enum NumpyFile {
    /// - Parameters:
    ///   - numbers: in the order of the file.
    ///   - kind: `<f8`, or what `encode` makes.
    public static func data(
        _ numbers: [Double], shape: [Int], kind: String = "<f8", isFortran: Bool = false, version: UInt8 = 1,
        encode: (Double) -> [UInt8] = { number in withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) } }
    ) -> Data {
        let lengths = shape.map { "\($0)," }.joined(separator: " ")
        var text = "{'descr': '\(kind)', 'fortran_order': \(isFortran ? "True" : "False"), 'shape': (\(lengths)), }"
        let start = version == 1 ? 10 : 12
        text += String(repeating: " ", count: 63 - (start + text.utf8.count) % 64) + "\n"
        let length = text.utf8.count
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [version, 0, UInt8(length & 255), UInt8(length >> 8)]
        if version > 1 { bytes += [0, 0] }
        return Data(bytes + Array(text.utf8) + numbers.flatMap(encode))
    }
}
