import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import TestSupport
import Testing

/// Beside a slow second implementation, which keeps every value and every pixel.
@Suite struct DissectionTests {
    private struct Random {
        var state: UInt64
        mutating func next(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        mutating func float() -> Float { Float(next(below: 2001) - 1000) / 1000 }
    }

    private static let colors = [Color(230, 25, 75), Color(60, 180, 75), Color(7, 7, 7)]

    /// A small network, pictures and masks of noise, and all that is asked of them.
    private struct Ground {
        let folder: TemporaryFolder
        let fixture: ExplainerFixture
        let masks: ConceptMasks
        let subjects: [InputImage]
        let pictures: [Image]

        /// - Parameter source: the size of pictures and masks; the network's input is 16×12.
        init(source: Size, resize: Framing.Resize, jobs: Int) throws {
            var random = Random(state: 7)
            folder = try TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder.file("p"), withIntermediateDirectories: true)
            try FileManager.default.createDirectory(atPath: folder.file("m/p"), withIntermediateDirectories: true)
            var pictures: [Image] = []
            for index in 0..<9 {
                let noise = (0..<source.width * source.height * 3).map { _ in UInt8(random.next(below: 256)) }
                try Self.write(Image(width: source.width, height: source.height, pixels: noise), folder.file("p/\(index).png"))
                var mask = Image(width: source.width, height: source.height)
                for _ in 0..<4 {
                    let (x, y) = (random.next(below: source.width - 3), random.next(below: source.height - 3))
                    // Now and then a colour that stands for nothing.
                    let color = index == 8 ? Color(1, 2, 3) : DissectionTests.colors[random.next(below: 3)]
                    for row in y..<min(y + 5, source.height) {
                        for column in x..<min(x + 6, source.width) { mask[column, row] = color }
                    }
                }
                try Self.write(mask, folder.file("m/p/\(index).png"))
                pictures.append(mask)
            }
            try Data("color,concept\n#e6194b,red\n\"60,180,75\",green\n7,seven\n#ffffff,nowhere\n".utf8).write(
                to: URL(fileURLWithPath: folder.file("m/colors.csv")))
            let preprocessing = Preprocessing(
                resize: resize, crop: Size(width: 16, height: 12), mean: [0.5, 0.5, 0.5], deviation: [1, 1, 1])
            try Self.network(&random).write(to: URL(fileURLWithPath: folder.file("m.onnx")))
            fixture = try ExplainerFixture(
                model: folder.file("m.onnx"), preprocessing: preprocessing, jobs: jobs,
                indexing: Dataset(paths: [folder.file("p")]))
            masks = try ConceptMasks(folder.file("m"), of: fixture.store)
            let fixture = fixture
            subjects = try masks.images.map { try fixture.subject($0.path) }
            self.pictures = pictures
        }

        private static func write(_ image: Image, _ path: String) throws {
            try Data(try image.pngData(text: [])).write(to: URL(fileURLWithPath: path))
        }

