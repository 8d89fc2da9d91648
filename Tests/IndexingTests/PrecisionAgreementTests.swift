import ActivationStore
import Foundation
import Images
import Indexing
import NeuralNetwork
import Support
import TestSupport
import Testing

/// What multiplying less exactly does to a store.
@Suite struct PrecisionAgreementTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func description(_ precision: Precision) throws -> (
        network: Network, description: StoreDescription, recipe: Preprocessing
    ) {
        var options = Network.Options()
        options.precision = precision
        options.supportsPrecision = true
        let network = try Network(contentsOf: Fixtures.path("petshop.onnx"), options: options)
        let recipe = Preprocessing(.torchvision, input: .init(width: 96, height: 96), channelCount: 3)
        return (network, try StoreDescription(network, preprocessing: recipe, classes: [], blockImages: 50, topCount: 10), recipe)
    }

    private func store(_ name: String, _ precision: Precision, images: Int = 40) throws -> Store {
        let (network, description, recipe) = try description(precision)
        let path = folder.file(name)
        let writer = try StoreWriter.open(path: path, description: description, run: RunRecord(toolVersion: "test"))
        var dataset = try Dataset(paths: [Fixtures.path("petshop/test")])
        dataset.items = Array(dataset.items.prefix(images))
        _ = try Indexer(network: network, preprocessing: recipe, jobs: 2).run(dataset, into: writer)
        return try Store.open(path: path)
    }

    @Test func ofFloatsItIsWhole() throws {
        let agreement = try PrecisionAgreement(of: try store("a.sqlite", .float32), sample: 20, length: 5)
        #expect(agreement.images == 20 && agreement.length == 5 && agreement.neurons > 100)
        #expect(agreement.share == 1 && agreement.least?.share == 1)
    }

    /// Values of another image each: no list is that of float32, but for chance.
    @Test func ofOtherValuesItIsAsLowAsChance() throws {
        let (network, description, recipe) = try description(.float32)
        let path = folder.file("a.sqlite")
        let writer = try StoreWriter.open(path: path, description: description, run: RunRecord(toolVersion: "test"))
        let items = try Dataset(paths: [Fixtures.path("petshop/test")]).items.prefix(40)
        let (reader, worker) = (ImageReader(), try network.makeWorker())
        for (index, item) in items.enumerated() {
            let shown = items[(index * 7 + 11) % items.count].path
            recipe.write(try reader.read(contentsOf: shown, framing: recipe.framing).image, to: worker.input(image: 0))
            try worker.run()
            let bytes = try Data(contentsOf: URL(fileURLWithPath: item.path))
            try writer.append(
                image: ImageRecord(
                    path: item.path, sha256: Data(SHA256.hash(data: bytes)), width: 1, height: 1, bytes: bytes.count, modified: 0),
                values: worker.maxima(image: 0), positions: worker.positions(image: 0), means: worker.means(image: 0))
        }
        try writer.finish()
        let agreement = try PrecisionAgreement(of: try Store.open(path: path), sample: 40, length: 10)
        // A list of 10 of 40, drawn at random, shares a quarter.
        #expect(agreement.images == 40 && agreement.share < 0.5 && agreement.share > 0.1, "\(agreement)")
    }

    @Test func anotherPrecisionIsAnotherStore() throws {
        let path = try store("a.sqlite", .float32).path
        let floats = try description(.float32).description
        var model = floats.model
        model.precision = "bfloat16"
        let other = StoreDescription(
            model: model, preprocessing: floats.preprocessing, preprocessingHash: floats.preprocessingHash, layers: floats.layers,
            classes: floats.classes, blockImages: floats.blockImages, topCount: floats.topCount)
        do {
            _ = try StoreWriter.open(path: path, description: other, run: RunRecord(toolVersion: "test"))
            Issue.record("a store of another precision was grown")
        } catch StoreError.differs(_, let property, let expected, let found) {
            #expect(property == "precision" && expected == "bfloat16" && found == "float32")
        }
        // It is in the file, and checked there.
        let written = folder.file("b.sqlite")
        try StoreWriter.open(path: written, description: other, run: RunRecord(toolVersion: "test")).finish()
        #expect(try Store.open(path: written).description.precision == .bfloat16)
    }

    @Test(.enabled(if: Precision.bfloat16.isSupported)) func listsAreNearlyThoseOfFloats() throws {
        let store = try store("a.sqlite", .bfloat16)
        #expect(store.description.precision == .bfloat16)
        let agreement = try PrecisionAgreement(of: store, sample: 40, length: 10)
        #expect(agreement.images == 40 && agreement.share > 0.9, "\(agreement)")
        #expect(try Rederivation(of: store, model: nil).run(sample: 5).findings.isEmpty)
    }
}
