import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// Elements of outputs, and boxes of detectors, as targets.
@Suite struct AnswerTargetTests {
    private let made: DetectorFixture
    private var explainer: Explainer { made.fixture.explainer }

    init() throws {
        let (model, output) = DetectorModels.yolov8()
        made = try DetectorFixture(model, outputs: [output])
    }

    private func target(_ text: String) throws -> Target { try Target(sumOf: text, in: made.fixture.store.description) }

    private func value(_ text: String) throws -> Float { try explainer.value(of: target(text), on: made.subject) }

    private func refusal(_ text: String) -> String {
        do {
            return "\(try value(text))"
        } catch {
            return "\(error)"
        }
    }

    @Test func elementsAreThoseOfTheFile() throws {
        let output = try made.output()
        for (row, place) in [(0, 0), (3, 83), (4, 20), (6, 71)] {
            let value = try value("output:output0[\(row),\(place)]")
            let expected = output[row * 84 + place]
            // Scores are taken before their sigmoid.
            #expect(abs((row < 4 ? value : 1 / (1 + exp(-value))) - expected) < 1e-4 * max(1, abs(expected)))
        }
        let first = try value("output:output0[4,20]")
        #expect(abs(try value("output:output0[4, 20] - output:output0[5,20]") - (first - value("output:output0[5,20]"))) < 1e-5)
        let once = try target("output:output0[4,20]")
        #expect(try target(once.text) == once && once.quantity == "value")
    }

    /// The gradient along a random direction against a central difference.
    @Test(arguments: ["output:output0[5,17]", "output:output0[2,80]", "box:1", "box:2.x1", "-box:1 + 2*box:3"])
    func gradientsAreDerivatives(_ text: String) throws {
        let target = try target(text)
        let map = try Saliency.parse([]).pictureMap(of: made.subject, target: target, by: explainer)
        var random = SeededGenerator(seed: 2)
        let direction = (0..<map.values.count).map { _ in Float.random(in: -1...1, using: &random) }
        // The map is channels first, the input channels last.
        let slope = direction.indices.reduce(0.0) { sum, index in
            let (pixel, channel) = (index / 3, index % 3)
            return sum + Double(direction[index]) * Double(map.values[channel * 64 * 64 + pixel])
        }
        // Boxes are those of the unchanged picture: the elements are named.
        let served = try explainer.served(target, on: made.subject)
        func value(_ step: Float) throws -> Double {
            var moved = made.subject
            for index in direction.indices { moved.tensor[index] += step * direction[index] }
            return Double(try served.explainer.value(of: served.target, on: moved))
        }
        let difference = (try value(1e-3) - value(-1e-3)) / 2e-3
        #expect(abs(slope - difference) < 0.02 * abs(difference) + 1e-3 && slope != 0)
    }

    @Test func boxesAreTheirScoresAndEdges() throws {
        let found = try made.findings().detections
        for detection in found.prefix(3) {
            let score = try value("box:\(detection.rank)")
            #expect(abs(1 / (1 + exp(-score)) - detection.score) < 1e-5)
            let frame = detection.frameBox
            for (part, edge) in [("x0", frame.x), ("y0", frame.y), ("x1", frame.x + frame.width), ("y1", frame.y + frame.height)]
            {
                #expect(abs(Double(try value("box:\(detection.rank).\(part)")) - edge) < 1e-3)
            }
        }
        // Another threshold, another order of boxes.
        let all = try target("box:2@score=0.05,iou=0.9")
        #expect(try target(all.text) == all && all.text == "box:2@score=0.05,iou=0.9")
        var settings = DetectionSettings()
        (settings.score, settings.overlap) = (0.05, 0.9)
        let second = try made.findings(settings).detections[1]
        let other = try value(all.text)
        #expect(abs(1 / (1 + exp(-other)) - second.score) < 1e-5)
    }

