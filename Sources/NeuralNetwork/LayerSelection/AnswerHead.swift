import CKernels
import COneDNN

/// What makes probabilities of a network's scores.
public enum AnswerFunction: String, Sendable { case softmax, sigmoid }

/// The end of a network that makes probabilities of scores, in whatever words its file says it:
///
/// | function | as it is written |
/// |---|---|
/// | softmax | Softmax, LogSoftmax, exp x / Σ exp x, exp(x − max x) / Σ exp(x − max x), exp(x − log Σ exp x) |
/// | sigmoid | Sigmoid, HardSigmoid, 1 / (1 + exp(−x)), (1 + exp(−x))⁻¹, exp x / (exp x + 1), (tanh(x / 2) + 1) / 2 |
///
/// and, after it, clips, numbers added and multiplied, logarithms, and changes of shape.
struct AnswerHead: Sendable {
    var function: AnswerFunction
    /// What the softmax or sigmoid reads.
    var scores: Graph.ValueID
    /// Whether the answer is the logarithm of probabilities.
    var isLogarithm: Bool

    /// Nil where a network's answer is no probability.
    init?(_ graph: Graph) {
        let reader = HeadReader(graph: graph, producers: graph.producers)
        var (value, logarithms, found) = (graph.output, 0, AnswerHead?.none)
        // What is done to a value until it is the answer: times `scale`, plus `shift`.
        var (scale, shift) = (Float(1), Float(0))
        while let node = reader.maker(of: value) {
            let ofTanh = found == nil ? reader.logit(ofTanh: node, scale: scale, shift: shift) : nil
            if let (function, scores) = reader.probability(node) ?? ofTanh.map({ (.sigmoid, $0) }) {
                // A softmax of a softmax: before both.
                guard found == nil || node.operation.probability == .softmax && function == found?.function else { break }
                if node.operatorType == "LogSoftmax", found == nil { logarithms += 1 }
                // Logarithms that come before are of the scores.
                found = AnswerHead(function: function, scores: scores, isLogarithm: logarithms == 1)
                value = scores
                continue
            }
            guard let input = reader.input(behind: node) else { break }
            if found == nil {
                logarithms += reader.logarithms(node)
                reader.follow(node, &scale, &shift)
            }
            value = input
        }
        // Of a picture itself there are no scores.
        guard let found, reader.source(of: found.scores) != nil else { return nil }
        self = found
    }

    private init(function: AnswerFunction, scores: Graph.ValueID, isLogarithm: Bool) {
        (self.function, self.scores, self.isLogarithm) = (function, scores, isLogarithm)
    }
}

private struct HeadReader {
    let graph: Graph
    let producers: [Int?]

    func maker(of id: Graph.ValueID?) -> Graph.Node? { id.flatMap { producers[$0] }.map { graph.nodes[$0] } }

    /// The node that makes a value, behind changes of shape.
    func source(of id: Graph.ValueID?) -> Graph.Node? {
        guard let node = maker(of: id) else { return nil }
        return [.unchanged, .reshaped, .repeated].contains(node.operation.passage) ? source(of: node.inputs[0]) : node
    }

    private func number(_ id: Graph.ValueID?) -> Float? {
        guard let constant = id.flatMap({ graph.values[$0].constant }), constant.count == 1 else { return nil }
        return constant.floats[0]
    }

    private func function(_ node: Graph.Node?) -> nd_function? { node?.operation.function?.native.function }

    /// What a node reads that leaves scores in their order: a clip, a number added, a change of shape. Nil for another node.
    func input(behind node: Graph.Node) -> Graph.ValueID? {
        if node.operation.passage.keepsElements || node.operation.passage == .transposed { return node.inputs[0] }
        if let function = function(node) { return [ND_CLIP, ND_LOG, ND_EXP].contains(function) ? node.inputs[0] : nil }
        guard node.inputs.count == 2, let place = (0..<2).first(where: { number(node.inputs[$0]) != nil }) else { return nil }
        switch node.operatorType {
        case "Add", "Max", "Min": return node.inputs[1 - place]
        case "Mul": return (number(node.inputs[place]) ?? 0) > 0 ? node.inputs[1 - place] : nil
        case "Sub": return place == 1 ? node.inputs[0] : nil
        case "Div": return place == 1 && (number(node.inputs[1]) ?? 0) > 0 ? node.inputs[0] : nil
        default: return nil
        }
    }

    /// 1 for a logarithm, −1 for what undoes one.
    func logarithms(_ node: Graph.Node) -> Int {
        switch function(node) {
        case ND_LOG?: 1
        case ND_EXP?: -1
        default: 0
        }
    }

