import ActivationStore
import Foundation
import Images
import NeuralNetwork

extension DetectionHead {
    static func exponential(_ value: Float) -> Float { exp(value) }

    /// What the answer of a network says by its shape, and what it holds of an empty picture.
    /// - Parameters:
    ///   - names: of classes; empty where they are not known.
    ///   - empty: the answer's map on a picture of one colour.
    ///   - files: what may be named instead.
    /// - Throws: `ExplanationError.noBoxes` where its shape is none of a detector's, or its boxes are none.
    init(
        _ answer: AnswerTensor?, of outputs: Outputs, settings: DetectionSettings, names: [String], input: Network.Input,
        files: [FileOutput], empty: [Float]
    ) throws {
        let (said, isPair) = (settings.form ?? outputs.form, outputs.joined != nil)
        func refusal(_ problem: String) -> ExplanationError { .noBoxes(problem: problem, outputs: files) }
        let (answer, axis) = try Self.placed(answer, of: outputs, said, refusal)
        (self.answer, self.axis) = (answer, axis)
        let shape = answer.shape
        let rows = shape[1 - axis]
        let four = try Self.columns(answer, axis, empty, rows: 0..<4)
        let scores = try Self.columns(answer, axis, empty, rows: min(4, rows)..<rows)
        var form =
            said
            ?? (isPair
                ? Self.pairForm(outputs, four, scores, names: names.count)
                : Self.form(rows: rows, axis: axis, names: names.count))
        grid = PyramidGrid(places: shape[axis], height: input.height, width: input.width)
        let head = form == .yolov5 || form == .yolox ? 5 : 4
        guard rows > head else { throw refusal("has \(rows) numbers a place, and \(form.rawValue) needs \(head + 1) or more") }
        let named = form == .yolov8 && !names.isEmpty && rows > head + names.count
        classes = named ? names.count : rows - head
        furtherNumbers = rows - head - classes
        // Boxes of all places reach over all of a picture; offsets within a cell are a few numbers.
        let reach = four.flatMap { $0.prefix(2) }.filter(\.isFinite).map(abs).max() ?? 0
        if form == .yolov5, said == nil, grid?.shapes == 1, reach < Float(min(input.width, input.height)) / 2 { form = .yolox }
        if form == .yolox, grid?.shapes != 1 {
            throw refusal("has \(shape[axis]) places, and the cells of strides 8, 16 and 32 that yolox needs are others")
        }
        self.form = form
        scale = form != .yolox && (reach <= 2 || form.isSetOfBoxes) ? (Float(input.width), Float(input.height)) : (1, 1)
        let areSoftmaxed = classes > 1 && scores.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-3 }
        none = form == .detr ? .last : form == .ssd || form.isPair && form != .rtdetr && areSoftmaxed ? .first : nil
        squashing = Self.squashing(form, scores, areSoftmaxed: areSoftmaxed, isLogits: settings.isLogits)
        if isPair, !Self.areBoxes(four, form) {
            throw refusal(
                "has four numbers a place whose first two do not lie before its last two, as offsets to prior boxes that are not in the file: export it with its boxes decoded, or name their tensor with --boxes; what was read"
            )
        }
    }

    /// The answer with the axis of its places.
    private static func placed(
        _ answer: AnswerTensor?, of outputs: Outputs, _ said: DetectionSettings.Form?, _ refusal: (String) -> ExplanationError
    ) throws -> (AnswerTensor, Int) {
        let unread =
            outputs.before.isEmpty
            ? "has none of a detector's outputs"
            : "chooses its boxes by \(outputs.before.joined(separator: ", ")), which neurodex does not read, and what it chooses from is none of a detector's outputs, such as boxes [places, 4] and scores [places, classes]"
        guard let answer, answer.shape.count == 2 else {
            throw refusal(said == nil ? unread : "has no output of two axes, places and their numbers")
        }
        if let said, said.isPair != (outputs.joined != nil) {
            throw refusal("has no output of four numbers a place beside one of scores, as --head \(said.rawValue) has it")
        }
        if let joined = outputs.joined { return (answer, 2 - joined.axis) }
        guard let axis = answer.places ?? said.map({ _ in answer.shape[0] > answer.shape[1] ? 0 : 1 }) else {
            throw refusal(unread)
        }
        return (answer, axis)
    }

    /// What the file leaves to do, as scores of an empty picture show.
    private static func squashing(
        _ form: DetectionSettings.Form, _ scores: [[Float]], areSoftmaxed: Bool, isLogits: Bool
    ) -> Squashing {
        switch form {
        case .ssd, .detr: areSoftmaxed ? .none : .softmax
        case .rtdetr: scores.joined().allSatisfy { (-0.0001...1.0001).contains($0) } ? .none : .sigmoid
        default: isLogits ? .sigmoid : .none
        }
    }

    /// Whether most are boxes of some width and height, and no offsets.
    private static func areBoxes(_ boxes: [[Float]], _ form: DetectionSettings.Form) -> Bool {
        let areCentred = form.isSetOfBoxes || form == .centred
        let right = boxes.count { areCentred ? $0[2] >= 0 && $0[3] >= 0 : $0[2] >= $0[0] && $0[3] >= $0[1] }
        return 2 * right > boxes.count
    }

    /// Of boxes beside scores: where boxes are shares of the input and scores are not, by the names that DETR's have.
    private static func pairForm(_ outputs: Outputs, _ boxes: [[Float]], _ scores: [[Float]], names: Int)
        -> DetectionSettings.Form
    {
        let areNamed = outputs.first?.hasSuffix("pred_boxes") == true && outputs.joined?.name.hasSuffix("logits") == true
        guard areNamed, boxes.joined().allSatisfy({ (0...1).contains($0) }), let classes = scores.first?.count else {
            return .pairs
        }
        // DETR has 100 queries; those that came later have more, and a sigmoid.
        let isLater = names == classes || names != classes - 1 && boxes.count > 100
        return isLater ? .rtdetr : .detr
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
