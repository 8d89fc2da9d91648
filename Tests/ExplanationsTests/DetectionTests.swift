import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import Search
import TestSupport
import Testing

/// A small detector with a picture of its size or another.
struct DetectorFixture {
    let folder: TemporaryFolder
    let fixture: ExplainerFixture
    let subject: InputImage
    let network: Network

    /// - Parameter size: of the picture, which is noise.
    init(_ model: ModelBuilder, outputs: [String], size: Size = Size(width: 64, height: 64)) throws {
        folder = try TemporaryFolder()
        try Data(model.bytes(outputs: outputs)).write(to: URL(fileURLWithPath: folder.file("net.onnx")))
        var random = SeededGenerator(seed: 11)
        var image = Image(width: size.width, height: size.height, fill: .black)
        for index in image.pixels.indices { image.pixels[index] = UInt8.random(in: 0...255, using: &random) }
        try Data(try image.pngData(text: [])).write(to: URL(fileURLWithPath: folder.file("1.png")))
        fixture = try ExplainerFixture(
            model: folder.file("net.onnx"), preprocessing: Preprocessing(.letterbox, input: Size(width: 64, height: 64)))
        subject = try fixture.subject(folder.file("1.png"))
        network = try Network(contentsOf: folder.file("net.onnx"))
    }

    /// An output in the file's order.
    func output(_ name: String? = nil) throws -> [Float] {
        var options = Network.Options()
        options.output = name
        let network = try Network(contentsOf: folder.file("net.onnx"), options: options)
        let worker = try network.makeWorker()
        _ = worker.input(image: 0).update(fromContentsOf: subject.tensor)
        try worker.run()
        return worker.output(image: 0)
    }

    func findings(_ settings: DetectionSettings = DetectionSettings()) throws -> Detector.Findings {
        try fixture.explainer.detector(settings).findings(on: subject)
    }
}

@Suite struct DetectionTests {
    /// A place's box and scores, read from the file's own outputs as a user of them would.
    private struct Slow {
        var box: [Float]
        var scores: [Float]

        static func read(_ form: String, _ fixture: DetectorFixture) throws -> [Slow] {
            let (count, classes) = (DetectorModels.places, DetectorModels.classes)
            guard form != "pairs" else {
                let (boxes, scores) = (try fixture.output("boxes"), try fixture.output("scores"))
                // The worker gives a map of places, channels first.
                return (0..<count).map { place in
                    Slow(box: (0..<4).map { boxes[$0 * count + place] }, scores: (0..<classes).map { scores[$0 * count + place] })
                }
            }
            let all = try fixture.output()
            let rows = all.count / count
            return (0..<count).map { place in
                let numbers = (0..<rows).map { all[$0 * count + place] }
                var (x, y, width, height) = (numbers[0], numbers[1], numbers[2], numbers[3])
                if form == "yolox" {
                    let cell = DetectorModels.cells[place]
                    (x, y) = ((x + Float(cell.x)) * Float(cell.stride), (y + Float(cell.y)) * Float(cell.stride))
                    (width, height) = (exp(width) * Float(cell.stride), exp(height) * Float(cell.stride))
                }
                let scores = form == "yolov8" ? Array(numbers[4...]) : numbers[5...].map { $0 * numbers[4] }
                return Slow(box: [x - width / 2, y - height / 2, x + width / 2, y + height / 2], scores: scores)
            }
        }

        var best: Int { scores.indices.max { (scores[$0], $1) < (scores[$1], $0) } ?? 0 }

        func overlap(_ other: Slow) -> Float {
            let width = min(box[2], other.box[2]) - max(box[0], other.box[0])
            let height = min(box[3], other.box[3]) - max(box[1], other.box[1])
            guard width > 0, height > 0 else { return 0 }
            let areas = [self, other].map { ($0.box[2] - $0.box[0]) * ($0.box[3] - $0.box[1]) }
            return width * height / (areas[0] + areas[1] - width * height)
        }
    }

    private static func made(_ form: String, size: Size = Size(width: 64, height: 64)) throws -> DetectorFixture {
        switch form {
        case "yolov8":
            let (model, output) = DetectorModels.yolov8()
            return try DetectorFixture(model, outputs: [output], size: size)
        case "pairs": return try DetectorFixture(DetectorModels.pairs(), outputs: ["boxes", "scores"], size: size)
        default:
            let (model, output) = DetectorModels.yolov5(isDecoded: form == "yolov5")
            return try DetectorFixture(model, outputs: [output], size: size)
        }
    }

    @Test(arguments: ["yolov8", "yolov5", "yolox", "pairs"]) func headsAreFoundAndRead(_ form: String) throws {
        let fixture = try Self.made(form)
        let detector = try fixture.fixture.explainer.detector(DetectionSettings())
        #expect(detector.form.rawValue == form && detector.classCount == 3 && detector.placeCount == 84)
        let slow = try Slow.read(form, fixture)
        var kept: [Int] = []
        for place in slow.indices.sorted(by: { slow[$0].scores[slow[$0].best] > slow[$1].scores[slow[$1].best] }) {
            let candidate = slow[place]
            guard candidate.scores[candidate.best] >= 0.25,
                !kept.contains(where: { slow[$0].best == candidate.best && slow[$0].overlap(candidate) > 0.45 })
            else { continue }
            kept.append(place)
        }
        let inside = kept.filter { slow[$0].box[2] > 0 && slow[$0].box[3] > 0 && slow[$0].box[0] < 64 && slow[$0].box[1] < 64 }
        let found = try fixture.findings()
        #expect(
            found.detections.count > 5 && found.detections.map(\.place) == inside && found.outside == kept.count - inside.count)
        for detection in found.detections {
            let expected = slow[detection.place]
            #expect(detection.classIndex == expected.best && abs(detection.score - expected.scores[expected.best]) < 1e-5)
            let edges = [
                detection.box.x, detection.box.y, detection.box.x + detection.box.width, detection.box.y + detection.box.height,
            ]
            for (edge, value) in zip(edges, expected.box) { #expect(abs(edge - Double(min(max(value, 0), 64))) < 1e-3) }
        }
    }