    /// What a node makes probabilities of, and how; nil where it does not.
    func probability(_ node: Graph.Node) -> (AnswerFunction, Graph.ValueID)? {
        func found(_ function: AnswerFunction, _ id: Graph.ValueID?) -> (AnswerFunction, Graph.ValueID)? {
            id.map { (function, $0) }
        }
        if let function = node.operation.probability { return found(function, node.inputs[0]) }
        if function(node) == ND_EXP, let scores = scoresLessTheirLogSum(node.inputs[0]) { return (.softmax, scores) }
        guard node.inputs.count == 2 else {
            return node.operatorType == "Reciprocal" ? found(.sigmoid, logit(under: node.inputs[0])) : nil
        }
        switch node.operatorType {
        case "Div":
            if number(node.inputs[0]) == 1 { return found(.sigmoid, logit(under: node.inputs[1])) }
            if let logit = logit(node.inputs[0], dividedBy: node.inputs[1]) { return found(.sigmoid, logit) }
            return found(.softmax, scores(node.inputs[0], dividedBy: node.inputs[1]))
        case "Pow": return number(node.inputs[1]) == -1 ? found(.sigmoid, logit(under: node.inputs[0])) : nil
        case "Mul":
            for place in 0..<2 {
                guard let factor = source(of: node.inputs[place]), factor.operatorType == "Reciprocal" else { continue }
                return found(.softmax, scores(node.inputs[1 - place], dividedBy: factor.inputs[0]))
            }
            return nil
        default: return nil
        }
    }

    /// What a number that is added or multiplied does to all that comes before it.
    func follow(_ node: Graph.Node, _ scale: inout Float, _ shift: inout Float) {
        guard node.inputs.count == 2, let place = (0..<2).first(where: { number(node.inputs[$0]) != nil }),
            let number = number(node.inputs[place])
        else { return }
        switch node.operatorType {
        case "Add": shift += scale * number
        case "Sub": shift -= scale * number
        case "Mul": scale *= number
        case "Div": scale /= number
        default: break
        }
    }

    /// x of tanh(x / 2), where what follows makes (tanh(x / 2) + 1) / 2 of it, which is the sigmoid of x.
    func logit(ofTanh node: Graph.Node, scale: Float, shift: Float) -> Graph.ValueID? {
        guard function(node) == ND_TANH, abs(scale - 0.5) < 1e-6, abs(shift - 0.5) < 1e-6, let half = maker(of: node.inputs[0])
        else { return nil }
        var (divisor, ignored) = (Float(1), Float(0))
        follow(half, &divisor, &ignored)
        guard divisor == 0.5, let place = half.inputs.firstIndex(where: { number($0) == nil }) else { return nil }
        return half.inputs[place]
    }

    /// The value beside the number 1 in a sum.
    private func addedToOne(_ id: Graph.ValueID?) -> Graph.ValueID? {
        guard let sum = maker(of: id), sum.operation.isSum, sum.inputs.count == 2,
            let place = (0..<2).first(where: { number(sum.inputs[$0]) == 1 })
        else { return nil }
        return sum.inputs[1 - place]
    }

    /// x of exp x / (exp x + 1).
    private func logit(_ power: Graph.ValueID?, dividedBy sum: Graph.ValueID?) -> Graph.ValueID? {
        guard let exponential = maker(of: power), function(exponential) == ND_EXP, addedToOne(sum) == power else { return nil }
        return exponential.inputs[0]
    }

    /// x of 1 + exp(−x).
    private func logit(under id: Graph.ValueID?) -> Graph.ValueID? {
        guard let power = maker(of: addedToOne(id)), function(power) == ND_EXP, let negative = maker(of: power.inputs[0])
        else { return nil }
        if negative.operatorType == "Sub", number(negative.inputs[0]) == 0 { return negative.inputs[1] }
        if let native = negative.operation.function?.native, native.function == ND_LINEAR, native.alpha == -1 {
            return negative.inputs[0]
        }
        guard negative.operatorType == "Mul", let place = (0..<2).first(where: { number(negative.inputs[$0]) == -1 }) else {
            return nil
        }
        return negative.inputs[1 - place]
    }

    /// x of x − log Σ exp x.
    private func scoresLessTheirLogSum(_ id: Graph.ValueID?) -> Graph.ValueID? {
        guard let difference = maker(of: id), difference.operatorType == "Sub", difference.inputs.count == 2,
            let scores = difference.inputs[0], let total = source(of: difference.inputs[1])
        else { return nil }
        if total.operatorType == "ReduceLogSumExp" { return total.inputs[0] == scores ? scores : nil }
        guard function(total) == ND_LOG, let sum = source(of: total.inputs[0]), sum.operatorType == "ReduceSum",
            let power = maker(of: sum.inputs[0]), function(power) == ND_EXP, power.inputs[0] == scores
        else { return nil }
        return scores
    }

    /// x of exp x / Σ exp x, or of the same with the largest taken off first.
    private func scores(_ power: Graph.ValueID?, dividedBy total: Graph.ValueID?) -> Graph.ValueID? {
        guard let exponential = maker(of: power), function(exponential) == ND_EXP, let sum = source(of: total),
            sum.operatorType == "ReduceSum", sum.inputs[0] == power, let exponent = exponential.inputs[0]
        else { return nil }
        guard let difference = maker(of: exponent), difference.operatorType == "Sub", difference.inputs.count == 2,
            let largest = source(of: difference.inputs[1]), largest.operatorType == "ReduceMax",
            largest.inputs[0] == difference.inputs[0]
        else { return exponent }
        return difference.inputs[0]
    }
}
