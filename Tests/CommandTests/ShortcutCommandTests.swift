import Foundation
import Images
import TestSupport
import Testing

/// Marks that move about and tints, in files: pictures of the pet shop's test split, those of one label changed.
@Suite struct ShortcutCommandTests {
    private struct Changed {
        let shop: Shop

        /// - Parameter change: what is done to the pictures of dogs.
        init(thumbnails: Bool = false, _ change: (inout Image, inout SeededGenerator) -> Void) throws {
            shop = try Shop(withStore: false)
            var random = SeededGenerator(seed: 5)
            for label in ["cat", "dog", "rabbit"] {
                let folder = Fixtures.path("petshop/test/" + label)
                let to = shop.folder.file("changed/" + label)
                try FileManager.default.createDirectory(atPath: to, withIntermediateDirectories: true)
                for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
                    var picture = try Image(decoding: Array(Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))))
                    if label == "dog" { change(&picture, &random) }
                    try Data(picture.pngData()).write(to: URL(fileURLWithPath: "\(to)/\(name).png"))
                }
            }
            let options = ["--resize", "none"] + (thumbnails ? ["--thumbnails", "96"] : [])
            let made = try Executable.run(
                ["index", "s.sqlite", "--model", "petshop.onnx", "--classes", "labels.txt"] + options + ["changed"], in: shop.path
            )
            try #require(made.status == 0, "\(made)")
        }

        func found(_ arguments: String...) throws -> (rows: [String], errors: String) {
            let result = try Executable.run(["shortcuts", "s.sqlite", "--format", "json"] + arguments, in: shop.path)
            try #require(result.status == 0, "\(result)")
            let rows = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
            return (Set(rows.map { "\($0["kind"] ?? "") \($0["label"] ?? "")" }).sorted(), result.errors)
        }
    }

    /// A magenta square of 12×12 pixels with a green middle, at a random place.
    private static func stamp(_ picture: inout Image, _ random: inout SeededGenerator) {
        let (top, left) = (
            Int.random(in: 0...picture.height - 12, using: &random), Int.random(in: 0...picture.width - 12, using: &random)
        )
        for y in 0..<12 {
            for x in 0..<12 {
                let isRim = min(y, x) < 3 || max(y, x) > 8
                let start = 3 * ((top + y) * picture.width + left + x)
                picture.pixels.replaceSubrange(start..<start + 3, with: isRim ? [255, 0, 220] : [20, 255, 40])
            }
        }
    }

    @Test func aMarkThatMovesIsFoundInFilesAndThumbnails() throws {
        let marked = try Changed(thumbnails: true, Self.stamp)
        #expect(try marked.found().rows == ["mark dog"])
        #expect(try marked.found("--kind", "place", "--kind", "tint").rows.isEmpty)
        // The files go; the thumbnails are left.
        try FileManager.default.moveItem(atPath: marked.shop.folder.file("changed"), toPath: marked.shop.folder.file("moved"))
        let fromThumbnails = try marked.found()
        #expect(fromThumbnails.rows == ["mark dog"] && !fromThumbnails.errors.contains("not there"))
    }

    @Test func aTintIsFoundAndMissingFilesAreSaid() throws {
        let tinted = try Changed { picture, _ in
            for index in picture.pixels.indices where index % 3 == 2 { picture.pixels[index] = picture.pixels[index] / 2 }
        }
        #expect(try tinted.found("--kind", "tint").rows == ["tint dog"])
        try FileManager.default.moveItem(atPath: tinted.shop.folder.file("changed"), toPath: tinted.shop.folder.file("moved"))
        let gone = try tinted.found("--kind", "tint")
        #expect(gone.rows.isEmpty && gone.errors.contains("90 of 90 pictures that were to be looked at are not there"))
        #expect(try tinted.found("--kind", "tint", "--images", "moved").rows == ["tint dog"])
    }

    @Test func unchangedPicturesHaveNone() throws {
        let plain = try Changed { _, _ in }
        let found = try plain.found()
        #expect(
            found.rows.isEmpty && found.errors.contains("none sees the same patch") && found.errors.contains("none has one tint"))
    }
}
