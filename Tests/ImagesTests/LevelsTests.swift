import Foundation
import Images
import TestSupport
import Testing

/// Pictures of more than 8 bits, PNG and DICOM, as numbers and as 8 bits, beside NumPy, Pillow and pydicom: fixtures/recipe/levels.py.
@Suite struct LevelsTests {
    private struct Expected: Decodable {
        /// Height, width, channels.
        var shape: [Int]
        /// In hexadecimal.
        var pixels: String
        var numbers: [Float]?
    }

    private static let folder = Fixtures.path("levels")
    private let expected: [String: Expected]

    init() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.folder + "/expected.json"))
        expected = try JSONDecoder().decode([String: Expected].self, from: data)
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/\(name)")))
    }

    private func recipe(_ preset: Preprocessing.Preset, _ shape: [Int], channels: Int) -> Preprocessing {
        Preprocessing(preset, input: Size(width: shape[1], height: shape[0]), channelCount: channels)
    }

    private func tensor(_ name: String, _ recipe: Preprocessing) throws -> [Float] {
        recipe.tensor(from: try ImageReader().read(contentsOf: "\(Self.folder)/\(name)", framing: recipe.framing).image)
    }

    @Test func eightBitsAreThoseOfPillowAndPydicom() throws {
        #expect(expected.count == 21)
        for (name, wanted) in expected {
            let image = try Image(contentsOf: "\(Self.folder)/\(name)")
            #expect([image.height, image.width] == Array(wanted.shape.prefix(2)), "\(name)")
            let digits = Array(wanted.pixels)
            let pixels = stride(from: 0, to: digits.count, by: 2).map { Int(String(digits[$0...$0 + 1]), radix: 16) ?? -1 }
            let largest = zip(image.pixels, pixels).map { abs(Int($0) - $1) }.max() ?? 0
            // JPEG's inverse transform differs by a level or two from one version of its library to the next.
            #expect(image.pixels.count == pixels.count && largest <= (name.contains("jpeg") ? 3 : 1), "\(name): \(largest)")
        }
    }

    @Test func numbersAreKept() throws {
        for (name, wanted) in expected {
            guard let numbers = wanted.numbers else { continue }
            let exact = recipe(.raw, wanted.shape, channels: wanted.shape[2])
            #expect(try tensor(name, exact) == numbers || name == "grey-jpeg.dcm", "\(name)")
            // Grey is repeated for a network of three channels, and colours become grey for one.
            let other = try tensor(name, recipe(.raw, wanted.shape, channels: 4 - wanted.shape[2]))
            if wanted.shape[2] == 1 {
                let exact = try tensor(name, exact)
                #expect(other.indices.allSatisfy { other[$0] == exact[$0 / 3] }, "\(name)")
            } else {
                let grey = stride(from: 0, to: numbers.count, by: 3).map { at in
                    let sum = Double(numbers[at]) * 19595 + Double(numbers[at + 1]) * 38470 + Double(numbers[at + 2]) * 7471
                    return Float(sum / 65536)
                }
                #expect(other == grey, "\(name)")
            }
        }
        // In the network's order of colours, unlike an array.
        var turned = recipe(.raw, [11, 14], channels: 3)
        turned.channels = .bgr
        let (bgr, rgb) = (try tensor("colours.png", turned), try tensor("colours.png", recipe(.raw, [11, 14], channels: 3)))
        #expect(bgr[0] == rgb[2] && bgr[2] == rgb[0] && rgb[0] != rgb[2])
    }

    /// Other recipes divide what is 0 to 255, so that they see the high 8 bits; so do stores made before levels were kept.
    @Test func otherRecipesSeeEightBits() throws {
        let plain = try tensor("grey.png", recipe(.plain, [11, 14], channels: 1))
        #expect(plain.allSatisfy { (0...1).contains($0) })
        var old = recipe(.raw, [11, 14], channels: 1)
        old.levels.areNumbers = false
        #expect(try tensor("grey.png", old).allSatisfy { $0 <= 255 })
        #expect(try tensor("grey.png", recipe(.raw, [11, 14], channels: 1)).contains { $0 > 255 })
        #expect(try !old.canonicalJSON().contains("levels"))
    }

    /// TIFFs of 16 bits go the same way.
    @Test func tiffsOfSixteenBits() throws {
        let reader = ImageReader()
        for (name, channels) in [("deep-grey.tif", 1), ("deep-colours.tif", 3)] {
            let path = Fixtures.path("formats/" + name)
            do throws(ImageError) {
                let raw = recipe(.raw, [11, 14], channels: channels)
                let values = raw.tensor(from: try reader.read(contentsOf: path, framing: raw.framing).image)
                let eight = try reader.decode(contentsOf: path)
                // levels · 257 + 3 in 16 bits, of which 8 bits are the high byte.
                #expect(values.allSatisfy { (Int($0) + 65533) % 65536 % 257 == 0 }, "\(name)")
                #expect(values.indices.allSatisfy { Int(values[$0]) >> 8 == Int(eight.pixels[channels == 3 ? $0 : 3 * $0]) })
            } catch {
                guard error.problem == .absent(.tiff) || error.problem == .leftOut(.tiff) else { throw error }
            }
        }
    }

    @Test func paddingIsOfTheLevelsRange() throws {
        var recipe = recipe(.raw, [20, 14], channels: 1)
        (recipe.resize, recipe.padding) = (.letterbox(.center), .white)
        let seen = try tensor("grey.png", recipe)
        #expect(seen.first == 65535 && seen.last == 65535)
        #expect(try tensor("explicit.dcm", recipe).first == 0)
    }

    @Test func windows() throws {
        let bytes = try bytes("explicit.dcm")
        func pixels(_ window: Window?) throws -> [UInt8] {
            try bytes.withUnsafeBytes { try ImageReader().decode($0, levels: Levels(window: window)) }.pixels
        }
        // The file's own is 40,400.
        #expect(try pixels(Window("40,400")) == pixels(nil))
        let numbers = try #require(expected["explicit.dcm"]?.numbers)
        // PS3.3, C.11.2.1.2, written out.
        let wide = try pixels(Window(center: 300, width: 900))
        for (index, x) in numbers.enumerated() {
            let y = x <= 299.5 - 449.5 ? 0 : x > 299.5 + 449.5 ? 255 : ((x - 299.5) / 899 + 0.5) * 255
            #expect(abs(Float(wide[3 * index]) - y) <= 0.5001)
        }
        #expect(Window("40") == nil && Window("40,0.5") == nil && Window("a,b") == nil && Window("1,2,3") == nil)
        var recipe = recipe(.plain, [11, 14], channels: 1)
        recipe.levels.window = Window("-600,1500")
        #expect(try Preprocessing(json: try recipe.canonicalJSON()) == recipe && recipe.summary.contains("window -600,1500"))
    }

    @Test func refusalsSayWhatToDo() throws {
        func reason(_ change: (inout [UInt8]) -> Void) throws -> String {
            var bytes = try bytes("explicit.dcm")
            change(&bytes)
            do throws(ImageError) {
                _ = try Image(decoding: bytes)
                return "decoded"
            } catch { return error.reason }
        }
        func replace(_ old: String, _ new: String) -> (inout [UInt8]) -> Void {
            { bytes in
                let (old, new) = (Array(old.utf8), Array(new.utf8))
                let place = bytes.indices.first { bytes[$0...].starts(with: old) }
                if let place { bytes.replaceSubrange(place..<place + old.count, with: new) }
            }
        }
        let pad = "\0"
        #expect(
            try reason(replace("1.2.840.10008.1.2.1" + pad, "1.2.840.10008.1.2.7" + pad)).contains(
                "transfer syntax 1.2.840.10008.1.2.7; gdcmconv --raw"))
        #expect(try reason(replace("MONOCHROME2", "MONOCHROME7")).contains("colours of kind MONOCHROME7 with 1 samples"))
        #expect(try reason { $0.removeLast(9) }.contains("is a DICOM file that is truncated"))
        #expect(try reason { $0.removeLast($0.count - 200) }.contains("DICOM"))
        // For a network of five channels there are arrays alone.
        let wide = recipe(.raw, [11, 14], channels: 5)
        let error = #expect(throws: ImageError.self) { try tensor("explicit.dcm", wide) }
        #expect(error?.reason.contains("the network takes 5") == true)
    }

    /// Wherever a file is cut or changed, it is decoded or refused in a sentence, either way.
    @Test func damageIsRefused() throws {
        var random = SeededGenerator(seed: 6)
        let reader = ImageReader()
        var refused = 0
        for name in expected.keys.sorted() {
            let original = try bytes(name)
            for round in 0..<60 {
                var bytes = original
                if round % 2 == 0 { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random)) }
                for _ in 0..<round % 5 where bytes.count > 140 {
                    bytes[Int.random(in: 132..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                var framing = Framing(resize: .shorterSide(8), crop: Size(width: 8, height: 8))
                if round % 3 == 0 { (framing.levels, framing.channels) = (Levels(areNumbers: true), 1) }
                do {
                    _ = try bytes.withUnsafeBytes { try reader.read($0, framing: framing) }
                } catch let error as ImageError {
                    #expect(!error.reason.isEmpty)
                    refused += 1
                }
            }
        }
        #expect(refused > 300, "\(refused)")
    }
}
