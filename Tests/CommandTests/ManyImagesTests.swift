import Foundation
import Images
import TestSupport
import Testing

/// Explanations of many images: which are taken, what is summed up, what is left out, and that pictures are made again.
@Suite struct ManyImagesTests {
    private let shop: Shop

    init() throws { shop = try Shop() }

    private func rows(_ result: Executable.Result) throws -> [[String: Any]] {
        try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]], "\(result)")
    }

    private func paths(_ condition: String) throws -> [String] {
        let result = try shop.run(
            "sql", "shop.sqlite", "SELECT path FROM image_info WHERE \(condition) ORDER BY id", "--format", "json")
        return try rows(result).compactMap { $0["path"] as? String }
    }

    @Test func aConditionAndACountChoose() throws {
        let condition = "label = 'fish' AND split = 'test'"
        let all = try paths(condition)
        let result = try shop.run("saliency", "shop.sqlite", "--where", condition, "-k", "3", "--format", "json", "--no-keep")
        #expect(result.status == 0, "\(result)")
        // The middle of each third, by the order of the store.
        let expected = (0..<3).map { all[(2 * $0 + 1) * all.count / 6] }
        #expect(try rows(result).compactMap { $0["image"] as? String } == expected)
        #expect(result.errors.contains("3 of \(all.count) images, evenly through their order; -k \(all.count) takes all"))
        let none = try shop.run("saliency", "shop.sqlite", "--where", "label = 'unicorn'")
        #expect(none.status == 1 && none.errors.contains("no image is left to explain"), "\(none)")
        let nothing = try shop.run("saliency", "shop.sqlite")
        #expect(nothing.status == 64 && nothing.errors.contains("--where"), "\(nothing)")
    }

    @Test func aFolderIsAllItsImagesAndWhatCannotBeReadIsSaid() throws {
        try FileManager.default.createDirectory(atPath: shop.folder.file("mine"), withIntermediateDirectories: true)
        for name in ["cat-43", "cat-44"] {
            try FileManager.default.copyItem(
                atPath: Fixtures.path("petshop/test/cat/\(name).jpg"), toPath: shop.folder.file("mine/\(name).jpg"))
        }
        try Data("no picture".utf8).write(to: URL(fileURLWithPath: shop.folder.file("mine/broken.jpg")))
        let result = try shop.run(
            "occlusion", "shop.sqlite", "mine", "--window", "48", "--stride", "48", "--format", "json", "-o", "a.png", "--raw",
            "maps")
        #expect(result.status == 2, "\(result)")
        #expect(try rows(result).compactMap { $0["image"] as? String } == ["mine/cat-43.jpg", "mine/cat-44.jpg"])
        #expect(result.errors.contains("not explained: 1 of 3 images\n") && result.errors.contains("mine/broken.jpg"))
        #expect(FileManager.default.fileExists(atPath: shop.folder.file("maps/cat-44.npy")))
        let verified = try shop.run("verify", "a.png")
        #expect(verified.status == 0, "\(verified)")
        // Of what is not in the store no condition is known, though these files are copies of files that are.
        let strange = try shop.run("saliency", "shop.sqlite", "mine", "--where", "label = 'cat'")
        #expect(strange.status == 1, "\(strange)")
        let all = try shop.run(
            "saliency", "shop.sqlite", "photos/test/cat", "photos/test/dog", "--where", "label = 'dog'", "--format", "json")
        let labels = Set(try rows(all).compactMap { ($0["image"] as? String)?.contains("/dog/") })
        #expect(all.status == 0 && labels == [true], "\(all)")
    }

    /// The mean map is the mean of the maps; images of one name in two folders do not write over each other.
    @Test func meansAreOfTheMapsThatAreWritten() throws {
        for folder in ["one", "two"] {
            try FileManager.default.createDirectory(atPath: shop.folder.file(folder), withIntermediateDirectories: true)
        }
        for (folder, name) in [("one", "test/cat/cat-43.jpg"), ("two", "test/dog/dog-43.jpg")] {
            try FileManager.default.copyItem(
                atPath: Fixtures.path("petshop/\(name)"), toPath: shop.folder.file("\(folder)/same.jpg"))
        }
        let result = try shop.run(
            "occlusion", "shop.sqlite", "one", "two", "--target", "class:cat", "--window", "32", "--stride", "32", "--mean", "-o",
            "mean.png", "--raw", "maps")
        #expect(result.status == 0, "\(result)")
        let (a, b) = (try map("maps/same.npy"), try map("maps/same-2.npy"))
        let mean = try map("maps/mean.npy")
        #expect(a != b && mean.count == a.count)
        for (value, (one, two)) in zip(mean, zip(a, b)) { #expect(value == Float((Double(one) + Double(two)) / 2)) }
        let verified = try shop.run("verify", "mean.png")
        #expect(verified.status == 0 && verified.output.contains("--mean"), "\(verified)")
    }

    private func map(_ name: String) throws -> [Float] {
        let data = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file(name)))
        // Everything before is the head of a NumPy file, 128 bytes here.
        return data.dropFirst(128).withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }

    /// What the table of boxes does not name is said, and not counted.
    @Test func evidenceInBoxesIsSummedUp() throws {
        try Data("file,x0,y0,x1,y1\nphotos/test/cat/cat-43.jpg,0,0,96,96\n".utf8).write(
            to: URL(fileURLWithPath: shop.folder.file("boxes.csv")))
        let result = try shop.run(
            "saliency", "shop.sqlite", "photos/test/cat", "--truth", "boxes.csv", "--format", "json", "--no-keep")
        #expect(result.status == 0, "\(result)")
        let entries = try rows(result)
        let shares = entries.compactMap { $0["evidence"] as? Double }
        #expect(shares == [1] && entries.count > 1)
        #expect(result.errors.contains("has no row for \(entries.count - 1) of \(entries.count) images, such as "))
        #expect(result.errors.contains("100.0 % of the evidence in boxes, the mean of 1 maps"), "\(result.errors)")
    }

    /// More images than a page has room for are drawn on several, each of which names its own.
    @Test func pagesAreNumberedAndMadeAgain() throws {
        let names = try paths("split = 'test'")
        let result = try shop.run(
            "cam", "shop.sqlite", "--where", "split = 'test'", "--size", "2048", "-k", "3", "--no-keep", "-o", "page.png")
        #expect(result.status == 0 && names.count > 3, "\(result)")
        #expect(result.errors.contains("drawn on 3 pages, page-1.png to page-3.png"), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: shop.folder.file("page.png")))
        let verified = try shop.run("verify", "page-2.png")
        #expect(verified.status == 0, "\(verified)")
    }

    /// Neurons are sent back from the images of folders as well, chosen as for other explanations; a file that is none is said.
    @Test func projectionsAreOfManyImages() throws {
        try FileManager.default.createDirectory(atPath: shop.folder.file("mine"), withIntermediateDirectories: true)
        for name in ["cat-43", "cat-44", "cat-45"] {
            try FileManager.default.copyItem(
                atPath: Fixtures.path("petshop/test/cat/\(name).jpg"), toPath: shop.folder.file("mine/\(name).jpg"))
        }
        try Data("no picture".utf8).write(to: URL(fileURLWithPath: shop.folder.file("mine/broken.jpg")))
        let result = try shop.run(
            "deconv", "shop.sqlite", "conv4:3", "conv4:5", "--image", "mine", "--size", "2048", "--format", "json", "--raw",
            "maps",
            "-o", "page.png")
        #expect(result.status == 2, "\(result)")
        #expect(result.errors.contains("not projected: 2 of 8 maxima") && result.errors.contains("mine/broken.jpg"))
        #expect(result.errors.contains("drawn on 2 pages, page-1.png to page-2.png"), "\(result.errors)")
        let images = try rows(result).compactMap { $0["image"] as? String }
        #expect(images == ["mine/cat-43.jpg", "mine/cat-44.jpg", "mine/cat-45.jpg"] + images.prefix(3) && images.count == 6)
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.folder.file("maps")).count == 6)
        let verified = try shop.run("verify", "page-2.png")
        #expect(verified.status == 0 && verified.output.hasSuffix(" shop.sqlite conv4:5\n"), "\(verified)")
        // Nowhere but at its own maximum on the image.
        let one = try shop.run(
            "deconv", "shop.sqlite", "conv4:3", "--image", "photos/test/cat/cat-43.jpg", "--raw", "one", "--no-keep")
        #expect(one.status == 0, "\(one)")
        #expect(try map("maps/conv4-3-1.npy") == map("one/conv4-3-1.npy"))
        let chosen = try shop.run(
            "deconv", "shop.sqlite", "conv4:3", "--image", "photos", "--where", "label = 'dog'", "-k", "2", "--format", "json")
        #expect(chosen.status == 0, "\(chosen)")
        #expect(try rows(chosen).compactMap { $0["label"] as? String } == ["dog", "dog"])
    }
}
