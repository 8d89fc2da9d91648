import CKernels
package import Foundation

/// The checksum of a row: CRC-32C of its columns in order. An integer or a double is 8 bytes, little-endian; text and blobs are their
/// length as an integer and then their bytes; NULL is the length −1.
package struct RowChecksum {
    private var crc: UInt32 = 0

    package init() {}

    package var value: Int { Int(crc) }

    package mutating func add(_ number: Int) { add(word: UInt64(bitPattern: Int64(number))) }

    /// −0 is 0, as in the file, and NaN is NULL.
    package mutating func add(_ number: Double) { number.isNaN ? add(-1) : add(word: (number + 0).bitPattern) }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(bytes.count)
        crc = ndx_checksum(crc, bytes.baseAddress, bytes.count)
    }

    package mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    package mutating func add(_ bytes: Data) { bytes.withUnsafeBytes { add($0) } }

    package mutating func add(_ text: String?) { if let text { add(text) } else { add(-1) } }
    package mutating func add(_ number: Int?) { add(number ?? -1) }
    package mutating func add(_ number: Double?) { if let number { add(number) } else { add(-1) } }

    private mutating func add(word: UInt64) {
        var word = word.littleEndian
        crc = ndx_checksum(crc, &word, 8)
    }
}

extension RawStatement {
    /// The checksum of the row's first columns; −1, which is none, where one is neither NULL nor of its kind: to SQL an empty blob, say, is not 0.
    package func checksum(_ kinds: [Kind]) -> Int {
        var sum = RowChecksum()
        return add(kinds, from: 0, to: &sum) ? sum.value : -1
    }

    /// Adds columns to a checksum; false where one is neither NULL nor of its kind.
    func add(_ kinds: [Kind], from first: Int32, to sum: inout RowChecksum) -> Bool {
        var column = first
        for wanted in kinds {
            let found = kind(column)
            guard found == wanted || found == .null else { return false }
            switch found {
            case .null: sum.add(-1)
            case .integer: sum.add(int(column))
            case .real: sum.add(double(column))
            case .text, .blob: sum.add(bytes(column))
            }
            column += 1
        }
        return true
    }
}
