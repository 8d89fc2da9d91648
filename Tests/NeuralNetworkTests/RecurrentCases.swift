import Foundation
import TestSupport

/// How a case differs from the plain one.
private struct Form: Sendable {
    var type: String
    var direction = "forward"
    var hasBias = true
    var hasPeepholes = false
    var hasStates = false
    var resetsAfter = false
    var sequencesAreFirst = false
    /// Which output is looked at: 0 all hidden values, 1 the last ones, 2 the last cells.
    var output = 0
    var attributes: [String: ModelBuilder.Attribute] = [:]
    var functions: [@Sendable (Double) -> Double]?
}

/// Each column of the picture is a step, with the picture's rows and channels as its channels.
private func recurrent(_ name: String, _ form: Form) -> OperatorCase {
    OperatorCase(name: "\(form.type), \(name)", operators: [form.type], shapes: [[2, 3, 7], [3, 2, 1], [1, 5, 12]]) {
        model, shape, random in
        let (channels, steps, hidden) = (shape[0] * shape[1], shape[2], 5)
        let gates = ["LSTM": 4, "GRU": 3][form.type] ?? 1
        let reversed: [Bool] = ["forward": [false], "reverse": [true]][form.direction] ?? [false, true]
        let count = reversed.count
        func halved(_ name: String, _ shape: [Int]) -> SlowTensor {
            let values = SlowTensor(random: shape, using: &random).map { Double(Float($0 / 2)) }
            _ = model.weight(name, shape, values.floats)
            return values
        }
        var slow = SlowRecurrence(
            form.type == "LSTM" ? .lstm : form.type == "GRU" ? .gru : .plain,
            weights: halved("w", [count, gates * hidden, channels]), recurrent: halved("r", [count, gates * hidden, hidden]))
        (slow.isReversed, slow.resetsAfter) = (reversed, form.resetsAfter)
        if let functions = form.functions { slow.functions = functions }
        if form.hasBias { slow.bias = halved("b", [count, 2 * gates * hidden]) }
        let stateShape = form.sequencesAreFirst ? [1, count, hidden] : [count, 1, hidden]
        if form.hasStates { slow.initialHidden = halved("h", stateShape).reshaped([count, hidden]) }
        if form.hasStates, form.type == "LSTM" { slow.initialCell = halved("c", stateShape).reshaped([count, hidden]) }
        if form.hasPeepholes { slow.peepholes = halved("p", [count, 3 * hidden]) }
        let columns = model.node("Transpose", ["image"], ["perm": [0, 3, 1, 2]])
        let sequence = model.node(
            "Reshape", [columns, model.integers(form.sequencesAreFirst ? [1, steps, channels] : [steps, 1, channels])])
        var inputs = [sequence, "w", "r", form.hasBias ? "b" : "", "", form.hasStates ? "h" : ""]
        if form.type == "LSTM" { inputs += [form.hasStates ? "c" : "", form.hasPeepholes ? "p" : ""] }
        var attributes = form.attributes
        attributes["hidden_size"] = .int(hidden)
        attributes["direction"] = .string(form.direction)
        if form.type == "GRU" { attributes["linear_before_reset"] = .int(form.resetsAfter ? 1 : 0) }
        if form.sequencesAreFirst { attributes["layout"] = 1 }
        let names = (0..<(form.type == "LSTM" ? 3 : 2)).map { "of \(form.type) \($0)" }
        model.node(form.type, inputs, attributes, outputs: names)
        let (isFirst, output) = (form.sequencesAreFirst, form.output)
        return (
            names[output],
            { [slow] image in
                let (all, last, cell) = slow.run(image.transposed([0, 3, 1, 2]).reshaped([steps, channels]))
                guard output == 0 else { return (output == 1 ? last : cell).reshaped(stateShape) }
                return isFirst
                    ? all.transposed([1, 0, 2]).reshaped([1, steps, count, hidden])
                    : all.transposed([1, 0, 2]).reshaped([steps, count, 1, hidden])
            }
        )
    }
}

private let hardSigmoid: @Sendable (Double) -> Double = { min(max(0.25 * $0 + 0.5, 0), 1) }

let recurrentCases: [OperatorCase] = [
    recurrent("forward", Form(type: "LSTM")),
    recurrent("reversed", Form(type: "LSTM", direction: "reverse", hasStates: true)),
    recurrent("both directions", Form(type: "LSTM", direction: "bidirectional")),
    recurrent("peepholes and states", Form(type: "LSTM", direction: "bidirectional", hasPeepholes: true, hasStates: true)),
    recurrent("last values", Form(type: "LSTM", direction: "bidirectional", output: 1)),
    recurrent("last cells", Form(type: "LSTM", direction: "reverse", hasPeepholes: true, output: 2)),
    recurrent("sequences first", Form(type: "LSTM", direction: "bidirectional", hasStates: true, sequencesAreFirst: true)),
    recurrent("last values, sequences first", Form(type: "LSTM", direction: "bidirectional", sequencesAreFirst: true, output: 1)),
    recurrent(
        "other functions",
        Form(
            type: "LSTM",
            attributes: ["activations": .strings(["HardSigmoid", "Tanh", "Tanh"]), "activation_alpha": .floats([0.25])],
            functions: [hardSigmoid, { tanh($0) }, { tanh($0) }])),
    recurrent("forward", Form(type: "GRU")),
    recurrent("without bias", Form(type: "GRU", hasBias: false)),
    recurrent(
        "both directions, resetting after", Form(type: "GRU", direction: "bidirectional", hasStates: true, resetsAfter: true)),
    recurrent("reversed, last values", Form(type: "GRU", direction: "reverse", hasStates: true, output: 1)),
    recurrent("resetting after, sequences first", Form(type: "GRU", resetsAfter: true, sequencesAreFirst: true)),
    recurrent("both directions", Form(type: "RNN", direction: "bidirectional", hasStates: true)),
    recurrent(
        "of rectifiers",
        Form(type: "RNN", attributes: ["activations": .strings(["Relu"])], functions: [{ $0 }, { max($0, 0) }, { $0 }])),
]