    /// Each window on its own through the network.
    @Test func occlusionIsWhatAWindowTakesFromABox() throws {
        let map = try Occlusion.parse(["--window", "32", "--stride", "32", "--fill", "black"])
            .pictureMap(of: made.subject, target: target("box:1"), by: explainer)
        let served = try explainer.served(target("box:1"), on: made.subject)
        let whole = try value("box:1")
        for (top, left) in [(0, 0), (0, 32), (32, 0), (32, 32)] {
            var covered = made.subject
            for y in top..<top + 32 {
                for x in left..<left + 32 { for channel in 0..<3 { covered.tensor[(y * 64 + x) * 3 + channel] = 0 } }
            }
            let loss = whole - (try served.explainer.value(of: served.target, on: covered))
            #expect(abs(map.values[(top + 5) * 64 + left + 9] - loss) < 1e-4)
        }
    }

    /// Every method, and what is kept of it.
    @Test func boxesAreExplainedAndKept() throws {
        let archive = try ExplanationArchive(store: made.fixture.store, toolVersion: "test")
        let target = try target("box:1")
        let map = try archive.explanation(of: made.subject, target: target, by: Saliency.parse([]))
        #expect(map.map.note?.hasPrefix("box 1: class ") == true && !map.wasKept)
        #expect(try map.value == value("box:1"))
        let again = try archive.explanation(of: made.subject, target: target, by: Saliency.parse([]))
        #expect(again.wasKept && again.map == map.map)
        let other = try archive.explanation(of: made.subject, target: self.target("box:2"), by: Saliency.parse([]))
        #expect(!other.wasKept && other.map.values != map.map.values)
        let element = try archive.explanation(
            of: made.subject, target: self.target("output:output0[4,20]"), by: Saliency.parse([]))
        let neighbour = try archive.explanation(
            of: made.subject, target: self.target("output:output0[4,21]"), by: Saliency.parse([]))
        #expect(!neighbour.wasKept && element.map.values != neighbour.map.values)
    }

