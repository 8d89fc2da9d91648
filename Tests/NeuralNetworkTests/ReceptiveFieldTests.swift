import NeuralNetwork
import TestSupport
import Testing

/// The computed receptive fields against the definition: which pixels change a position of a layer.
@Suite struct ReceptiveFieldTests {
    /// A random network of windows with positive weights alone, so that every pixel of a field matters.
    private func network(seed: UInt64) throws -> Network {
        var random = SeededGenerator(seed: seed)
        var model = ModelBuilder(input: [1, 1, 39, 43])
        var value = "image"
        func pair(_ range: ClosedRange<Int>) -> [Int] { (0..<2).map { _ in Int.random(in: range, using: &random) } }
        func convolution(_ source: String, _ name: String, _ kernel: [Int], _ attributes: [String: ModelBuilder.Attribute])
            -> String
        {
            let count = kernel[0] * kernel[1]
            let weights = (0..<count).map { _ in Float.random(in: 0.5...1, using: &random) }
            let weight = model.weight("\(name).weight", [1, 1] + kernel, weights)
            return model.node("Conv", [source, weight], attributes)
        }
        for number in 0..<3 {
            // Padding further in hides pixels that a field has, so that only the first layer has any.
            let (before, after) = number == 0 ? (pair(0...1), pair(0...1)) : ([0, 0], [0, 0])
            switch Int.random(in: number == 0 ? 1..<4 : 2..<5, using: &random) {
            case 4:
                value = model.node("AveragePool", [value], ["kernel_shape": .ints(pair(2...3)), "strides": .ints(pair(1...2))])
            case 1:
                // A branch that sees more, added to one that sees less.
                let wide = convolution(value, "wide\(number)", [3, 3], ["pads": [1, 1, 1, 1]])
                let narrow = convolution(value, "narrow\(number)", [1, 1], [:])
                value = model.node("Add", [wide, narrow])
            case 2:
                let strides = model.integers(pair(1...2))
                value = model.node(
                    "Slice", [value, model.integers(pair(0...1)), model.integers([100, 100]), model.integers([2, 3]), strides])
            default:
                let attributes: [String: ModelBuilder.Attribute] = [
                    "strides": .ints(pair(1...2)), "dilations": .ints(pair(1...2)), "pads": .ints(before + after),
                ]
                value = convolution(value, "conv\(number)", pair(1...3), attributes)
            }
        }
        return try model.network(output: convolution(value, "last", [2, 1], [:]))
    }

    @Test func fieldsAreWhatChangesAPosition() throws {
        for seed in UInt64(1)...20 {
            let network = try network(seed: seed)
            guard let layer = network.layers.last else { continue }
            let (height, width) = (network.input.height, network.input.width)
            let zero = [Float](repeating: 0, count: height * width)
            let images = zero.indices.map { index in
                var image = zero
                image[index] = 1
                return image
            }
            let answers = try network.answers(to: images)
            for position in 0..<layer.height * layer.width {
                let seen = answers.indices.filter { answers[$0][position] != 0 }
                let (rows, columns) = (seen.map { $0 / width }, seen.map { $0 % width })
                guard let top = rows.min(), let bottom = rows.max(), let left = columns.min(), let right = columns.max() else {
                    continue
                }
                let y = layer.receptiveField.y.range(at: position / layer.width, extent: height)
                let x = layer.receptiveField.x.range(at: position % layer.width, extent: width)
                // With dilations and strides a field has gaps; its ends are what is seen, and nothing outside is.
                #expect(
                    y.lowerBound <= top && bottom < y.upperBound,
                    "seed \(seed), position \(position): rows \(top)...\(bottom), not \(y)")
                #expect(
                    x.lowerBound <= left && right < x.upperBound,
                    "seed \(seed), position \(position): columns \(left)...\(right), not \(x)")
                // Where the picture's edge cuts a field with gaps, the edge may lie in one.
                func isWhole(_ axis: ReceptiveField.Axis, _ position: Int, _ extent: Int) -> Bool {
                    let first = axis.start + position * axis.stride
                    return first >= 0 && first + axis.size <= extent
                }
                let isInside =
                    isWhole(layer.receptiveField.y, position / layer.width, height)
                    && isWhole(layer.receptiveField.x, position % layer.width, width)
                if isInside { #expect(y == top..<bottom + 1 && x == left..<right + 1, "seed \(seed), position \(position)") }
            }
        }
    }

    /// Where the channels are last, height and width are other axes: what is flattened, cut, padded or reduced there is of the picture all the same.
    @Test func ofMapsWhoseChannelsAreLast() throws {
        var (model, random) = (ModelBuilder(opset: 18, input: [1, 3, 16, 20]), SeededGenerator(seed: 6))
        _ = model.random("w", [8, 3, 3, 3], &random)
        let map = model.node("Conv", ["image", "w"], name: "conv")
        let last = model.node("Transpose", [map], ["perm": [0, 2, 3, 1]])
        let cut = model.node("Slice", [last, model.integers([4, 2]), model.integers([14, 18]), model.integers([1, 2])])
        let padded = model.node("Pad", [cut, model.integers([0, 1, 3, 0, 0, 0, 0, 0])])
        let end = model.node("LeakyRelu", [padded], ["alpha": 0.5], name: "cut")
        let mean = model.node("ReduceMean", [end, model.integers([1])], name: "rows")
        let columns = model.node("LeakyRelu", [mean], ["alpha": 0.5], name: "columns")
        let flat = model.node("Reshape", [columns, model.integers([1, -1])])
        _ = model.random("fc", [19 * 8, 5], &random)
        let scores = model.node("MatMul", [flat, "fc"], name: "fc")
        var options = Network.Options()
        options.layers = ["cut", "columns", "fc"]
        let layers = try model.network(output: scores, options: options).layers
        let fields = Dictionary(layers.map { ($0.name, $0.receptiveField) }) { first, _ in first }
        #expect(fields["cut"]?.y == ReceptiveField.Axis(size: 3, stride: 1, start: 3))
        #expect(fields["cut"]?.x == ReceptiveField.Axis(size: 3, stride: 1, start: -1))
        // Over all eleven rows of the cut.
        #expect(fields["columns"]?.y.size == 13 && fields["columns"]?.x.size == 3)
        #expect(fields["fc"]?.y.size == 13 && fields["fc"]?.x.size == 21)
    }

    @Test func aFullyConnectedLayerSeesEverything() throws {
        let (model, output) = ModelBuilder.classifier()
        let field = try model.network(output: output).layers.last?.receptiveField
        #expect(field?.y.range(at: 0, extent: 8) == 0..<8)
        #expect(field?.x.range(at: 0, extent: 8) == 0..<8)
    }
}
