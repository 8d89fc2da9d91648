import Foundation
import Images
import TestSupport
import Testing

/// The walk through pooling on a real neuron's map, and cards.
@Suite struct RealMapTests {
    private let shop: Shop
    private let picture = "photos/test/cat/cat-43.jpg"

    init() throws { shop = try Shop() }

    private func walk(_ arguments: String...) throws -> [String: Any] {
        let result = try Executable.run(
            ["walkthrough", "pool", "--store", "shop.sqlite", "--image", picture, "--format", "json"] + arguments, in: shop.path)
        #expect(result.status == 0, "\(result)")
        return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }

    /// A part of 8×8 cells, pooled 2×2; its windows are those of the whole map.
    @Test func aRealMapIsPooledAsTheNetworkPoolsIt() throws {
        let walked = try walk("--neuron", "conv4:3")
        let (input, pooled) = (walked["input"] as? [[Double]] ?? [], walked["pooled"] as? [[Double]] ?? [])
        #expect(input.count == 8 && pooled.count == 4 && walked["size"] as? Int == 2)
        for (row, values) in pooled.enumerated() {
            for (column, value) in values.enumerated() {
                let window = input[2 * row..<2 * row + 2].flatMap { $0[2 * column..<2 * column + 2] }
                #expect(window.max() == value)
            }
        }
        // The part is around the map's maximum.
        let raw = try shop.run("maps", "shop.sqlite", "conv4:3", "--image", picture, "--raw", "map.npy")
        #expect(raw.status == 0, "\(raw)")
        // Everything before is the head of the NumPy file.
        let map = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file("map.npy"))).dropFirst(128).withUnsafeBytes {
            bytes in
            (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
        #expect(map.max().map { Double($0) } == input.joined().max())
    }

    @Test func whatDoesNotFitTogetherIsSaid() throws {
        let half = try shop.run("walkthrough", "pool", "--image", picture)
        #expect(half.status == 64 && half.errors.contains("--store, --image and --neuron LAYER:CHANNEL together"), "\(half)")
        let flat = try shop.run(
            "walkthrough", "pool", "--store", "shop.sqlite", "--image", picture, "--neuron", "class:cat")
        #expect(flat.status == 1 && flat.errors.contains("class:cat has no map"), "\(flat)")
        let twice = try shop.run(
            "walkthrough", "pool", "--store", "shop.sqlite", "--image", picture, "--neuron", "conv4:3", "--input", "1,2;3,4")
        #expect(twice.status == 64, "\(twice)")
    }

    @Test func aCardSaysWhoseShareIsColoured() throws {
        let card = try shop.run("card", "shop.sqlite", "conv4:3", "--steps", "2", "-o", "card.svg")
        #expect(card.status == 0, "\(card)")
        let text = try String(contentsOfFile: shop.folder.file("card.svg"), encoding: .utf8)
        #expect(text.contains(">labelled dog: "), "the histogram says whose share is coloured")
        #expect(try shop.run("verify", "card.svg").status == 0)
    }
}
