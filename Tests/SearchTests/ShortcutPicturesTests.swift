import ActivationStore
import CKernels
import Foundation
import Search
import TestSupport
import Testing

/// Marks that move about and tints: what `shortcuts` finds in the pictures that it is given.
@Suite struct ShortcutPicturesTests {
    private static let side = 64
    /// Of the map; a cell sees 8×8 pixels of 4 in 4.
    private static let cells = 16

    /// Whatever is drawn into the pictures of one label.
    private enum Plant { case nothing, mark, markEverywhere, tint }

    private struct Shop {
        let folder: TemporaryFolder
        let store: Store
        let pictures: [SmallPicture]

        func given(_ isThere: @escaping (Int) -> Bool = { _ in true }) -> GivenPictures {
            let pictures = pictures
            return GivenPictures { isThere($0.id) ? pictures[$0.id] : nil }
        }
    }

    private static func clutter(_ random: inout SeededGenerator) -> [UInt8] {
        var pixels = [UInt8](repeating: 0, count: 3 * side * side)
        let ground = (0..<3).map { _ in Int.random(in: 60...180, using: &random) }
        for index in pixels.indices { pixels[index] = UInt8(ground[index % 3] + Int.random(in: -12...12, using: &random)) }
        for _ in 0..<8 {
            let (height, width) = (Int.random(in: 4...24, using: &random), Int.random(in: 4...24, using: &random))
            let (top, left) = (
                Int.random(in: 0...side - height, using: &random), Int.random(in: 0...side - width, using: &random)
            )
            let colour = (0..<3).map { _ in UInt8.random(in: 30...220, using: &random) }
            for y in top..<top + height {
                for x in left..<left + width {
                    for plane in 0..<3 { pixels[3 * (y * side + x) + plane] = colour[plane] }
                }
            }
        }
        return pixels
    }

    /// A red square of 8×8 pixels with a yellow middle.
    private static func stamp(_ pixels: inout [UInt8], top: Int, left: Int) {
        for y in 0..<8 {
            for x in 0..<8 {
                let isRim = min(y, x) < 2 || max(y, x) > 5
                let start = 3 * ((top + y) * side + left + x)
                pixels.replaceSubrange(start..<start + 3, with: isRim ? [230, 40, 40] : [250, 240, 60])
            }
        }
    }

    private static func tint(_ pixels: inout [UInt8]) {
        for index in pixels.indices where index % 3 > 0 { pixels[index] = UInt8(Double(pixels[index]) * 0.6) }
    }

    /// 120 images of three labels; on those of one, a neuron is strong, at a place that is another on each.
    private static func shop(_ plant: Plant, images: Int = 120) throws -> Shop {
        let field = ReceptiveFieldRecord(height: 8, width: 8, strideY: 4, strideX: 4, offsetY: -2, offsetX: -2)
        let layers = [
            LayerRecord(
                name: "conv", tensor: "c", operatorName: "Conv", channels: 4, height: cells, width: cells, receptiveField: field),
            LayerRecord(name: "fc", tensor: "f", operatorName: "Gemm", channels: 3, height: 1, width: 1, isLogits: true),
        ]
        var dataset = RecordedDataset(images: images, layers: layers, blockImages: 50, seed: 4, hard: false)
        var random = SeededGenerator(seed: 12)
        var pictures: [SmallPicture] = []
        for image in 0..<images {
            dataset.images[image].label = ["cat", "dog", "it's"][image % 3]
            let isOwn = image % 3 == 2
            var pixels = clutter(&random)
            let (y, x) = (Int.random(in: 0..<14, using: &random), Int.random(in: 0..<14, using: &random))
            if plant == .mark && isOwn || plant == .markEverywhere { stamp(&pixels, top: 4 * y, left: 4 * x) }
            if plant == .tint, isOwn { tint(&pixels) }
            dataset.values[image][1] = isOwn ? Float.random(in: 20...30, using: &random) : Float.random(in: 1...5, using: &random)
            dataset.positions[image][1] = UInt32((y + 1) * cells + x + 1)
            let area = SmallPicture.Area(x: 0, y: 0, width: Double(side), height: Double(side))
            pictures.append(SmallPicture(pixels: pixels, width: side, height: side, area: area))
        }
        let folder = try TemporaryFolder()
        try dataset.write(folder.file("s.sqlite"))
        return Shop(folder: folder, store: try Store.open(path: folder.file("s.sqlite")), pictures: pictures)
    }

    private func found(_ shop: Shop, _ kind: [ShortcutsQuery.Kind] = []) throws -> [String] {
        try ShortcutsQuery(kind: kind, pictures: shop.given()).run(in: shop.store).map {
            "\($0.place.kind.rawValue) \($0.layer):\($0.channel) \($0.label)"
        }
    }

    @Test func aMarkThatMovesIsFound() throws {
        let shop = try Self.shop(.mark)
        #expect(try found(shop) == ["mark conv:1 it's"])
        let hit = try ShortcutsQuery(pictures: shop.given()).run(in: shop.store)[0]
        #expect(hit.place == .anywhere && hit.auroc == 1 && hit.share >= 0.8 && hit.expected <= 0.05 && hit.q < 1e-6, "\(hit)")
        #expect(try found(shop, [.tint]).isEmpty && found(shop, [.place]).isEmpty && found(shop, [.mark]).count == 1)
    }

