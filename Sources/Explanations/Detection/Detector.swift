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
    /// Whether one of the classes is none, as where the scores of each place add up to 1.
    public var hasBackground: Bool { head.none != nil }
    /// What was not read, and where the boxes were taken before it; nil where the file's own outputs were read.
    public var shortcut: String? {
        guard !outputs.before.isEmpty, let first = outputs.first else { return nil }
        let tensors = outputs.joined.map { "boxes '\(first)' and scores '\($0.name)'" } ?? "'\(first)'"
        return "taken before \(outputs.before.joined(separator: ", ")), which chooses among the boxes, from \(tensors)"
    }

    private let explainer: Explainer
    private let head: DetectionHead
    let outputs: DetectionHead.Outputs
    /// Numbers of a place before the scores of classes.
    var firstScore: Int { head.firstScore }
    var grid: PyramidGrid? { head.grid }

    /// The element of the answer that is number `row` of a place.
    func element(_ row: Int, _ place: Int) -> [Int] { head.element(row, place) }

    /// As `DetectionHead.edge`.
    func edge(_ part: DetectionTarget.Part) -> [(Float, Int)]? { head.edge(part) }

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
        let path = explainer.network.path
        let selection = try BeforeSelection(of: path, options: options)
        let own = try FileOutput.all(of: path, options: options)
        let files = own + (selection?.tensors ?? [])
        outputs = try DetectionHead.Outputs(settings, of: path, own, selection, options)
        (options.output, options.joined, options.hasClasses) = (outputs.first, outputs.joined, false)
        let network = try DifferentiableNetwork(contentsOf: path, options: options)
        let asked = Explainer(answering: explainer, network: network)
        self.explainer = asked
        let empty = try network.answer.map { answer in
            let recipe = explainer.preprocessing
            let frame = Image(width: recipe.crop.width, height: recipe.crop.height, fill: Preprocessing.letterboxPadding)
            return try asked.activations(of: answer.layer, on: recipe.tensor(from: frame))
        }
        head = try DetectionHead(
            network.answer, of: outputs, settings: settings, names: known, input: network.input, files: files,
            empty: empty ?? [])
        let isWithoutNone = head.none != nil && known.count == head.classes - 1
        guard known.isEmpty || names.isEmpty || known.count == head.classes || isWithoutNone else {
            throw ExplanationError.noBoxes(
                problem: "has \(head.classes) classes by its shape, read as \(head.form.rawValue), and \(known.count) are named",
                outputs: files)
        }
        let all = isWithoutNone ? (head.none == .first ? ["none"] + known : known + ["none"]) : known
        classNames = all.count == head.classes ? all : []
    }

    /// The boxes of a picture, best first.
    /// - Throws: `ExplanationError.scores` where scores are no probabilities; `NetworkError`.
    public func findings(on subject: InputImage) throws -> Findings {
        let map = try explainer.activations(of: head.answer.layer, on: subject)
        var (candidates, places): ([NonMaximumSuppression.Candidate], [Int]) = ([], [])
        for place in 0..<head.places {
            let numbers = head.numbers(of: place, in: map)
            let (classIndex, score) = head.best(numbers)
            guard head.takesAnyScore || !(score > 1.0001 || numbers[head.firstScore...].contains { $0 < -0.0001 }) else {
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
        let overlap = head.form.isSetOfBoxes ? 1 : settings.overlap
        for index in NonMaximumSuppression.kept(candidates, overlap: overlap) {
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
