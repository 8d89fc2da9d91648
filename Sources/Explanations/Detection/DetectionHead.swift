import Images
import NeuralNetwork

/// How a detector's answer is read: which of its axes has the places, and what the numbers of each are.
struct DetectionHead: Sendable {
    let form: DetectionSettings.Form
    let answer: AnswerTensor
    /// The axis of places in the answer's shape; the other has the numbers of a place.
    let axis: Int
    let classes: Int
    /// Numbers of a place that are not read: masks, key points.
    let furtherNumbers: Int
    /// Of the input: pixels that coordinates are multiplied by, where they are shares of the input's sides.
    let scale: (x: Float, y: Float)
    /// Nil where places are no cells of a pyramid.
    let grid: PyramidGrid?
    /// Which class is none.
    let none: None?
    let squashing: Squashing

    enum None { case first, last }
    /// What makes probabilities of the scores, as the file does not.
    enum Squashing { case none, sigmoid, softmax }

    /// Whether scores are taken before what makes probabilities of them.
    var takesAnyScore: Bool { squashing != .none }

    var places: Int { answer.shape[axis] }
    /// Numbers of a place before the scores of classes.
    var firstScore: Int { form == .yolov5 || form == .yolox ? 5 : 4 }

    /// The element of the answer that is number `row` of a place.
    func element(_ row: Int, _ place: Int) -> [Int] { axis == 0 ? [place, row] : [row, place] }

    /// All numbers of a place that are read.
    func numbers(of place: Int, in map: [Float]) -> [Float] {
        (0..<firstScore + classes).map { row in
            guard let neuron = answer.neuron(at: element(row, place)) else { return .nan }
            return map[(neuron.y * answer.layer.width + neuron.x) * answer.layer.channels + neuron.channel]
        }
    }

    /// Left, top, right and bottom in pixels of the network's input.
    func corners(_ numbers: [Float], place: Int) -> (Float, Float, Float, Float) {
        switch form {
        case .pairs, .ssd: return (numbers[0] * scale.x, numbers[1] * scale.y, numbers[2] * scale.x, numbers[3] * scale.y)
        case .rowsFirst: return (numbers[1] * scale.x, numbers[0] * scale.y, numbers[3] * scale.x, numbers[2] * scale.y)
        default: break
        }
        var (x, y, width, height) = (numbers[0] * scale.x, numbers[1] * scale.y, numbers[2] * scale.x, numbers[3] * scale.y)
        if form == .yolox, let cell = grid?.cell(of: place) {
            let stride = Float(cell.stride)
            (x, y) = ((numbers[0] + Float(cell.x)) * stride, (numbers[1] + Float(cell.y)) * stride)
            (width, height) = (DetectionHead.exponential(numbers[2]) * stride, DetectionHead.exponential(numbers[3]) * stride)
        }
        return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    }

    /// Numbers of a place whose sum, so weighed, is an edge of its box in pixels of the input; nil where the file leaves boxes undecoded.
    func edge(_ part: DetectionTarget.Part) -> [(weight: Float, row: Int)]? {
        let axis = [.left, .right].contains(part) ? 0 : 1
        let (isSecond, scale) = ([.right, .bottom].contains(part), axis == 0 ? scale.x : scale.y)
        switch form {
        case .yolox: return nil
        case .pairs, .ssd: return [(scale, axis + (isSecond ? 2 : 0))]
        case .rowsFirst: return [(scale, 1 - axis + (isSecond ? 2 : 0))]
        default: return [(scale, axis), (isSecond ? scale / 2 : -scale / 2, axis + 2)]
        }
    }

    /// The best class of a place and its score, 0 to 1.
    func best(_ numbers: [Float]) -> (classIndex: Int, score: Float) {
        let all = probabilities(Array(numbers[firstScore...]))
        let range = (none == .first ? 1 : 0)..<all.count - (none == .last ? 1 : 0)
        var best = range.lowerBound
        for index in range where all[index] > all[best] { best = index }
        let certainty: Float = firstScore == 5 ? probabilities([numbers[4]])[0] : 1
        return (best, certainty * all[best])
    }

    private func probabilities(_ scores: [Float]) -> [Float] {
        switch squashing {
        case .none: return scores
        case .sigmoid: return scores.map { 1 / (1 + DetectionHead.exponential(-$0)) }
        case .softmax:
            let largest = scores.max() ?? 0
            let powers = scores.map { DetectionHead.exponential($0 - largest) }
            let total = powers.reduce(0, +)
            return powers.map { $0 / total }
        }
    }
}
