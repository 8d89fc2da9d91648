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
    /// A class that is none: where the scores of a place are a softmax, the first.
    let hasBackground: Bool

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
        if form == .pairs { return (numbers[0] * scale.x, numbers[1] * scale.y, numbers[2] * scale.x, numbers[3] * scale.y) }
        var (x, y, width, height) = (numbers[0] * scale.x, numbers[1] * scale.y, numbers[2] * scale.x, numbers[3] * scale.y)
        if form == .yolox, let cell = grid?.cell(of: place) {
            let stride = Float(cell.stride)
            (x, y) = ((numbers[0] + Float(cell.x)) * stride, (numbers[1] + Float(cell.y)) * stride)
            (width, height) = (DetectionHead.exponential(numbers[2]) * stride, DetectionHead.exponential(numbers[3]) * stride)
        }
        return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    }

    /// The best class of a place and its score, 0 to 1.
    func best(_ numbers: [Float], isLogits: Bool) -> (classIndex: Int, score: Float) {
        func probability(_ number: Float) -> Float { isLogits ? 1 / (1 + DetectionHead.exponential(-number)) : number }
        let scores = numbers[firstScore...].dropFirst(hasBackground ? 1 : 0)
        var best = scores.startIndex
        for index in scores.indices where scores[index] > scores[best] { best = index }
        let certainty: Float = firstScore == 5 ? probability(numbers[4]) : 1
        return (best - firstScore, certainty * probability(scores[best]))
    }
}
