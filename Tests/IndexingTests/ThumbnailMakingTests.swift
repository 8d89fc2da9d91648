import ActivationStore
import Foundation
import Images
import Indexing
import NeuralNetwork
import TestSupport
import Testing

/// Thumbnails of what the network saw: the same whoever makes them and when, and not in the way of what is computed.
@Suite struct ThumbnailMakingTests {
    private let folder: TemporaryFolder
    private let recipe = Preprocessing(.torchvision, input: .init(width: 96, height: 96), channelCount: 3)

    init() throws { folder = try TemporaryFolder() }

    private func index(_ name: String, side: Int?, jobs: Int) throws -> String {
        let path = folder.file(name)
        let network = try Network(contentsOf: Fixtures.path("petshop.onnx"))
        let description = try StoreDescription(
            network, preprocessing: recipe, classes: [], blockImages: 16, topCount: 10, thumbnailSide: side)
        let writer = try StoreWriter.open(path: path, description: description, run: RunRecord(toolVersion: "test"))
        var dataset = try Dataset(paths: [Fixtures.path("petshop/test")])
        dataset.items = Array(dataset.items.prefix(40))
        _ = try Indexer(network: network, preprocessing: recipe, jobs: jobs).run(dataset, into: writer)
        return path
    }

    @Test func areThoseOfTheFrameWhoeverMakesThem() throws {
        let (one, three) = (
            try StoreDump(index("1.sqlite", side: 64, jobs: 1)), try StoreDump(index("3.sqlite", side: 64, jobs: 3))
        )
        #expect(three.differences(from: one) == [])
        let store = try Store.open(path: folder.file("1.sqlite"))
        #expect(try store.thumbnailCount().count == 40)
        let image = try #require(try store.image(id: 7))
        let frame = try ImageReader().read(contentsOf: image.path, framing: recipe.framing).image
        let thumbnail = try #require(try store.thumbnail(image: 7))
        #expect(try thumbnail == Thumbnail(of: frame, side: 64))
        let picture = try Image(decoding: Array(thumbnail.jpeg))
        #expect(picture.width == 64 && picture.height == 64)
        let small = frame.resized(width: 64, height: 64)
        let error = zip(picture.pixels, small.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        #expect(Double(error) / Double(picture.pixels.count) < 6)
    }

    @Test func madeLaterAreTheSameAndNothingElseIsOther() throws {
        let (with, without) = (try index("a.sqlite", side: 48, jobs: 2), try index("b.sqlite", side: nil, jobs: 2))
        let (whole, plain) = (try StoreDump(with), try StoreDump(without))
        #expect(plain.tables["thumbnail"] == [] && whole.tables["image"] == plain.tables["image"])
        #expect(whole.tables["activation_block"] == plain.tables["activation_block"])
        let writer = try StoreWriter.open(
            path: without, description: Store.open(path: without).description, run: RunRecord(toolVersion: "test"))
        try writer.keepThumbnails(side: 48)
        let made = try ThumbnailMaking(preprocessing: recipe, side: 48).run(into: writer)
        #expect(made == ThumbnailMaking.Summary(made: 40, missing: 0, example: nil))
        try writer.finish()
        #expect(try StoreDump(without).differences(from: whole) == [])
    }

    @Test func aWideFrameKeepsItsProportions() throws {
        let thumbnail = try Thumbnail(of: Image(width: 320, height: 100, fill: Color(10, 200, 30)), side: 160)
        let picture = try Image(decoding: Array(thumbnail.jpeg))
        #expect(picture.width == 160 && picture.height == 50)
        #expect(abs(Int(picture[80, 25].green) - 200) <= 2)
        let small = try Image(decoding: Array(Thumbnail(of: Image(width: 20, height: 30), side: 160).jpeg))
        #expect(small.width == 20 && small.height == 30)
    }
}