        /// 3 → 5 channels, rectified, 6×8 places; → 4 channels, not rectified, 3×4 places.
        private static func network(_ random: inout Random) throws -> Data {
            var model = ModelBuilder(input: [1, 3, 12, 16])
            func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in random.float() } }
            let first = model.weight("one.weight", [5, 3, 3, 3], numbers(135))
            let second = model.weight("two.weight", [4, 5, 3, 3], numbers(180))
            let one = model.node("Relu", [model.node("Conv", ["image", first], ["strides": [2, 2], "pads": [1, 1, 1, 1]])])
            let pooled = model.node("MaxPool", [one], ["kernel_shape": [2, 2], "strides": [2, 2]])
            let two = model.node("Conv", [pooled, second], ["pads": [1, 1, 1, 1]])
            return Data(model.bytes(outputs: [model.node("GlobalAveragePool", [two])]))
        }

        func run(_ layers: [String], quantile: Double) throws -> [LayerDissection] {
            let subjects = subjects
            return try Dissection(layers, by: masks, quantile: quantile, in: fixture.explainer).run(
                on: Array(masks.images.indices), read: { subjects[$0] }, failed: { _, error in throw error })
        }

        /// The same, as the paper has it.
        func slow(_ name: String, quantile: Double) throws -> LayerDissection {
            let layer = try fixture.explainer.network.layer(named: name)
            let maps = try subjects.map { try fixture.explainer.activations(of: layer, on: $0) }
            let concepts = ["red", "green", "seven", "nowhere"]
            let frame = fixture.explainer.preprocessing.crop
            // Which concept a pixel of the frame is of.
            let truth = zip(subjects, masks.images).map { subject, image -> [Int?] in
                let placement = subject.framed.placement
                let mask = pictures[Int((image.path as NSString).lastPathComponent.prefix(1)) ?? 0]
                return (0..<frame.height * frame.width).map { pixel in
                    let scale = Double(placement.source.width) / Double(placement.resized.width)
                    let down = Double(placement.source.height) / Double(placement.resized.height)
                    let x = Int((Double(pixel % frame.width + placement.x) + 0.5) * scale)
                    let y = Int((Double(pixel / frame.width + placement.y) + 0.5) * down)
                    return DissectionTests.colors.firstIndex(of: mask[x, y])
                }
            }
            var result = LayerDissection(
                layer: name, channels: layer.channels, quantile: quantile, images: maps.count,
                positions: maps.count * layer.height * layer.width, pixels: maps.count * frame.height * frame.width,
                concepts: concepts, areas: concepts.indices.map { concept in truth.joined().count { $0 == concept } },
                conceptImages: concepts.indices.map { concept in truth.count { $0.contains(concept) } }, thresholds: [],
                active: [], overlaps: [])
            for channel in 0..<layer.channels {
                let planes = maps.map { map in stride(from: channel, to: map.count, by: layer.channels).map { map[$0] } }
                let sorted = planes.joined().sorted(by: >)
                let threshold = sorted[Int(quantile * Double(sorted.count))]
                let regions = planes.map { Self.region($0, layer, frame, above: threshold) }
                result.thresholds.append(threshold)
                result.active.append(regions.joined().count { $0 })
                for concept in concepts.indices {
                    let shared = zip(regions, truth).map { zip($0, $1).count { $0 && $1 == concept } }
                    guard shared.contains(where: { $0 > 0 }) else { continue }
                    result.overlaps.append([channel, concept, shared.reduce(0, +), shared.count { $0 > 0 }])
                }
            }
            return result
        }

        /// A map enlarged from the centres of its receptive fields.
        private static func region(_ plane: [Float], _ layer: Layer, _ frame: Size, above threshold: Float) -> [Bool] {
            func between(_ pixel: Int, _ axis: ReceptiveField.Axis, _ count: Int) -> (Int, Int, Float) {
                let place = (Double(pixel) + 0.5 - Double(axis.start) - Double(axis.size) / 2) / Double(axis.stride)
                let lower = min(max(Int(place.rounded(.down)), 0), count - 2)
                return (lower, lower + 1, Float(min(max(place - Double(lower), 0), 1)))
            }
            return (0..<frame.height * frame.width).map { pixel in
                let (top, bottom, down) = between(pixel / frame.width, layer.receptiveField.y, layer.height)
                let (left, right, across) = between(pixel % frame.width, layer.receptiveField.x, layer.width)
                func column(_ x: Int) -> Float {
                    let (a, b) = (plane[top * layer.width + x], plane[bottom * layer.width + x])
                    return a + down * (b - a)
                }
                return column(left) + across * (column(right) - column(left)) > threshold
            }
        }
    }

    @Test(arguments: [0.005, 0.05, 0.3], [1, 2]) func asTheSlowOne(_ quantile: Double, jobs: Int) throws {
        let ground = try Ground(source: Size(width: 16, height: 12), resize: .none, jobs: jobs)
        for name in ["one", "two"] {
            var found = try #require(try ground.run([name], quantile: quantile).first)
            #expect(found.strangePixels > 20 && found.strangeImages == 1)
            #expect(found.strangeExample?.hasPrefix("#010203 in '") == true)
            (found.strangePixels, found.strangeImages, found.strangeExample) = (0, 0, nil)
            let slow = try ground.slow(name, quantile: quantile)
            #expect(found == slow)
            #expect(quantile < 0.1 || slow.active.contains { $0 > 0 } && slow.areas[..<3].allSatisfy { $0 > 0 })
        }
    }

    /// Resized, and cut at the sides: the network sees 18 of 24 columns and rows.
    @Test func onlyWhatTheNetworkSeesCounts() throws {
        let ground = try Ground(source: Size(width: 30, height: 21), resize: .shorterSide(14), jobs: 2)
        var found = try #require(try ground.run(["one"], quantile: 0.1).first)
        (found.strangePixels, found.strangeImages, found.strangeExample) = (0, 0, nil)
        #expect(found == (try ground.slow("one", quantile: 0.1)))
        let all = ground.pictures.reduce(0) { sum, mask in
            sum + (0..<21).reduce(0) { sum, y in sum + (0..<30).count { mask[$0, y] != .black } }
        }
        #expect(found.areas.reduce(0, +) < all && found.pixels == 9 * 16 * 12)
    }

    /// Together, in one run of the network, they are what each is alone.
    @Test func severalLayersAtOnce() throws {
        let ground = try Ground(source: Size(width: 16, height: 12), resize: .none, jobs: 2)
        let both = try ground.run(["two", "one"], quantile: 0.05)
        #expect(try both == ["two", "one"].map { try #require(try ground.run([$0], quantile: 0.05).first) })
    }

    @Test func pairsAreAsCounted() throws {
        let ground = try Ground(source: Size(width: 16, height: 12), resize: .none, jobs: 1)
        let found = try #require(try ground.run(["one"], quantile: 0.1).first)
        #expect(found.pairs.count == 5 * 4 && found.best.count == 5)
        for overlap in found.overlaps {
            let pair = found.pairs[overlap[0] * 4 + overlap[1]]
            let (both, own, area) = (overlap[2], found.active[overlap[0]], found.areas[overlap[1]])
            #expect(pair.iou == Double(both) / Double(own + area - both) && pair.images == overlap[3])
            #expect(pair.precision == Double(both) / Double(own) && pair.recall == Double(both) / Double(area))
            #expect(found.best[overlap[0]].iou >= pair.iou)
        }
        #expect(found.pairs.allSatisfy { $0.concept != 3 || $0.iou == 0 && $0.recall == nil })
    }

    /// One that cannot be read takes no part, as if it had no mask.
    @Test func imagesThatFail() throws {
        let ground = try Ground(source: Size(width: 16, height: 12), resize: .none, jobs: 2)
        let (subjects, dissection) = (
            ground.subjects, try Dissection(["one"], by: ground.masks, quantile: 0.05, in: ground.fixture.explainer)
        )
        var failed: [Int] = []
        let some = try dissection.run(
            on: Array(0..<9), read: { if $0 == 4 { throw ImageError(.empty) } else { subjects[$0] } },
            failed: { index, _ in failed.append(index) })
        let others = [0, 1, 2, 3, 5, 6, 7, 8]
        let without = try dissection.run(on: others, read: { subjects[others[$0]] }, failed: { _, error in throw error })
        #expect(failed == [4] && some == without && some[0].images == 8)
    }

    @Test func whatHasNoPlacesIsRefused() throws {
        let ground = try Ground(source: Size(width: 16, height: 12), resize: .none, jobs: 1)
        let flat = try #require(ground.fixture.store.description.layers.last { $0.height * $0.width == 1 }).name
        #expect(throws: ExplanationError.noMap(layer: flat)) {
            try Dissection([flat], by: ground.masks, in: ground.fixture.explainer)
        }
        #expect(Dissection.lastLayer(of: ground.fixture.store.description) == "two")
    }
}

