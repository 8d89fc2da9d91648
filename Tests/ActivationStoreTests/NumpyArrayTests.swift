import Foundation
import Support
import TestSupport
import Testing

/// Arrays of NumPy, of every kind of number that is read; files of it that are wrong.
@Suite struct NumpyArrayTests {
    private static let numbers: [Double] = [0, 1, 2, 3, 100, 127]

    private struct Kind: Sendable, CustomStringConvertible {
        var name: String
        var encode: @Sendable (Double) -> [UInt8]
        var description: String { name }
    }

    private static func bytes<T>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    private static let kinds: [Kind] = [
        Kind(name: "<f2") { bytes(Float16($0).bitPattern.littleEndian) },
        Kind(name: ">f2") { bytes(Float16($0).bitPattern.bigEndian) },
        Kind(name: "<f4") { bytes(Float($0).bitPattern.littleEndian) },
        Kind(name: ">f4") { bytes(Float($0).bitPattern.bigEndian) },
        Kind(name: "<f8") { bytes($0.bitPattern.littleEndian) }, Kind(name: ">f8") { bytes($0.bitPattern.bigEndian) },
        Kind(name: "|i1") { bytes(Int8($0)) }, Kind(name: "|u1") { bytes(UInt8($0)) }, Kind(name: "|b1") { bytes(UInt8($0)) },
        Kind(name: "<i2") { bytes(Int16($0).littleEndian) }, Kind(name: ">i2") { bytes(Int16($0).bigEndian) },
        Kind(name: "<u2") { bytes(UInt16($0).littleEndian) }, Kind(name: "<i4") { bytes(Int32($0).littleEndian) },
        Kind(name: ">u4") { bytes(UInt32($0).bigEndian) }, Kind(name: "<i8") { bytes(Int64($0).littleEndian) },
        Kind(name: ">u8") { bytes(UInt64($0).bigEndian) },
    ]

    @Test(arguments: kinds) private func everyKindOfNumberIsRead(kind: Kind) throws {
        for version: UInt8 in [1, 2, 3] {
            let data = NumpyFile.data(Self.numbers, shape: [2, 3], kind: kind.name, version: version, encode: kind.encode)
            let array = try NumpyArray(data)
            #expect(array.shape == [2, 3] && array.kind == kind.name && array.floats() == Self.numbers.map { Float($0) })
        }
    }

    @Test func negativeNumbersAndHalves() throws {
        let values = [-1.5, 0.25, -128]
        #expect(try NumpyArray(NumpyFile.data(values, shape: [3])).floats() == [-1.5, 0.25, -128])
        let whole = NumpyFile.data([-128, -1], shape: [2], kind: "|i1") { Self.bytes(Int8($0)) }
        #expect(try NumpyArray(whole).floats() == [-128, -1])
    }

    /// What NumPy writes of `numpy.arange(24).reshape(2, 3, 4)` in the order of Fortran.
    @Test func theOrderOfFortranIsTurned() throws {
        var stored: [Double] = []
        for z in 0..<4 { for y in 0..<3 { for x in 0..<2 { stored.append(Double(x * 12 + y * 4 + z)) } } }
        let array = try NumpyArray(NumpyFile.data(stored, shape: [2, 3, 4], isFortran: true))
        #expect(array.floats() == (0..<24).map { Float($0) })
    }

    @Test func emptyArraysAndScalars() throws {
        #expect(try NumpyArray(NumpyFile.data([], shape: [0, 4])).floats().isEmpty)
        let scalar = try NumpyArray(NumpyFile.data([7], shape: []))
        #expect(scalar.shape.isEmpty && scalar.floats() == [7])
    }

    @Test(arguments: [
        ("<U5", "its numbers are of the type '<U5'"), ("|O", "its numbers are of the type '|O'"),
        ("<c8", "its numbers are of the type '<c8'"),
    ]) func otherTypesAreRefused(kind: String, sentence: String) {
        let error = #expect(throws: NumpyError.self) { try NumpyArray(NumpyFile.data([1], shape: [1], kind: kind)) }
        #expect(error?.reason.hasPrefix(sentence) == true)
    }

    @Test func damagedFilesAreRefused() throws {
        let whole = NumpyFile.data(Self.numbers, shape: [2, 3])
        for length in 0..<whole.count { #expect(throws: NumpyError.self) { try NumpyArray(whole.prefix(length)) } }
        for shape in [[2, 4], [-1, 6], [Int.max, Int.max], [1 << 62, 4]] {
            #expect(throws: NumpyError.self) { try NumpyArray(NumpyFile.data(Self.numbers, shape: shape)) }
        }
        // Records have a description that is no single type.
        var text = String(decoding: whole.prefix(128), as: Unicode.ASCII.self)
        text = text.replacingOccurrences(of: "'<f8'", with: "[('a','<f8')]")
        #expect(throws: NumpyError.self) { try NumpyArray(Data([0x93]) + Data(text.utf8.dropFirst())) }
    }

    /// Any bytes are read or refused.
    @Test func randomDamageIsSurvived() {
        var random = SeededGenerator(seed: 1)
        let whole = NumpyFile.data(Self.numbers, shape: [2, 3])
        for _ in 0..<5000 {
            var data = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                data[Int.random(in: 0..<data.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let array = try? NumpyArray(data) { #expect(array.floats().count == array.count) }
        }
    }
}
