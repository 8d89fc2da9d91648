import NeuralNetwork
import TestSupport
import Testing

/// Maps whose parts stand along the batch axis: maxima over all of them, at their places in the picture.
@Suite struct PlacesTests {
    private let image: SlowTensor
    private let convolution = SlowOperators.Window(kernel: [3, 3], pads: [1, 1, 1, 1])

    init() {
        var random = SeededGenerator(seed: 11)
        image = SlowTensor(random: [1, 2, 12, 8], using: &random)
    }

    /// The maximum of every channel of [1, channels, height, width], and where it stands.
    private func maxima(_ map: SlowTensor) -> (values: [Double], places: [UInt32]) {
        let size = map.shape[2] * map.shape[3]
        let channels = (0..<map.shape[1]).map { Array(map.values[$0 * size..<($0 + 1) * size]) }
        let values = channels.map { $0.max() ?? 0 }
        return (values, zip(channels, values).map { UInt32($0.firstIndex(of: $1) ?? 0) })
    }

    private func expect(_ network: Network, _ layer: String, is map: SlowTensor) throws {
        let found = try #require(network.layers.first { $0.name == layer })
        #expect([found.channels, found.height, found.width] == Array(map.shape[1...]), "\(layer)")
        let read = try network.run([image.floats]) { (Array($0.maxima(image: $1)), Array($0.positions(image: $1))) }
        let (values, positions) = try #require(read.first)
        let own = found.firstNeuron..<found.firstNeuron + found.channels
        let wanted = maxima(map)
        #expect(distance(Array(values[own]), wanted.values) < 1e-5, "\(layer): \(values[own]) for \(wanted.values)")
        #expect(Array(positions[own]) == wanted.places, "\(layer)")
    }

    /// A dilated convolution as TensorFlow writes it: phases to the batch axis, a convolution, and back.
    @Test func phases() throws {
        var (model, random) = (ModelBuilder(input: [1, 2, 12, 8]), SeededGenerator(seed: 12))
        let weights = model.random("w", [3, 2, 3, 3], &random)
        let split = model.node("Reshape", ["image", model.integers([1, 2, 6, 2, 4, 2])])
        let moved = model.node("Transpose", [split], ["perm": [3, 5, 0, 1, 2, 4]])
        let phases = model.node("Reshape", [moved, model.integers([4, 2, 6, 4])])
        let convolved = model.node("Conv", [phases, "w"], ["pads": [1, 1, 1, 1]], name: "dilated")
        let pooled = model.node("MaxPool", [convolved], ["kernel_shape": [3, 3], "pads": [1, 1, 1, 1]], name: "pool")
        let apart = model.node("Reshape", [pooled, model.integers([2, 2, 1, 3, 6, 4])])
        let back = model.node("Transpose", [apart], ["perm": [2, 3, 4, 0, 5, 1]])
        let whole = model.node("Reshape", [back, model.integers([1, 3, 12, 8])])
        let output = model.node("MaxPool", [whole], ["kernel_shape": [1, 1]], name: "whole")
        var window = convolution
        window.dilations = [2, 2]
        window.pads = [2, 2, 2, 2]
        let dilated = SlowOperators.convolution(image, weights, [0, 0, 0], window)
        let network = try model.network(output: output)
        try expect(network, "dilated", is: dilated)
        let larger = SlowOperators.maximum(dilated, window)
        try expect(network, "pool", is: larger)
        try expect(network, "whole", is: larger)
    }

    /// Windows along the batch axis, each with edges of its own.
    @Test func windows() throws {
        var (model, random) = (ModelBuilder(input: [1, 2, 12, 8]), SeededGenerator(seed: 13))
        let weights = model.random("w", [3, 2, 3, 3], &random)
        let split = model.node("Reshape", ["image", model.integers([1, 2, 3, 4, 2, 4])])
        let moved = model.node("Transpose", [split], ["perm": [0, 2, 4, 1, 3, 5]])
        let windows = model.node("Reshape", [moved, model.integers([6, 2, 4, 4])])
        let convolved = model.node("Conv", [windows, "w"], ["pads": [1, 1, 1, 1]], name: "windows")
        let halved = model.node("MaxPool", [convolved], ["kernel_shape": [2, 2], "strides": [2, 2]], name: "halved")
        let output = model.node("GlobalAveragePool", [halved], name: "means")
        func window(_ row: Int, _ column: Int) -> SlowTensor {
            let rows = SlowOperators.sliced(image, axis: 2, start: 4 * row, step: 1, count: 4)
            let part = SlowOperators.sliced(rows, axis: 3, start: 4 * column, step: 1, count: 4)
            return SlowOperators.convolution(part, weights, [0, 0, 0], convolution)
        }
        func joined(_ function: (SlowTensor) -> SlowTensor) -> SlowTensor {
            let lines = (0..<3).map { row in
                SlowOperators.concatenated((0..<2).map { function(window(row, $0)) }, axis: 3)
            }
            return SlowOperators.concatenated(lines, axis: 2)
        }
        let halves = SlowOperators.Window(kernel: [2, 2], strides: [2, 2])
        let network = try model.network(output: output)
        try expect(network, "windows", is: joined { $0 })
        try expect(network, "halved", is: joined { SlowOperators.maximum($0, halves) })
        let means = joined { SlowOperators.average(SlowOperators.maximum($0, halves), SlowOperators.Window(kernel: [2, 2])) }
        try expect(network, "means", is: means)
    }