/// Beside sorting.
@Suite struct ThresholdSearchTests {
    @Test(arguments: [0, 1, 5, 40, 399]) func asSorting(_ rank: Int) {
        var state: UInt64 = 3
        func value(_ channel: Int) -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = Float(Int(state >> 40) % 2000 - 1000)
            switch channel {
            // Ties, tiny and large numbers, rectified ones, and what is no number.
            case 0: return number / 500
            case 1: return (number / 100).rounded()
            case 2: return max(number - 900, 0)
            case 3: return number * 1e-38
            case 4: return number > 900 ? .infinity : number < -500 ? .nan : number == 0 ? -0.0 : number * 1e30
            default: return .nan
            }
        }
        let values = (0..<6).map { channel in (0..<40).map { _ in (0..<10).map { _ in value(channel) } } }
        // Ten more would come, as far as is known at first.
        var search = ThresholdSearch(channels: 6, rank: rank + 3)
        repeat {
            for (channel, parts) in values.enumerated() {
                for part in parts { part.withUnsafeBufferPointer { search.add($0, to: channel) } }
            }
        } while search.advance(rank: rank)
        for (channel, parts) in values.enumerated() {
            let sorted = parts.joined().sorted { ThresholdSearch.key($0) > ThresholdSearch.key($1) }
            let (found, expected) = (search.values[channel], sorted[rank])
            #expect(found == expected || found.isNaN && expected.isNaN, "channel \(channel)")
        }
    }
}
