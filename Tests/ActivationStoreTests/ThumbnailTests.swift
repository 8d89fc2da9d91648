import ActivationStore
import Foundation
import GRDB
import TestSupport
import Testing

/// Thumbnails in a store: kept, copied, forgotten and checked with their images. How they grow, merge and compact is in the tests of those.
@Suite struct ThumbnailTests {
    private let folder: TemporaryFolder
    private let path: String
    private let run = RunRecord(toolVersion: "test")

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("a.sqlite")
    }

    private func dataset(images: Int = 30) -> RecordedDataset {
        RecordedDataset(images: images, layers: RecordedDataset.layers(), blockImages: 16, seed: 9)
    }

    @Test func areAsTheyWereWritten() throws {
        let dataset = dataset()
        try dataset.write(path)
        let store = try Store.open(path: path)
        for (id, image) in dataset.images.enumerated() { #expect(try store.thumbnail(image: id) == image.thumbnail) }
        let written = dataset.images.compactMap(\.thumbnail)
        #expect(try store.thumbnailCount() == ThumbnailCount(count: 20, bytes: written.reduce(0) { $0 + $1.jpeg.count }))
        #expect(try store.verify().thumbnails == 20 && store.verify().isWhole)
        try store.remove(images: [0, 1, 2])
        #expect(try store.thumbnailCount().count == 18 && store.thumbnail(image: 0) == nil)
        #expect(try store.verify().isWhole)
        try Store.compact(path: path, run: run)
        #expect(try Store.open(path: path).thumbnail(image: 0) == dataset.images[3].thumbnail)
    }

    @Test func damageIsSaidAndNotMended() throws {
        try dataset().write(path)
        try DatabaseQueue(path: path).write { try $0.execute(sql: "UPDATE thumbnail SET jpeg = x'00' WHERE image_id = 5") }
        let store = try Store.open(path: path)
        #expect(try store.thumbnail(image: 5) == nil && store.thumbnail(image: 6) != nil)
        let finding =
            "The thumbnail of image 5 differs from its checksum; index the image again with --thumbnails to make it anew."
        #expect(try store.verify().findings == [finding])
        try store.remove(images: [0])
        try Store.compact(path: path, run: run)
        #expect(try Store.open(path: path).verify().findings == [finding.replacing("image 5", with: "image 4")])
        // One of an image that is not there.
        try DatabaseQueue(path: path).write { try $0.execute(sql: "UPDATE thumbnail SET image_id = 999 WHERE image_id = 4") }
        #expect(try Store.open(path: path).verify().findings.count == 1)
    }

    @Test func aStoreOfVersionFourHasNoneAndGetsThem() throws {
        let dataset = dataset()
        try dataset.write(path)
        let whole = try StoreDump(path)
        try makeOlder(path, version: 4)
        let store = try Store.open(path: path)
        #expect(try store.thumbnail(image: 0) == nil && store.thumbnailCount() == ThumbnailCount())
        #expect(try store.verify().isWhole && store.summary().thumbnails?.count == 0)
        // What writes to it brings it to the present version.
        let writer = try dataset.open(path)
        #expect(try writer.imagesWithoutThumbnail().map(\.image.id) == Array(0..<30))
        #expect(try writer.keepThumbnails(side: 64) == 0 && writer.description.thumbnailSide == 64)
        try writer.keep(dataset.images.enumerated().compactMap { id, image in image.thumbnail.map { (id, $0) } })
        #expect(try writer.imagesWithoutThumbnail().map(\.image.id) == (0..<30).filter { $0 % 3 == 1 })
        try writer.finish()
        let grown = try Store.open(path: path)
        #expect(try grown.verify().isWhole && grown.description.thumbnailSide == 64)
        #expect(try StoreDump(path).tables["thumbnail"] == whole.tables["thumbnail"])
        let again = try dataset.open(path)
        #expect(try again.keepThumbnails(side: nil) == 20)
        try again.finish()
        #expect(try Store.open(path: path).thumbnailCount().count == 0)
        #expect(try Store.open(path: path).description.thumbnailSide == nil)
    }

    @Test func joinedStoresKeepThemAndTheLargestSide() throws {
        var paths: [String] = []
        for (index, side) in [nil, 32, 160].enumerated() {
            var part = RecordedDataset(images: 10, layers: RecordedDataset.layers(), blockImages: 16, seed: 9)
            part.description = part.description.keepingThumbnails(side: side)
            for image in part.images.indices { part.images[image].path += "-\(index)" }
            paths.append(folder.file("\(index).sqlite"))
            try part.write(paths[index])
        }
        try Store.merge(paths, into: path, run: run)
        let joined = try Store.open(path: path)
        #expect(try joined.description.thumbnailSide == 160 && joined.thumbnailCount().count == 21)
        #expect(try joined.verify().isWhole)
    }
}
