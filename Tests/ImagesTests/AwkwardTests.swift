import Foundation
import Images
import TestSupport
import Testing

/// The shared folder of awkward files, against what Pillow says of each.
@Suite struct AwkwardTests {
    static let folder = "real/images-awkward"

    struct Expectation {
        let file: String
        let peer: String
        let hash: String
    }

    static func expectations() throws -> [Expectation] {
        let text = try String(contentsOfFile: Shared.path("\(folder)/expected.csv"), encoding: .utf8)
        return text.split(whereSeparator: \.isNewline).dropFirst().map { line in
            // Quoted fields hold commas; the first field and the last are never quoted.
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            return Expectation(
                file: String(fields[0]), peer: fields.dropFirst(2).joined(separator: ","), hash: String(fields.last ?? ""))
        }
    }

    @Test(.enabled(if: Shared.has(folder), "needs real/images-awkward of the shared test data"))
    func pixelsArePillows() throws {
        let expectations = try Self.expectations()
        #expect(expectations.count == 42)
        var compared = 0
        for expected in expectations {
            let path = Shared.path("\(Self.folder)/\(expected.file)")
            let isDecoded = try ContentKind(ofFile: path).isDecoded
            if expected.hash.isEmpty || !isDecoded {
                #expect(throws: ImageError.self, "\(expected.file)") { try Image(contentsOf: path) }
                continue
            }
            let image = try Image(contentsOf: path)
            if expected.peer.contains("I;16") {  // Pillow clips 16-bit grey; neurodex scales it
                #expect(Set(image.pixels).count > 8, "\(expected.file)")
                continue
            }
            // The hashes are of the pixels as stored.
            let number = expected.peer.firstMatch(of: /EXIF (\d)/).flatMap { Int($0.1) } ?? 1
            let orientation = try #require(Orientation(rawValue: number))
            let stored = image.oriented(orientation.inverse)
            #expect(digest(stored.pixels).hasPrefix(expected.hash), "\(expected.file)")
            compared += 1
        }
        #expect(compared == 31)
    }

    /// Decoding only what a crop needs changes nothing in the crop.
    @Test(.enabled(if: Shared.has(folder), "needs real/images-awkward of the shared test data"))
    func aPartIsThatOfTheWhole() throws {
        let reader = ImageReader()
        for expected in try Self.expectations() where !expected.hash.isEmpty {
            let path = Shared.path("\(Self.folder)/\(expected.file)")
            guard try ContentKind(ofFile: path).isDecoded else { continue }
            let whole = try reader.decode(contentsOf: path)
            let part = try reader.read(contentsOf: path, framing: Framing(resize: .none, crop: Size(width: 40, height: 24)))
            #expect(part.image == whole.framed(part.placement), "\(expected.file)")
        }
    }

    @Test(.enabled(if: Shared.has(folder), "needs real/images-awkward of the shared test data"))
    func aCutIsNoticedBelowTheCrop() throws {
        let reader = ImageReader()
        let framing = Framing(resize: .none, crop: Size(width: 8, height: 8))
        for file in ["pillow/hopper.jpg", "derived/progressive_rgb.jpg", "pillow/pil_sample_cmyk.jpg"] {
            let path = URL(fileURLWithPath: Shared.path("\(Self.folder)/\(file)"))
            let bytes = [UInt8](try Data(contentsOf: path))
            for count in [bytes.count - 2, bytes.count * 9 / 10] {
                let error = #expect(throws: ImageError.self) {
                    try bytes[..<count].withUnsafeBytes { try reader.read($0, framing: framing) }
                }
                #expect(error?.problem == .truncated(.jpeg, bytes: count), "\(file)")
            }
        }
    }

    @Test(.enabled(if: Shared.has(folder), "needs real/images-awkward of the shared test data"))
    func refusalsSayWhatWasFound() throws {
        func reason(_ file: String) -> String {
            do {
                _ = try Image(contentsOf: Shared.path("\(Self.folder)/\(file)"))
                return "decoded"
            } catch {
                return error.reason
            }
        }
        #expect(
            reason("pillow/hopper.ppm")
                == "is a PNM (PPM, PGM or PBM) image; neurodex reads \(ContentKind.decoded): convert it first")
        #expect(reason("derived/html_error_page.jpg").hasPrefix("is an HTML page; "))
        #expect(reason("derived/zero_bytes.jpg").hasPrefix("is empty (0 bytes)"))
        #expect(reason("derived/truncated_half.jpg").contains("truncated: its 15708 bytes end"))
        #expect(reason("pillow/truncated_jpeg.jpg").contains("truncated"))
        #expect(reason("pillow/truncated_image.png").contains("truncated"))
        #expect(reason("derived/bomb_header_60000x60000_no_data.png").contains("promises 60000×60000 pixels"))
        #expect(reason("pillow/broken.png").contains("cannot be decoded"))
        #expect(reason("no-such-file.jpg") == "cannot be read: No such file or directory")
    }

    /// Damages real files several hundred times: each is decoded or refused, none crashes.
    @Test(.enabled(if: Shared.has(folder), "needs real/images-awkward of the shared test data"))
    func damageNeverCrashes() throws {
        var random = SeededGenerator(seed: 7)
        let reader = ImageReader()
        let framing = Framing(resize: .shorterSide(64), crop: Size(width: 56, height: 56))
        var refused = 0
        for file in [
            "pillow/hopper.jpg", "derived/progressive_rgb.jpg", "pillow/pil_sample_cmyk.jpg", "pillow/hopper.webp",
            "libpng/pngsuite__ibasn3p08.png", "libpng/pngsuite__basn6a16.png", "pillow/hopper_orientation_6.jpg",
        ] {
            let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Shared.path("\(Self.folder)/\(file)"))))
            for round in 0..<150 {
                var bytes = original
                if round % 3 == 0 { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random)) }
                for _ in 0..<(round % 7) where !bytes.isEmpty {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                do {
                    _ = try bytes.withUnsafeBytes { try reader.read($0, framing: framing) }
                } catch let error as ImageError {
                    #expect(!error.reason.isEmpty)
                    refused += 1
                }
            }
        }
        #expect(refused > 300)
    }
}

extension Image {
    /// The crop of a placement without a resize, pixel by pixel.
    func framed(_ placement: Placement) -> Image {
        var result = Image(width: placement.crop.width, height: placement.crop.height)
        result.blit(self, x: -placement.x, y: -placement.y)
        return result
    }
}

extension ContentKind {
    init(ofFile path: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        self = data.withUnsafeBytes { ContentKind(of: $0) }
    }
}

/// SplitMix64: the same numbers everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
