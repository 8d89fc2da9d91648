import ActivationStore
import Foundation
import Images
import NeuralNetwork

extension DetectionHead {
    static func exponential(_ value: Float) -> Float { exp(value) }

    /// Which outputs of a file the boxes are in.
    struct Outputs: Hashable, Sendable {
        var first: String?
        var joined: Network.JoinedOutput?

        init(first: String?) { self.first = first }

        /// Two outputs of as many places, one of which has four numbers of each; else `output`.
        /// - Parameter output: that was asked for; nil for the first of the file.
        init(_ files: [FileOutput], output: String?, form: DetectionSettings.Form?) {
            first = output
            guard form == nil || form == .pairs, let (boxes, scores, axis) = Self.pair(files),
                [boxes, scores, files.first?.name].contains(output ?? boxes)
            else { return }
            (first, joined) = (boxes, Network.JoinedOutput(name: scores, axis: axis))
        }

        /// The outputs of boxes and scores, and the axis of the numbers of a place, the batch's being 0.
        private static func pair(_ files: [FileOutput]) -> (String, String, Int)? {
            let flat = files.filter { $0.shape?.count == 2 }
            for axis in [1, 0] {
                func numbers(_ output: FileOutput) -> Int { output.shape?[axis] ?? 0 }
                func places(_ output: FileOutput) -> Int { output.shape?[1 - axis] ?? 0 }
                let boxes = flat.filter { numbers($0) == 4 && places($0) > 4 }
                guard let four = boxes.first(where: { isNamed($0, boxWords) }) ?? (boxes.count == 1 ? boxes.first : nil) else {
                    continue
                }
                let others = flat.filter {
                    $0.name != four.name && places($0) == places(four) && !isNamed($0, boxWords) && !isNamed($0, pointWords)
                }
                guard let scores = others.first(where: { isNamed($0, scoreWords) }) ?? others.first else { continue }
                return (four.name, scores.name, axis + 1)
            }
            return nil
        }

        private static let boxWords = ["box", "loc", "coord", "reg"]
        private static let pointWords = ["land", "point", "kps", "mask"]
        private static let scoreWords = ["score", "conf", "cls", "class", "prob", "logit"]

        private static func isNamed(_ output: FileOutput, _ words: [String]) -> Bool {
            words.contains(where: output.name.lowercased().contains)
        }
    }

    /// What the answer of a network says by its shape, and what it holds of an empty picture.
    /// - Parameters:
    ///   - names: of classes; empty where they are not known.
    ///   - empty: the answer's map on a picture of one colour.
    /// - Throws: `ExplanationError.noBoxes` where its shape is none of a detector's.
    init(
        _ answer: AnswerTensor?, isPair: Bool, form said: DetectionSettings.Form?, names: [String], input: Network.Input,
        outputs: [FileOutput], empty: [Float]
    ) throws {
        func refusal(_ problem: String) -> ExplanationError { .noBoxes(problem: problem, outputs: outputs) }
        guard let answer, answer.shape.count == 2 else {
            throw refusal(
                said == nil ? "has none of a detector's outputs" : "has no output of two axes, places and their numbers")
        }
        guard isPair == (said == .pairs) || said == nil else {
            throw refusal("has no output of four numbers a place beside one of scores, as --head pairs has it")
        }
        self.answer = answer
        let shape = answer.shape
        guard let axis = answer.places ?? (isPair || said != nil ? (shape[0] > shape[1] ? 0 : 1) : nil) else {
            throw refusal("has none of a detector's outputs")
        }
        self.axis = axis
        let rows = shape[1 - axis]
        var form = isPair ? .pairs : said ?? Self.form(rows: rows, axis: axis, names: names.count)
        grid = PyramidGrid(places: shape[axis], height: input.height, width: input.width)
        let head = form == .yolov5 || form == .yolox ? 5 : 4
        guard rows > head else { throw refusal("has \(rows) numbers a place, and \(form.rawValue) needs \(head + 1) or more") }
        let named = form == .yolov8 && !names.isEmpty && rows > head + names.count
        classes = named ? names.count : rows - head
        furtherNumbers = rows - head - classes
        let four = try Self.columns(answer, axis, empty, rows: 0..<4)
        // Boxes of all places reach over all of a picture; offsets within a cell are a few numbers.
        let reach = four.flatMap { $0.prefix(2) }.filter(\.isFinite).map(abs).max() ?? 0
        if form == .yolov5, said == nil, grid?.shapes == 1, reach < Float(min(input.width, input.height)) / 2 { form = .yolox }
        if form == .yolox, grid?.shapes != 1 {
            throw refusal("has \(shape[axis]) places, and the cells of strides 8, 16 and 32 that yolox needs are others")
        }
        self.form = form
        scale = form != .yolox && reach <= 2 ? (Float(input.width), Float(input.height)) : (1, 1)
        let scores = try Self.columns(answer, axis, empty, rows: head..<head + classes)
        hasBackground = form == .pairs && classes > 1 && scores.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-3 }
    }

    private static func form(rows: Int, axis: Int, names: Int) -> DetectionSettings.Form {
        if names > 0 {
            if rows == 4 + names { return .yolov8 }
            if rows == 5 + names { return .yolov5 }
        }
        return axis == 1 ? .yolov8 : .yolov5
    }

    /// Some numbers of every place.
    private static func columns(_ answer: AnswerTensor, _ axis: Int, _ map: [Float], rows: Range<Int>) throws -> [[Float]] {
        (0..<answer.shape[axis]).map { place in
            rows.map { row in
                guard let neuron = answer.neuron(at: axis == 0 ? [place, row] : [row, place]) else { return .nan }
                return map[(neuron.y * answer.layer.width + neuron.x) * answer.layer.channels + neuron.channel]
            }
        }
    }
}

/// Names of classes that a network's file brings along.
public enum FileClassNames {
    /// Ultralytics' `names`, a Python dictionary: `{0: 'person', 1: 'bicycle'}`; none where there is none, or numbers are missing.
    public static func read(_ metadata: [String: String]) -> [String] {
        guard let text = metadata["names"] else { return [] }
        var names: [Int: String] = [:]
        for match in text.matches(of: /(\d+)\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/) {
            guard let index = Int(match.1), let name = match.2 ?? match.3 else { continue }
            names[index] = String(name).replacing(/\\(.)/) { String($0.1) }
        }
        guard names.keys.max() == names.count - 1 else { return [] }
        return (0..<names.count).compactMap { names[$0] }
    }
}
