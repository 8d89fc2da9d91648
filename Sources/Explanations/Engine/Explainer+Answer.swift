import ActivationStore
import Images
import Indexing
import NeuralNetwork
import Synchronization

/// Who answers for a target on one picture, and what it is there.
package struct ServedTarget {
    package var explainer: Explainer
    package var target: Target
    /// What a reader must know of it, such as which box it is.
    var remark: String?
}

/// What an explainer has read of its network's file beside the network itself.
final class AnswerShelf: Sendable {
    private struct Entries: Sendable {
        var explainers: [(key: DetectionHead.Outputs, value: Explainer)] = []
        var detectors: [(key: DetectionSettings, value: Detector)] = []
    }

    private let entries = Mutex(Entries())
    /// Each holds a network's weights.
    private static let kept = 2

    func explainer(of key: DetectionHead.Outputs, make: () throws -> Explainer) rethrows -> Explainer {
        try entries.withLock { entries in
            if let known = entries.explainers.first(where: { $0.key == key }) { return known.value }
            let made = try make()
            entries.explainers = entries.explainers.suffix(Self.kept - 1) + [(key, made)]
            return made
        }
    }

    func detector(of key: DetectionSettings, make: () throws -> Detector) rethrows -> Detector {
        try entries.withLock { entries in
            if let known = entries.detectors.first(where: { $0.key == key }) { return known.value }
            let made = try make()
            entries.detectors = entries.detectors.suffix(Self.kept - 1) + [(key, made)]
            return made
        }
    }
}

extension Explainer {
    /// The target as a sum of neurons, with those of boxes and elements found in the network's answer.
    ///
    /// - Throws: as `placed`; `ExplanationError.target` for an element or a box that is not there; `ExplanationError.noBoxes`.
    package func served(_ target: Target, on subject: InputImage) throws -> ServedTarget {
        switch target.reduction {
        case .element("", _, _): return try reading(target, on: subject)
        case .element(let output, _, _):
            let explainer = try explainer(ofOutput: output, target)
            let found = try target.elements(of: output, in: explainer.network)
            return ServedTarget(explainer: explainer, target: try explainer.placed(found, on: subject))
        case .detection(let first):
            let detector = try detector(first.settings)
            let explainer = try explainer(before: detector.outputs)
            return try detector.served(target, on: subject, by: explainer)
        default: return ServedTarget(explainer: self, target: try placed(target, on: subject))
        }
    }

    /// What a recogniser reads at steps of a picture: at each the strongest channel of its answer.
    private func reading(_ target: Target, on subject: InputImage) throws -> ServedTarget {
        guard let layer = network.answer?.layer, min(layer.height, layer.width) == 1, layer.height * layer.width > 1 else {
            throw ExplanationError.target(
                target.text,
                problem: "asks for a step, and the network's answer is no sequence of them; name a neuron, LAYER:CHANNEL")
        }
        let count = layer.height * layer.width
        let map = try activations(of: layer, on: subject)
        var remarks: [String] = []
        let terms = try target.terms.map { term in
            guard case .element("", let index, _) = term.reduction, let step = index.first, step < count else {
                throw ExplanationError.target(
                    target.text, problem: "is no step of the network's answer, which has \(count), from 0 to \(count - 1)")
            }
            let channel = Array(map[step * layer.channels..<(step + 1) * layer.channels]).firstOfLargest
            remarks.append("step \(step) of \(count): channel \(channel) of \(layer.name)")
            return Target.Term(
                weight: term.weight, channel: channel,
                reduction: .position(y: layer.height == 1 ? 0 : step, x: layer.height == 1 ? step : 0))
        }
        return ServedTarget(
            explainer: self, target: target.ofTerms(terms, layer: layer.name), remark: remarks.joined(separator: "; "))
    }

    /// The network's boxes.
    /// - Throws: as `Detector`.
    public func detector(_ settings: DetectionSettings) throws -> Detector {
        try answers.detector(of: settings) { try Detector(self, settings: settings) }
    }

    /// The same network with outputs as they are before sigmoids and softmaxes.
    private func explainer(before outputs: DetectionHead.Outputs) throws -> Explainer {
        try answers.explainer(of: outputs) {
            var options = Network.Options(description)
            (options.output, options.joined, options.hasClasses) = (outputs.first, outputs.joined, false)
            options.beforeProbabilities = true
            return Explainer(answering: self, network: try DifferentiableNetwork(contentsOf: network.path, options: options))
        }
    }

    private func explainer(ofOutput output: String, _ target: Target) throws -> Explainer {
        do {
            return try explainer(before: DetectionHead.Outputs(first: output))
        } catch NetworkError.noSuchName {
            let files = try FileOutput.all(of: network.path, options: Network.Options(description))
            throw ExplanationError.target(
                target.text, problem: "is of an output that the network does not have; it has \(FileOutput.list(files))")
        }
    }
}

extension Target {
    /// The same as neurons of the layer that has an output's elements.
    /// - Parameter network: read up to that output.
    /// - Throws: `ExplanationError.target` for an element that is not there.
    func elements(of output: String, in network: DifferentiableNetwork) throws -> Target {
        guard let answer = network.answer else {
            throw ExplanationError.target(
                text, problem: "is of an output whose elements are no neurons one for one; name a neuron, LAYER:CHANNEL@y,x")
        }
        return ofTerms(try terms.map { try element($0, of: output, answer) }, layer: answer.layer.name)
    }

