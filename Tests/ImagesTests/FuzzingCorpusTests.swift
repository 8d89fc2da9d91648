import Foundation
import Images
import TestSupport
import Testing

/// What the fuzzer of Fuzzing/images begins with, and has found: each file is decoded or refused.
@Suite struct FuzzingCorpusTests {
    private static let folder = URL(fileURLWithPath: Fixtures.folder).deletingLastPathComponent().path + "/Fuzzing/images/corpus"

    @Test func everyFileIsDecodedOrRefused() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted()
        #expect(names.count > 20)
        let (reader, framing) = (ImageReader(), Framing(resize: .shorterSide(32), crop: Size(width: 28, height: 28)))
        var decoded = 0
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/\(name)")))
            do {
                let framed = try bytes.withUnsafeBytes { try reader.read($0, framing: framing) }
                #expect(framed.image.width == 28 && framed.image.height == 28)
                decoded += 1
            } catch is ImageError {} catch { Issue.record("\(name): \(error)") }
        }
        #expect(decoded > 10, "of \(names.count) files, \(decoded) are decoded")
    }

    /// Headers that promise far more pixels than their bytes can be, found by the fuzzer; decoding one took 236 million pixels' memory.
    @Test func fewBytesAreNoLargePicture() throws {
        var photo = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("awkward/grey.jpg"))))
        let frame = try #require(photo.indices.dropLast().first { photo[$0] == 0xFF && (0xC0...0xC2).contains(photo[$0 + 1]) })
        // Height and width, two bytes each.
        photo.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0x8D, 0x0E, 0x18])
        let error = #expect(throws: ImageError.self) { try Image(decoding: photo) }
        #expect(error?.reason.contains("\(photo.count) bytes cannot hold 65421×3608 pixels") == true, "\(error?.reason ?? "")")
    }
}
