/// A small recogniser of text with random weights: columns of a picture are steps of a recurrent layer, and each step has scores of characters.
public enum RecogniserModels {
    public static let (steps, hidden, characters) = (8, 3, 5)

    /// Over a picture of 16×16. The answer is [steps, 1, characters], or [1, steps, characters] where `imagesAreFirst`.
    public static func make(type: String = "LSTM", imagesAreFirst: Bool = false) -> (model: ModelBuilder, output: String) {
        var (model, random) = (ModelBuilder(input: [1, 3, 16, 16]), SeededGenerator(seed: 5))
        func weight(_ name: String, _ shape: [Int]) -> String {
            model.weight(name, shape, SlowTensor(random: shape, using: &random).floats)
        }
        let gates = type == "LSTM" ? 4 : 3
        let map = model.node(
            "Conv", ["image", weight("conv.weight", [6, 3, 2, 2])], ["strides": [2, 2], "kernel_shape": [2, 2]])
        let row = model.node("MaxPool", [model.node("Relu", [map])], ["kernel_shape": [8, 1], "strides": [8, 1]])
        let columns = model.node("Transpose", [model.node("Squeeze", [row, model.integers([2])])], ["perm": [2, 0, 1]])
        model.node(
            type, [columns, weight("rnn.w", [2, gates * hidden, 6]), weight("rnn.r", [2, gates * hidden, hidden])],
            ["hidden_size": .int(hidden), "direction": "bidirectional"], name: "rnn", outputs: ["both"])
        let sides = model.node("Transpose", ["both"], ["perm": [0, 2, 1, 3]])
        var sequence = model.node("Reshape", [sides, model.integers([0, 0, -1])])
        if imagesAreFirst { sequence = model.node("Transpose", [sequence], ["perm": [1, 0, 2]]) }
        let product = model.node("MatMul", [sequence, weight("head.weight", [2 * hidden, characters])])
        let scores = model.node("Add", [product, weight("head.bias", [characters])], name: "head")
        return (model, model.node("Softmax", [scores], ["axis": 2], outputs: ["letters"]))
    }
}