    /// A wide picture fills columns 0..<64 and rows 16..<48 of the frame, each pixel of which is three of the picture.
    @Test func boxesAreBroughtBackToThePicture() throws {
        let fixture = try Self.made("yolov8", size: Size(width: 192, height: 96))
        #expect(fixture.subject.framed.placement.shown.rows == 16..<48)
        let found = try fixture.findings()
        #expect(!found.detections.isEmpty && found.outside > 0)
        for detection in found.detections {
            let frame = detection.frameBox
            let left = max(frame.x * 3, 0)
            let top = max((frame.y - 16) * 3, 0)
            #expect(abs(detection.box.x - left) < 1e-9 && abs(detection.box.y - top) < 1e-9)
            #expect(abs(detection.box.x + detection.box.width - min((frame.x + frame.width) * 3, 192)) < 1e-9)
            #expect(abs(detection.box.y + detection.box.height - min((frame.y + frame.height - 16) * 3, 96)) < 1e-9)
        }
    }

    /// Kept by `torchvision.ops.nms` (0.29) of each class.
    @Test(
        arguments: [
            (0, [4, 3, 9, 13, 1]), (0.2, [4, 3, 9, 11, 13, 2, 5, 1, 7]), (0.45, [4, 3, 9, 12, 11, 13, 2, 5, 10, 0, 1, 6, 7]),
            (1, [4, 3, 9, 12, 11, 13, 2, 5, 10, 0, 1, 6, 7, 8]),
        ] as [(Float, [Int])])
    func suppressionIsTorchvisions(_ overlap: Float, _ expected: [Int]) {
        let boxes: [[Float]] = [
            [10, 14, 41, 43, 0], [31, 13, 60, 30, 1], [9, 16, 23, 53, 0], [39, 16, 53, 48, 0], [2, 1, 12, 23, 1],
            [18, 36, 47, 74, 1], [15, 13, 31, 38, 0], [30, 7, 40, 41, 0], [7, 33, 38, 41, 0], [7, 33, 38, 41, 0],
            [18, 20, 36, 41, 1], [38, 14, 47, 22, 0], [2, 4, 40, 25, 1], [11, 32, 47, 43, 1],
        ]
        let scores: [Float] = [0.35, 0.2, 0.5, 0.9, 1, 0.5, 0.15, 0.1, 0.05, 0.8, 0.4, 0.65, 0.7, 0.55]
        let candidates = zip(boxes, scores).map { box, score in
            NonMaximumSuppression.Candidate(
                left: box[0], top: box[1], right: box[2], bottom: box[3], score: score, classIndex: Int(box[4]))
        }
        #expect(NonMaximumSuppression.kept(candidates, overlap: overlap) == expected)
        #expect(NonMaximumSuppression.kept([], overlap: overlap).isEmpty)
    }

    @Test func whatIsNoDetectorIsRefused() throws {
        let petshop = try ExplainerFixture.petshop()
        #expect {
            try petshop.explainer.detector(DetectionSettings())
        } throws: {
            "\($0)".contains("'scores' [5]") && "\($0)".contains("--head")
        }
        var settings = DetectionSettings()
        settings.form = .pairs
        let fixture = try Self.made("yolov8")
        #expect(throws: ExplanationError.self) { try fixture.findings(settings) }
        // Scores before their sigmoid.
        var (model, _) = DetectorModels.yolov8()
        let raw = try DetectorFixture(
            model, outputs: [model.node("Concat", ["four", "scores"], ["axis": 1], outputs: ["raw"])])
        settings = DetectionSettings()
        #expect {
            try raw.findings(settings)
        } throws: {
            "\($0)".contains("probabilities from 0 to 1") && "\($0)".contains("--logits")
        }
        settings.isLogits = true
        (settings.score, settings.overlap) = (0, 1)
        var all = DetectionSettings()
        (all.score, all.overlap) = (0, 1)
        let known = Dictionary(uniqueKeysWithValues: try fixture.findings(all).detections.map { ($0.place, $0.score) })
        let found = try raw.findings(settings).detections.filter { known[$0.place] != nil }
        #expect(!found.isEmpty && found.allSatisfy { abs($0.score - (known[$0.place] ?? 2)) < 1e-5 })
        settings = DetectionSettings()
        let turned = DetectorModels.yolov8(isTransposed: true)
        let other = try DetectorFixture(turned.model, outputs: [turned.output])
        settings.form = .yolov8
        #expect(try other.findings(settings).detections.map(\.place) == fixture.findings().detections.map(\.place))
    }

    @Test func namesOfUltralytics() {
        #expect(FileClassNames.read(["names": "{0: 'person', 1: \"cow's\", 2: 'a\\'b'}"]) == ["person", "cow's", "a'b"])
        #expect(FileClassNames.read(["names": "{0: 'person', 2: 'car'}"]).isEmpty && FileClassNames.read([:]).isEmpty)
        #expect(FileClassNames.read(["names": "['a', 'b']"]).isEmpty)
    }
}