    @Test func aTintIsFound() throws {
        let shop = try Self.shop(.tint)
        #expect(try found(shop, [.tint]) == ["tint conv:1 it's"])
        let hit = try ShortcutsQuery(kind: [.tint], pictures: shop.given()).run(in: shop.store)[0]
        #expect(hit.place == .everywhere && hit.share >= 0.8 && hit.expected <= 0.2 && hit.q < 1e-6)
    }

    /// A neuron that tells a label by anything else, and a mark that comes with every label, are none.
    @Test func whatIsNoShortcutIsNotFound() throws {
        #expect(try found(Self.shop(.nothing)).isEmpty)
        #expect(try found(Self.shop(.markEverywhere)).isEmpty)
        let remarks = try ShortcutsQuery(pictures: Self.shop(.nothing).given()).run(in: Self.shop(.nothing).store).remarks
        let said = remarks.map(\.description)
        #expect(said.contains { $0.contains("of 1 pairs of neuron and label that were compared, none sees the same patch") })
        #expect(said.contains { $0.contains("of 1 labels, none has one tint") })
    }

    /// An answer that could not be looked for is none that there is nothing.
    @Test func whatCouldNotBeSeenIsSaid() throws {
        let shop = try Self.shop(.mark)
        let blind = try ShortcutsQuery(layer: []).run(in: shop.store)
        #expect(blind.isEmpty)
        #expect(
            blind.remarks.contains(.plain("marks that move and tints were not looked for: the question was given no pictures")))
        let half = try ShortcutsQuery(pictures: shop.given { $0 % 2 == 0 }).run(in: shop.store)
        #expect(half.allSatisfy { $0.label == "it's" })
        let example = try #require(try shop.store.image(id: 5)).path
        #expect(half.remarks.contains { $0.description.hasPrefix("60 of 120 pictures that were to be looked at are not there") })
        let gone = try ShortcutsQuery(pictures: shop.given { _ in false }).run(in: shop.store)
        #expect(gone.isEmpty)
        #expect(gone.remarks.contains { $0.description.hasPrefix("120 of 120 pictures that were to be looked at are not there") })
        #expect(
            half.remarks.contains { if case .notSeen(_, _, let path, _) = $0 { path == example } else { false } }
        )
        let few = try Self.shop(.mark, images: 21)
        let remarks = try ShortcutsQuery(pictures: few.given()).run(in: few.store).remarks.map(\.description)
        #expect(remarks.contains { $0.hasPrefix("3 of 3 labels have fewer than 10 images, such as cat with 7: ") })
    }

    /// Places are found without looking at any picture.
    @Test func placesNeedNoPictures() throws {
        let shop = try Self.shop(.mark)
        let pictures = GivenPictures { image in
            Issue.record("the picture of image \(image.id) was read")
            return nil
        }
        let found = try ShortcutsQuery(kind: [.place], pictures: pictures).run(in: shop.store)
        #expect(found.isEmpty && found.remarks.count == 1)
    }

    /// The correlation of every window by its definition, in the order of rows.
    @Test func aPatchIsMatchedWhereItFitsBest() {
        var random = SeededGenerator(seed: 3)
        for (side, rows, columns) in [(5, 9, 12), (6, 6, 6), (3, 20, 7)] {
            let region = (0..<3 * rows * columns).map { _ in Float.random(in: 0...1, using: &random) }
            let patch = (0..<3 * side * side).map { _ in Float.random(in: 0...1, using: &random) }
            func window(_ top: Int, _ left: Int) -> [Double] {
                (0..<3).flatMap { plane in
                    (0..<side).flatMap { y in
                        (0..<side).map { x in Double(region[(plane * rows + top + y) * columns + left + x]) }
                    }
                }
            }
            func centred(_ values: [Double]) -> [Double] {
                let mean = values.reduce(0, +) / Double(values.count)
                return values.map { $0 - mean }
            }
            func length(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
            let own = centred(patch.map(Double.init))
            var best = (score: -2.0, y: 0, x: 0)
            for y in 0...rows - side {
                for x in 0...columns - side {
                    let other = centred(window(y, x))
                    let score = zip(own, other).reduce(0) { $0 + $1.0 * $1.1 } / (length(own) * length(other))
                    if score > best.score { best = (score, y, x) }
                }
            }
            let match = ndx_match_patch(patch, side, region, rows, columns, 1e-3)
            #expect(abs(Double(match.score) - best.score) < 1e-5 && match.y == best.y && match.x == best.x)
        }
        // A copy matches with 1, and what is plain matches nothing.
        var region = [Float](repeating: 0.5, count: 3 * 8 * 8)
        let patch = (0..<27).map { Float($0 % 5) / 5 }
        #expect(abs(ndx_match_patch(patch, 3, region, 8, 8, 0.1).score) < 1e-6)
        for (index, value) in patch.enumerated() { region[((index / 9) * 8 + 2 + index / 3 % 3) * 8 + 4 + index % 3] = value }
        let match = ndx_match_patch(patch, 3, region, 8, 8, 0.1)
        #expect(abs(match.score - 1) < 1e-6 && match.y == 2 && match.x == 4)
    }

    /// scipy.stats.fisher_exact(…, alternative="greater").
    @Test func fishersExactTest() {
        #expect(abs(hypergeometricTail(8, of: 10, and: 1, of: 6) - 0.024475524475524483) < 1e-12)
        #expect(abs(hypergeometricTail(3, of: 20, and: 9, of: 60) - 0.6252367697328632) < 1e-9)
        #expect(hypergeometricTail(0, of: 10, and: 0, of: 10) == 1)
    }
}
