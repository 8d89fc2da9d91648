import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

struct SegmentationTests {
    /// A disc of a colour before another, both noisy, and a map that is higher in its middle but says little of its edge.
    @Test(arguments: [0, 6, 20])
    func cutsOutADisc(_ noise: Int) throws {
        let (width, height, radius) = (90, 70, 19.0)
        var random = SeededGenerator(seed: 4)
        func isDisc(_ index: Int) -> Bool {
            hypot(Double(index % width) - 52, Double(index / width) - 30) <= radius
        }
        var pixels: [UInt8] = []
        for index in 0..<width * height {
            for level in isDisc(index) ? [190, 90, 60] : [70, 110, 160] {
                pixels.append(UInt8(clamping: level + (noise > 0 ? Int.random(in: -noise...noise, using: &random) : 0)))
            }
        }
        let values = (0..<width * height).map { index in
            let distance = hypot(Double(index % width) - 50, Double(index / width) - 33)
            return Float(exp(-distance * distance / 450) * Double.random(in: 0.5...1, using: &random))
        }
        let mask = try SaliencySegmentation().mask(
            of: ExplanationMap(channels: 1, height: height, width: width, values: values, isSigned: false),
            over: Image(width: width, height: height, pixels: pixels))
        #expect(mask.isInside == (0..<width * height).map(isDisc))
        #expect(mask.boundingBox == Rectangle(x: 33, y: 11, width: 39, height: 39))
    }

    /// Two discs of a colour: the one that the map points at has the seeds, and the larger part is kept.
    @Test func keepsTheLargestPart() throws {
        let (width, height) = (80, 40)
        func disc(_ index: Int) -> Int? {
            if hypot(Double(index % width) - 20, Double(index / width) - 20) <= 12 { return 0 }
            return hypot(Double(index % width) - 60, Double(index / width) - 20) <= 8 ? 1 : nil
        }
        let pixels = (0..<width * height).flatMap { disc($0) != nil ? [200, 40, 40] : [40, 160, 40] as [UInt8] }
        let values = (0..<width * height).map { disc($0) == 0 ? Float($0 % 7 + 3) : Float($0 % 3) }
        let mask = try SaliencySegmentation().mask(
            of: ExplanationMap(channels: 1, height: height, width: width, values: values, isSigned: false),
            over: Image(width: width, height: height, pixels: pixels))
        #expect(mask.isInside == (0..<width * height).map { disc($0) == 0 })
    }

    /// A picture of one colour has neither contrast nor two colours; the seeds are kept nevertheless.
    @Test func aPlainPicture() throws {
        let values = (0..<400).map { Float($0 % 20) + Float($0 / 20) / 100 }
        let mask = try SaliencySegmentation().mask(
            of: ExplanationMap(channels: 1, height: 20, width: 20, values: values, isSigned: false),
            over: Image(width: 20, height: 20, fill: Color(hex: 0x808080)))
        let best = values.sorted()[Int(0.95 * 399)]
        #expect(values.indices.allSatisfy { values[$0] < best || mask.isInside[$0] })
    }

    /// The animals of the pet shop, from the plain gradient with the paper's quantiles: the box around the mask fits better than the best one
    /// that does not look, the mean animal's in the middle. The mask itself leaves out what of a box is not the animal.
    @Test func locatesAnimals() throws {
        let fixture = try ExplainerFixture.petshop()
        let table = try BoxTable(contentsOf: ExplainerFixture.fixtures + "/petshop/boxes.csv")
        let rows = table.rows.filter { $0.split == "test" }
        let boxes = rows.compactMap(\.box)
        let (width, height) = (boxes.reduce(0) { $0 + $1.width } / 150, boxes.reduce(0) { $0 + $1.height } / 150)
        let middle = Mask(
            boxes: [Rectangle(x: 48 - width / 2, y: 48 - height / 2, width: width, height: height)],
            in: Size(width: 96, height: 96))
        var (box, mask, baseline, count) = (0.0, 0.0, 0.0, 0.0)
        for row in rows {
            let subject = try fixture.subject(table.file(of: row))
            let target = try fixture.target("class:" + #require(row.label))
            let map = try Saliency.parse([]).map(of: subject, target: target, by: fixture.explainer)
            let found = try SaliencySegmentation().mask(of: map, over: subject.framed.image)
            let truth = try table.boxes(of: subject)
            box += found.boxIntersectionOverUnion(with: truth)
            mask += found.intersectionOverUnion(with: truth)
            baseline += middle.intersectionOverUnion(with: truth)
            count += 1
        }
        print(
            "petshop, segmentation: IoU of the box \(box / count), of the mask \(mask / count), of the mean box \(baseline / count)"
        )
        #expect(count == 150)
        #expect(box / count >= 0.65)
        #expect(box / count > baseline / count + 0.1)
        #expect(mask / count >= 0.45)
    }

    @Test func saysWhatIsWrong() throws {
        let image = Image(width: 4, height: 4, fill: .black)
        func message(_ values: [Float], _ change: (inout SaliencySegmentation) -> Void = { _ in }) -> String {
            var segmentation = SaliencySegmentation()
            change(&segmentation)
            let map = ExplanationMap(channels: 1, height: 4, width: 4, values: values, isSigned: true)
            do {
                _ = try segmentation.mask(of: map, over: image)
                return ""
            } catch { return "\(error)" }
        }
        let good = (0..<16).map { Float($0) }
        #expect(message(good) == "")
        #expect(message([Float](repeating: 3, count: 16)).hasPrefix("the map has no peak to cut by: "))
        #expect(message(good.dropLast() + [.nan]) == "the map to cut by holds values that are not finite, so it cannot be drawn")
        #expect(
            message(good) { $0.backgroundQuantile = 0.96 }
                == "the segmentation takes a quantile of the rest below that of the thing, both in 0...1, not 0.96 and 0.95")
        #expect(message(good) { $0.components = 0 } == "the segmentation takes 1 to 64 components, not 0 components")
        #expect(message(good) { $0.smoothness = .nan }.hasPrefix("the segmentation takes a smoothness of 0 to 10000"))
    }
}