    /// Class activation maps are of what the head of the box's scale reads.
    @Test func mapsAreOfTheBoxesScale() throws {
        let boxes = try made.findings().detections
        var levels = Set<Int>()
        for detection in boxes.prefix(12) {
            let level = detection.place < 64 ? 0 : detection.place < 80 ? 1 : 2
            guard levels.insert(level).inserted else { continue }
            for (method, name) in [("grad-cam", "Grad-CAM"), ("layer-cam", "LayerCAM"), ("auto", "LayerCAM")] {
                let map = try ClassActivationMap.parse(["--method", method])
                    .pictureMap(of: made.subject, target: target("box:\(detection.rank)"), by: explainer)
                #expect(map.note?.hasPrefix("\(name) at features.\(level)") == true && map.width == [8, 4, 2][level])
                // Of a head that sees one cell, a cell's own gradient points at that cell alone.
                guard method != "grad-cam" else { continue }
                let cell = DetectorModels.cells[detection.place]
                for index in map.values.indices where index != cell.y * map.width + cell.x { #expect(map.values[index] == 0) }
            }
        }
        #expect(!levels.isEmpty)
    }

    @Test func wrongTargetsAreRefused() {
        #expect(refusal("output:nothing[1,2]").contains("it has 'output0' [7, 84]"))
        #expect(refusal("output:output0[7,2]").contains("whose shape is [7, 84]"))
        #expect(refusal("output:output0[1]").contains("whose shape is [7, 84]"))
        #expect(refusal("output:output0[1,-1]").contains("whose shape is [7, 84]"))
        for text in ["output:output0", "output:[1,2]", "output:output0[a]", "output:output0[]", "output:output0[1,]"] {
            #expect(refusal(text).contains("output:NAME[i,j]"), "\(text)")
        }
        #expect(refusal("box:999").contains("has no box 999"))
        #expect(refusal("box:0").contains("counted from 1") && refusal("box:x").contains("counted from 1"))
        #expect(refusal("box:1.width").contains("score, objectness, x0, y0, x1, y1"))
        #expect(refusal("box:1.objectness").contains("read as yolov8 do not have"))
        #expect(refusal("box:1@score=2").contains("after @ stand score=0.25"))
        #expect(refusal("box:1@head=yolov3").contains("yolov8|yolov5|yolox|pairs"))
        #expect(refusal("box:1 - box:1@score=0.1").contains("different settings"))
        #expect(refusal("box:1 - output:output0[4,20]").contains("a sum is of one layer's"))
        #expect(throws: ExplanationError.self) { try explainer.layer(of: target("box:1")) }
    }

    @Test func objectnessOfHeadsThatSayIt() throws {
        let (model, output) = DetectorModels.yolov5(isDecoded: false)
        let raw = try DetectorFixture(model, outputs: [output])
        let first = try #require(try raw.findings().detections.first)
        func value(_ text: String) throws -> Float {
            let score = try raw.fixture.explainer.value(of: raw.fixture.target(text), on: raw.subject)
            return 1 / (1 + exp(-score))
        }
        #expect(abs(try value("box:1") * value("box:1.objectness") - first.score) < 1e-5)
        #expect(throws: ExplanationError.self) { try value("box:1.x0") }
    }
}

/// What a recogniser of text reads at a step, as a target.
@Suite struct SequenceTargetTests {
    @Test(arguments: [false, true]) func aStepIsWhatIsReadThere(_ imagesAreFirst: Bool) throws {
        let (model, output) = RecogniserModels.make(imagesAreFirst: imagesAreFirst)
        let small = try SmallNetwork(side: 16, model, output: output) { y, x in UInt8((31 * x + 17 * y * y) % 256) }
        let layer = try #require(small.fixture.explainer.network.answer?.layer)
        for step in [0, 3, RecogniserModels.steps - 1] {
            let scores = try (0..<RecogniserModels.characters).map { try small.value("\(layer.name):\($0)@\(step)") }
            #expect(try scores == (0..<RecogniserModels.characters).map { try small.value("\(layer.name):\($0)@0,\(step)") })
            #expect(try small.value("output@\(step)") == scores.max())
        }
    }

    /// The gradient along a direction against a central difference, through all steps of the recurrent layer.
    @Test func gradientsAreDerivatives() throws {
        let (model, output) = RecogniserModels.make()
        let small = try SmallNetwork(side: 16, model, output: output) { y, x in UInt8((31 * x + 17 * y * y) % 256) }
        let target = try small.fixture.target("output@4")
        let map = try Saliency.parse([]).pictureMap(of: small.subject, target: target, by: small.fixture.explainer)
        var random = SeededGenerator(seed: 2)
        let direction = (0..<map.values.count).map { _ in Float.random(in: -1...1, using: &random) }
        let slope = direction.indices.reduce(0.0) { sum, index in
            sum + Double(direction[index]) * Double(map.values[index % 3 * 256 + index / 3])
        }
        let served = try small.fixture.explainer.served(target, on: small.subject)
        func value(_ step: Float) throws -> Double {
            var moved = small.subject
            for index in direction.indices { moved.tensor[index] += step * direction[index] }
            return Double(try served.explainer.value(of: served.target, on: moved))
        }
        let difference = (try value(1e-3) - value(-1e-3)) / 2e-3
        #expect(abs(slope - difference) < 0.02 * abs(difference) + 1e-3 && slope != 0)
    }

    @Test func whatIsNoStepIsSaid() throws {
        let (model, output) = RecogniserModels.make()
        let small = try SmallNetwork(side: 16, model, output: output) { y, x in UInt8((31 * x + 17 * y * y) % 256) }
        for (text, words) in [("output@8", "has 8, from 0 to 7"), ("head:0@8", "outside the layer's map of 1×8")] {
            do {
                Issue.record("\(text) is \(try small.value(text))")
            } catch { #expect("\(error)".contains(words), "\(error)") }
        }
    }
}