    private func element(_ term: Term, of output: String, _ answer: AnswerTensor) throws -> Term {
        guard case .element(output, let index, let over) = term.reduction else {
            throw ExplanationError.target(text, problem: "adds elements of several outputs; a sum is of one output's")
        }
        guard let over else {
            guard let neuron = answer.neuron(at: index) else {
                throw ExplanationError.target(
                    text,
                    problem:
                        "is outside the output '\(output)', whose shape is \(answer.shape) without the batch's axis; indices begin at 0"
                )
            }
            return Term(weight: term.weight, channel: neuron.channel, reduction: .position(y: neuron.y, x: neuron.x))
        }
        let layer = answer.layer
        let axis = answer.shape.firstIndex(of: layer.channels)
        guard answer.shape.count == 3, layer.height * layer.width > 1, index.count == 1, (0..<layer.channels).contains(index[0]),
            axis == 0 || axis == 2
        else {
            throw ExplanationError.target(
                text,
                problem:
                    "has @\(over) of '\(output)', whose shape is \(answer.shape) without the batch's axis; regions are of a channel of a map, [channels, height, width]: output:\(output)[0]@box x0,y0,x1,y1"
            )
        }
        return Term(
            weight: term.weight, channel: index[0], reduction: try Self.reduction(over, of: LayerRecord(layer), text))
    }
}

extension Detector {
    /// - Parameter explainer: of the same outputs before sigmoids and softmaxes.
    func served(_ target: Target, on subject: InputImage, by explainer: Explainer) throws -> ServedTarget {
        let found = try findings(on: subject).detections
        guard let answer = explainer.network.answer else { throw ExplanationError.noScores }
        var (terms, remarks, hint): ([Target.Term], [String], String?) = ([], [], nil)
        for term in target.terms {
            guard case .detection(let box) = term.reduction, box.settings == settings else {
                throw ExplanationError.target(target.text, problem: "adds boxes that were found by different settings")
            }
            guard box.rank <= found.count else {
                throw ExplanationError.image(
                    name: subject.name,
                    problem:
                        "has no box \(box.rank): it has \(found.count) of a score of \(settings.score) or more; 'neurodex detect' lists them"
                )
            }
            let detection = found[box.rank - 1]
            for (weight, row) in try rows(of: box.part, detection, target) {
                guard let neuron = answer.neuron(at: element(row, detection.place)) else { throw ExplanationError.noScores }
                terms.append(
                    Target.Term(
                        weight: term.weight * weight, channel: neuron.channel, reduction: .position(y: neuron.y, x: neuron.x)))
            }
            if remarks.isEmpty { hint = mapLayer(of: detection, explainer.network)?.name }
            remarks.append(detection.remark)
        }
        var placed = target.ofTerms(terms, layer: answer.layer.name)
        placed.mapHint = hint
        return ServedTarget(explainer: explainer, target: placed, remark: remarks.joined(separator: "; "))
    }

    /// The numbers of a place that a part of its box is a sum of, with their weights.
    private func rows(of part: DetectionTarget.Part, _ detection: Detection, _ target: Target) throws -> [(Float, Int)] {
        func refusal(_ problem: String) -> ExplanationError { .target(target.text, problem: problem) }
        switch part {
        case .score: return [(1, firstScore + detection.classIndex)]
        case .objectness:
            guard firstScore == 5 else {
                throw refusal("asks for an objectness, which heads read as \(form.rawValue) do not have")
            }
            return [(1, 4)]
        default:
            guard let edge = edge(part) else {
                throw refusal(
                    "asks for a coordinate, which is no sum of numbers of a head read as yolox: the file leaves boxes undecoded")
            }
            return edge
        }
    }

    /// The last map of the box's scale, but for the very last, that is computed from all earlier ones of that scale and that all later ones are
    /// computed from: what its head reads, where it parts into classes and boxes.
    private func mapLayer(of detection: Detection, _ network: DifferentiableNetwork) -> Layer? {
        guard let level = grid?.level(of: detection.place) else { return nil }
        let maps = network.layers.filter { $0.height == level.height && $0.width == level.width }
        guard maps.count > 1 else { return nil }
        func depends(_ later: Int, _ earlier: Int) -> Bool {
            (try? network.layer(maps[later], dependsOn: maps[earlier])) == true
        }
        return maps.indices.dropLast().last { index in
            maps[..<index].indices.allSatisfy { depends(index, $0) }
                && maps.indices.dropFirst(index + 1).allSatisfy { depends($0, index) }
        }.map { maps[$0] }
    }
}

extension Detection {
    /// For a figure.
    fileprivate var remark: String {
        let edges = [box.x, box.y, box.x + box.width, box.y + box.height].map { "\(Int($0.rounded()))" }
        return "box \(rank): \(label), \(Float((100 * score).rounded() / 100)), at \(edges.joined(separator: ","))"
    }
}

extension FileOutput {
    /// For messages: `'boxes' [84, 4] and 'scores' [84, 3]`.
    static func list(_ outputs: [FileOutput]) -> String {
        let all = outputs.map { output in
            "'\(output.name)'" + (output.shape.map { " \($0)" } ?? " (not computed)")
        }
        guard all.count > 1 else { return all.first ?? "none" }
        return all.dropLast().joined(separator: ", ") + " and \(all[all.count - 1])"
    }
}
