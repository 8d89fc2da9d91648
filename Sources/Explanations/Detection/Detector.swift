import Images
import Indexing
import NeuralNetwork

/// A detector's boxes on pictures, and which of its numbers each of them comes from.
public final class Detector: Sendable {
    public let settings: DetectionSettings
    /// How the network's answer was read.
    public var form: DetectionSettings.Form { head.form }
    public var classCount: Int { head.classes }
    /// None where they are not known.
    public let classNames: [String]
    /// Boxes before a threshold.
    public var placeCount: Int { head.places }
    /// Numbers of each place that are not read: masks, key points.
    public var furtherNumbers: Int { head.furtherNumbers }
    /// Whether the first class is none, as the scores of each place add up to 1.
    public var hasBackground: Bool { head.hasBackground }

    private let explainer: Explainer
    private let head: DetectionHead
    let outputs: DetectionHead.Outputs
    /// Numbers of a place before the scores of classes.
    var firstScore: Int { head.firstScore }
    var grid: PyramidGrid? { head.grid }

    /// The element of the answer that is number `row` of a place.
    func element(_ row: Int, _ place: Int) -> [Int] { head.element(row, place) }

    /// What a picture has, and what was left out because it lies in the padding.
    public struct Findings: Sendable {
        public var detections: [Detection]
        /// Boxes that have nothing of the picture.
        public var outside: Int
    }

    /// - Parameters:
    ///   - explainer: of the network, whose preprocessing is taken.
    ///   - names: of the classes; empty for those of the file, if any.
    /// - Throws: `ExplanationError.noBoxes` where the network has none of a detector's outputs; `NetworkError`.
    public init(_ explainer: Explainer, names: [String] = [], settings: DetectionSettings = DetectionSettings()) throws {
        self.settings = settings
        let known = names.isEmpty ? FileClassNames.read(explainer.network.metadata) : names
        var options = Network.Options(explainer.description)
        let files = try FileOutput.all(of: explainer.network.path, options: options)
        outputs = DetectionHead.Outputs(files, output: options.output, form: settings.form)
        (options.output, options.joined, options.hasClasses) = (outputs.first, outputs.joined, false)
        let network = try DifferentiableNetwork(contentsOf: explainer.network.path, options: options)
        let asked = Explainer(answering: explainer, network: network)
        self.explainer = asked
        let empty = try network.answer.map { answer in
            let recipe = explainer.preprocessing
            let frame = Image(width: recipe.crop.width, height: recipe.crop.height, fill: Preprocessing.letterboxPadding)
            return try asked.activations(of: answer.layer, on: recipe.tensor(from: frame))
        }
        head = try DetectionHead(
            network.answer, isPair: outputs.joined != nil, form: settings.form, names: known, input: network.input,
            outputs: files, empty: empty ?? [])
        guard known.isEmpty || names.isEmpty || known.count == head.classes else {
            throw ExplanationError.noBoxes(
                problem: "has \(head.classes) classes by its shape, read as \(head.form.rawValue), and \(known.count) are named",
                outputs: files)
        }
        classNames = known.count == head.classes ? known : []
    }

    /// The boxes of a picture, best first.
    /// - Throws: `ExplanationError.scores` where scores are no probabilities; `NetworkError`.
    public func findings(on subject: Subject) throws -> Findings {
        let map = try explainer.activations(of: head.answer.layer, on: subject)
        var (candidates, places): ([NonMaximumSuppression.Candidate], [Int]) = ([], [])
        for place in 0..<head.places {
            let numbers = head.numbers(of: place, in: map)
            let (classIndex, score) = head.best(numbers, isLogits: settings.isLogits)
            guard settings.isLogits || !(score > 1.0001 || numbers[head.firstScore...].contains { $0 < -0.0001 }) else {
                let scores = numbers[head.firstScore...]
                throw ExplanationError.scores(lowest: scores.min() ?? 0, highest: scores.max() ?? 0, form: head.form.rawValue)
            }
            guard score >= settings.score else { continue }
            let (left, top, right, bottom) = head.corners(numbers, place: place)
            guard [left, top, right, bottom].allSatisfy(\.isFinite) else { continue }
            candidates.append(.init(left: left, top: top, right: right, bottom: bottom, score: score, classIndex: classIndex))
            places.append(place)
        }
        var findings = Findings(detections: [], outside: 0)
        for index in NonMaximumSuppression.kept(candidates, overlap: settings.overlap) {
            add(candidates[index], place: places[index], subject.framed.placement, to: &findings)
        }
        return findings
    }

    private func add(
        _ candidate: NonMaximumSuppression.Candidate, place: Int, _ placement: Placement, to findings: inout Findings
    ) {
        let frame = Rectangle(
            x: Double(candidate.left), y: Double(candidate.top), width: Double(candidate.right - candidate.left),
            height: Double(candidate.bottom - candidate.top))
        let box = placement.sourceRectangle(ofInput: frame).clipped(to: placement.source)
        guard !box.isEmpty else {
            findings.outside += 1
            return
        }
        findings.detections.append(
            Detection(
                rank: findings.detections.count + 1, classIndex: candidate.classIndex,
                className: classNames.isEmpty ? nil : classNames[candidate.classIndex], score: candidate.score, box: box,
                frameBox: frame, place: place))
    }
}
