import ActivationStore
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// Heads of two tensors, and files that choose among their boxes by operators that are not read.
@Suite struct DetectionHeadTests {
    private static let count = DetectorModels.places

    /// Of an output [places, numbers] the numbers of each place; the worker gives a map of places, channels first.
    private func rows(_ output: String, _ fixture: DetectorFixture, numbers: Int) throws -> [[Float]] {
        let all = try fixture.output(output)
        return (0..<Self.count).map { place in (0..<numbers).map { all[$0 * Self.count + place] } }
    }

    private func softmax(_ scores: [Float]) -> [Float] {
        let powers = scores.map { exp($0) }
        return powers.map { $0 / powers.reduce(0, +) }
    }

    @Test(arguments: ["NonMaxSuppression", "TopK", "NonZero"]) func whatIsChosenIsReadBefore(_ selection: String) throws {
        let plain = try DetectorFixture(DetectorModels.pairs(), outputs: ["boxes", "scores"])
        let expected = try plain.findings()
        let (model, outputs) = DetectorModels.selecting(selection)
        let folder = try TemporaryFolder()
        let path = folder.file("net.onnx")
        try Data(model.bytes(outputs: outputs)).write(to: URL(fileURLWithPath: path))
        let before = try #require(try BeforeSelection(of: path))
        #expect(before.operators == [selection])
        let boxes = selection == "NonZero" ? "single boxes" : "boxes"
        #expect(before.tensors.contains { $0.name == boxes && $0.shape == [84, 4] })
        #expect(before.boxes == (selection == "NonMaxSuppression" ? boxes : nil) && !before.areCentred && !before.rowsAreFirst)
        // A store of such a file is read up to what can be.
        var options = Network.Options()
        options.output = before.likeliest
        let fixture = try ExplainerFixture(
            model: path, preprocessing: Preprocessing(.letterbox, input: Size(width: 64, height: 64)), options: options)
        let detector = try fixture.explainer.detector(DetectionSettings())
        #expect(detector.form == .pairs && detector.classCount == 3 && detector.placeCount == Self.count)
        #expect(
            detector.shortcut?.hasPrefix("taken before \(selection), which chooses among the boxes, from boxes '\(boxes)'")
                == true)
        let subject = try fixture.subject(plain.folder.file("1.png"))
        let found = try detector.findings(on: subject)
        #expect(found.detections == expected.detections && found.detections.count > 5)
        let target = try Target("box:1", in: fixture.store.description)
        let value = try fixture.explainer.value(of: target, on: subject)
        #expect(abs(1 / (1 + exp(-value)) - found.detections[0].score) < 1e-5)
    }

    @Test func filesWithoutSelectionHaveNone() throws {
        let fixture = try DetectorFixture(DetectorModels.pairs(), outputs: ["boxes", "scores"])
        #expect(try BeforeSelection(of: fixture.folder.file("net.onnx")) == nil)
        #expect(try fixture.fixture.explainer.detector(DetectionSettings()).shortcut == nil)
    }

    @Test func scoresOfDETRHaveNoneLast() throws {
        let fixture = try DetectorFixture(DetectorModels.detr(), outputs: ["logits", "pred_boxes"])
        let (scores, boxes) = (try rows("logits", fixture, numbers: 4), try rows("pred_boxes", fixture, numbers: 4))
        var settings = DetectionSettings()
        settings.score = 0.5
        let detector = try fixture.fixture.explainer.detector(settings)
        #expect(detector.form == .detr && detector.classCount == 4 && detector.hasBackground)
        let kept = (0..<Self.count).filter { (softmax(scores[$0]).dropLast().max() ?? 0) >= 0.5 }
        let found = try detector.findings(on: fixture.subject)
        // Nothing is suppressed, and nothing lies outside: middles are within the picture.
        #expect(Set(found.detections.map(\.place)) == Set(kept) && kept.count > 5)
        for detection in found.detections {
            let (own, box) = (softmax(scores[detection.place]), boxes[detection.place])
            #expect(abs(detection.score - own[detection.classIndex]) < 1e-5 && detection.classIndex < 3)
            #expect(abs(detection.frameBox.x - Double(64 * (box[0] - box[2] / 2))) < 1e-3)
            #expect(abs(detection.frameBox.height - Double(64 * box[3])) < 1e-3)
        }
        let first = found.detections[0]
        func value(_ text: String) throws -> Float {
            try fixture.fixture.explainer.value(of: Target(text, in: fixture.fixture.store.description), on: fixture.subject)
        }
        // The score before the softmax, and edges in pixels of the input.
        #expect(abs(try value("box:1@score=0.5") - scores[first.place][first.classIndex]) < 1e-4)
        settings.form = .rtdetr
        let sigmoids = try fixture.fixture.explainer.detector(settings)
        #expect(sigmoids.classCount == 4 && !sigmoids.hasBackground)
        let best = try #require(try sigmoids.findings(on: fixture.subject).detections.first)
        #expect(abs(best.score - (scores.joined().map { 1 / (1 + exp(-$0)) }.max() ?? 0)) < 1e-5)
    }

    /// Names of the classes say whether there is one for none.
    @Test func namesTellWhetherThereIsNone() throws {
        let fixture = try DetectorFixture(DetectorModels.detr(), outputs: ["logits", "pred_boxes"])
        let three = try Detector(fixture.fixture.explainer, names: ["a", "b", "c"])
        #expect(three.form == .detr && three.classNames == ["a", "b", "c", "none"])
        let four = try Detector(fixture.fixture.explainer, names: ["a", "b", "c", "d"])
        #expect(four.form == .rtdetr && four.classNames == ["a", "b", "c", "d"])
        #expect(throws: ExplanationError.self) { try Detector(fixture.fixture.explainer, names: ["a"]) }
    }

    @Test func scoresOfSSDHaveNoneFirst() throws {
        let fixture = try DetectorFixture(DetectorModels.ssd(), outputs: ["boxes", "scores"])
        let scores = try rows("scores", fixture, numbers: 4)
        #expect {
            try fixture.findings()
        } throws: {
            "\($0)".contains("probabilities from 0 to 1")
        }
        var settings = DetectionSettings()
        (settings.form, settings.score, settings.overlap) = (.ssd, 0.4, 1)
        let detector = try fixture.fixture.explainer.detector(settings)
        #expect(detector.hasBackground && detector.classCount == 4)
        let found = try detector.findings(on: fixture.subject)
        #expect(found.detections.count > 5)
        for detection in found.detections {
            let own = softmax(scores[detection.place])
            #expect(detection.classIndex > 0 && abs(detection.score - own[detection.classIndex]) < 1e-5)
            #expect(own.dropFirst().max() == own[detection.classIndex])
        }
        let names = try Detector(fixture.fixture.explainer, names: ["a", "b", "c"], settings: settings)
        #expect(names.classNames == ["none", "a", "b", "c"])
    }

    @Test func offsetsToBoxesThatAreNotThereAreRefused() throws {
        let fixture = try DetectorFixture(DetectorModels.offsets(), outputs: ["loc", "conf"])
        #expect {
            try fixture.findings()
        } throws: {
            "\($0)".contains("offsets to prior boxes that are not in the file") && "\($0)".contains("--boxes")
        }
    }

    @Test func tensorsMayBeNamed() throws {
        let fixture = try DetectorFixture(DetectorModels.pairs(), outputs: ["scores"])
        let expected = try DetectorFixture(DetectorModels.pairs(), outputs: ["boxes", "scores"]).findings()
        var settings = DetectionSettings()
        (settings.boxes, settings.scores) = ("boxes", "scores")
        #expect(try fixture.findings(settings).detections == expected.detections)
        let text = "box:2@boxes=boxes,scores=scores"
        let target = try Target(text, in: fixture.fixture.store.description)
        #expect(target.text == text)
        #expect(try fixture.fixture.explainer.value(of: target, on: fixture.subject).isFinite)
        (settings.boxes, settings.scores) = ("scores", "boxes")
        #expect(throws: ExplanationError.self) { try fixture.findings(settings) }
        settings.scores = nil
        #expect(throws: ExplanationError.self) { try fixture.findings(settings) }
        (settings.boxes, settings.scores) = ("boxs", "scores")
        #expect(throws: NetworkError.self) { try fixture.findings(settings) }
    }
}
