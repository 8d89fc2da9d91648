import Foundation
import Images
import TestSupport
import Testing

/// TIFF, BMP and GIF of many kinds against what Pillow makes of them: fixtures/recipe/formats.py.
@Suite struct FormatTests {
    private struct Expected: Decodable {
        /// Height, width, channels.
        var shape: [Int]
        /// In hexadecimal, of pictures.
        var pixels: String?
        var numbers: [Float]?
    }

    private static let folder = Fixtures.path("formats")
    private let expected: [String: Expected]

    init() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.folder + "/expected.json"))
        expected = try JSONDecoder().decode([String: Expected].self, from: data)
    }

    private func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal.utf8).map { Int($0) - ($0 < 0x3A ? 0x30 : 0x57) }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// One that a decoder is missing for, on this machine or in this build, is not judged.
    private func isReadable(_ name: String, _ error: any Error) -> Bool {
        switch (error as? ImageError)?.problem {
        case .absent, .leftOut: false
        default: true
        }
    }

    @Test func picturesAreThoseOfPillow() throws {
        let reader = ImageReader()
        var judged = 0
        for (name, wanted) in expected {
            guard let pixels = wanted.pixels.map({ bytes($0) }) else { continue }
            do {
                let image = try reader.decode(contentsOf: "\(Self.folder)/\(name)")
                #expect([image.height, image.width, 3] == wanted.shape, "\(name)")
                let differences = zip(image.pixels, pixels).map { abs(Int($0) - Int($1)) }
                #expect(
                    image.pixels.count == pixels.count && differences.allSatisfy { $0 <= 1 }, "\(name): \(differences.max() ?? 0)"
                )
                judged += 1
                // A part is a part of the whole.
                let part = try reader.read(
                    contentsOf: "\(Self.folder)/\(name)", framing: Framing(resize: .none, crop: Size(width: 6, height: 4)))
                #expect(
                    part.image
                        == image.cropped(
                            columns: part.placement.x..<part.placement.x + 6, rows: part.placement.y..<part.placement.y + 4))
            } catch  where !isReadable(name, error) {} catch { Issue.record("\(name): \(error)") }
        }
        #expect(judged >= 18)
    }

    @Test func numbersAreKept() throws {
        for (name, wanted) in expected {
            guard let numbers = wanted.numbers else { continue }
            let size = Size(width: wanted.shape[1], height: wanted.shape[0])
            let recipe = Preprocessing(.raw, input: size, channelCount: wanted.shape[2])
            do {
                let framed = try ImageReader().read(contentsOf: "\(Self.folder)/\(name)", framing: recipe.framing)
                #expect(recipe.tensor(from: framed.image) == numbers, "\(name)")
                #expect(framed.image.samples?.areBytes == (name == "byte-bands.tif"))
            } catch  where !isReadable(name, error) {} catch { Issue.record("\(name): \(error)") }
        }
    }

    /// Wherever a file is cut or changed, it is decoded or refused in a sentence.
    @Test func damageIsRefused() throws {
        var random = SeededGenerator(seed: 5)
        let (reader, framing) = (ImageReader(), Framing(resize: .shorterSide(8), crop: Size(width: 8, height: 8)))
        var refused = 0
        for name in expected.keys.sorted() {
            let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/\(name)")))
            for round in 0..<40 {
                var bytes = original
                if round % 2 == 0 { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random)) }
                for _ in 0..<round % 5 where bytes.count > 8 {
                    bytes[Int.random(in: 0..<min(bytes.count, 160), using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                do {
                    _ = try bytes.withUnsafeBytes { try reader.read($0, framing: framing) }
                } catch let error as ImageError {
                    #expect(!error.reason.isEmpty)
                    refused += 1
                }
            }
        }
        #expect(refused > 200)
    }

    @Test func refusals() throws {
        func reason(_ bytes: [UInt8]) -> String {
            do throws(ImageError) {
                _ = try Image(decoding: bytes)
                return "decoded"
            } catch { return error.reason }
        }
        func file(_ name: String) throws -> [UInt8] {
            [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/\(name)")))
        }
        let bmp = try file("colours.bmp")
        #expect(
            reason(bmp.dropLast(9))
                == "is a BMP image that is truncated: its \(bmp.count - 9) bytes end before the picture does; get the file again")
        var packed = bmp
        packed[30] = 4
        #expect(reason(packed).contains("of a kind that is not decoded (packed by scheme 4)"))
        var large = bmp
        large.replaceSubrange(18..<26, with: [0, 0, 1, 0, 0, 0, 1, 0])
        #expect(reason(large).contains("promises 65536×65536 pixels"))
        let gif = try file("still.gif")
        #expect(reason(Array(gif.prefix(100))).contains("is a GIF image that is truncated"))
        #expect(reason(Array("GIF89a".utf8) + [1, 0, 1, 0, 0, 0, 0, 0x3B]).contains("it has no frame"))
        #expect(
            ImageError(.absent(.tiff)).reason
                == "is a TIFF image, which needs libtiff6, and that is not on this machine: apt install libtiff6")
        #expect(
            ImageError(.leftOut(.tiff)).reason
                == "is a TIFF image, which this program was built without (libtiff6); convert it first")
    }
}