    /// What stands nowhere in the picture is refused by the node's name, and left out where it is not asked for.
    @Test func whatHasNoPlaceIsRefused() throws {
        var (model, random) = (ModelBuilder(input: [1, 3, 8, 8]), SeededGenerator(seed: 14))
        _ = model.random("w", [2, 8, 3, 1], &random)
        _ = model.random("first", [4, 3, 1, 1], &random)
        let first = model.node("Conv", ["image", "first"], name: "first")
        // Channels that count as rows: four maps of 8 rows of channels.
        let odd = model.node("Transpose", [first], ["perm": [2, 3, 1, 0]])
        let convolved = model.node("Conv", [odd, "w"], ["pads": [1, 0, 1, 0]], name: "odd")
        let output = model.node("GlobalMaxPool", [model.node("Transpose", [convolved], ["perm": [3, 1, 0, 2]])], name: "pool")
        let refused = networkError { _ = try model.network(output: output) }
        guard case .node(let use, let problem) = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
        #expect(use.node == "odd" && problem.contains("cannot tell where in the picture"), "\(problem)")
        var options = Network.Options()
        options.layers = ["first"]
        #expect(try model.network(output: output, options: options).layers.map(\.name).contains("first"))
    }

    /// Several maps of one picture along the batch axis (a picture and its mirror image, crops, two branches with the same weights) have the same
    /// places; and phases that were put in another order have lost theirs. Neither may pass for one map.
    @Test(arguments: ["join", "constant", "pick", "turn"]) func severalMapsAreRefused(_ kind: String) throws {
        var (model, random) = (ModelBuilder(input: [1, 2, 12, 8]), SeededGenerator(seed: 16))
        _ = model.random("w", [3, 2, 3, 3], &random)
        _ = model.random("c", [1, 2, 12, 8], &random)
        func mirrored(_ value: String, axis: Int) -> String {
            model.node(
                "Slice", [value, model.integers([-1]), model.integers([-99]), model.integers([axis]), model.integers([-1])])
        }
        let rows: String
        switch kind {
        case "join": rows = model.node("Concat", ["image", mirrored("image", axis: 3)], ["axis": 0])
        case "constant": rows = model.node("Concat", ["image", "c"], ["axis": 0])
        default:
            let split = model.node("Reshape", ["image", model.integers([1, 2, 6, 2, 4, 2])])
            let moved = model.node("Transpose", [split], ["perm": [3, 5, 0, 1, 2, 4]])
            let phases = model.node("Reshape", [moved, model.integers([4, 2, 6, 4])])
            rows =
                kind == "turn"
                ? mirrored(phases, axis: 0) : model.node("Gather", [phases, model.integers([3, 1, 0, 2])], ["axis": 0])
        }
        let convolved = model.node("Conv", [rows, "w"], ["pads": [1, 1, 1, 1]], name: "rows")
        let largest = model.node("ReduceMax", [convolved], ["axes": [0], "keepdims": 1])
        let output = model.node("GlobalMaxPool", [largest], name: "pool")
        let refused = networkError { _ = try model.network(output: output) }
        guard case .node(let use, let problem) = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
        #expect(use.node == "rows" && problem.contains("cannot tell where in the picture"), "\(problem)")
    }

    /// Where axis 0 holds something else than images, it may be cut, picked from and added up.
    @Test func firstAxisThatIsNotTheBatch() throws {
        var (model, random) = (ModelBuilder(input: [1, 2, 12, 8]), SeededGenerator(seed: 15))
        let weights = model.random("w", [6, 2, 1, 1], &random)
        let convolved = model.node("Conv", ["image", "w"], name: "stem")
        let parts = model.node("Reshape", [convolved, model.integers([1, 3, 2, 12, 8])])
        let first = model.node("Transpose", [parts], ["perm": [1, 0, 2, 3, 4]])
        model.node("Split", [first, model.integers([1, 2])], ["axis": 0], outputs: ["a", "b"])
        let a = model.node("Squeeze", ["a", model.integers([0])])
        let picked = model.node("Gather", ["b", model.integers([1], shape: [])], ["axis": 0])
        let sum = model.node("ReduceSum", [first, model.integers([0])], ["keepdims": 0])
        let output = model.node(
            "MaxPool", [model.node("Add", [model.node("Add", [a, picked]), sum])], ["kernel_shape": [1, 1]])
        let map = SlowOperators.convolution(
            image, weights, [Double](repeating: 0, count: 6), SlowOperators.Window(kernel: [1, 1]))
        func part(_ number: Int) -> SlowTensor { SlowOperators.sliced(map, axis: 1, start: 2 * number, step: 1, count: 2) }
        let all = part(0).combined(with: part(1), +).combined(with: part(2), +)
        let expected = all.combined(with: part(0), +).combined(with: part(2), +)
        let answer = try model.network(output: output).answers(to: [image.floats])[0]
        #expect(distance(answer, expected.values) < 1e-5)
    }
}
