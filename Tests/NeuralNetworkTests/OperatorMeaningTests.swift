import NeuralNetwork
import TestSupport
import Testing

/// What operators say of themselves, which others go by without knowing them: it holds for every one of them.
@Suite struct OperatorMeaningTests {
    /// After a Transpose that puts the channels last, they are the last axis of whatever keeps the axes as they are.
    @Test(arguments: [
        "Relu", "Erf", "Softmax", "LogSoftmax", "Slice", "Pad", "Concat", "Tile", "ReduceMean", "LayerNormalization", "Pow",
        "Clip", "Identity", "CumSum", "Expand", "Gather", "Split", "GatherElements",
    ])
    func channelsStayLast(_ type: String) throws {
        var model = ModelBuilder(opset: 18, input: [1, 3, 6, 8])
        let last = model.node("Transpose", ["image"], ["perm": [0, 2, 3, 1]])
        var (inputs, attributes, size) = ([last], [String: ModelBuilder.Attribute](), [6, 8])
        switch type {
        case "Softmax", "LogSoftmax": attributes["axis"] = 2
        case "Slice":
            inputs += [model.integers([1]), model.integers([5]), model.integers([1])]
            size = [4, 8]
        case "Pad":
            inputs += [model.integers([0, 1, 0, 0, 0, 2, 0, 0])]
            size = [9, 8]
        case "Concat":
            inputs += [last]
            attributes["axis"] = 1
            size = [12, 8]
        case "Tile":
            inputs += [model.integers([1, 1, 2, 1])]
            size = [6, 16]
        case "ReduceMean":
            inputs += [model.integers([1])]
            size = [1, 8]
        case "LayerNormalization": inputs += [model.weight("scale", [3], [1, 2, 0.5])]
        case "Pow": inputs += [model.weight("powers", [3], [1, 2, 3])]
        case "CumSum": inputs += [model.integers([1])]
        case "Expand": inputs += [model.integers([1, 6, 8, 3])]
        case "Gather":
            inputs += [model.integers([3, 1])]
            attributes["axis"] = 1
            size = [2, 8]
        case "GatherElements":
            inputs += [model.integers(Array(repeating: 2, count: 24), shape: [1, 1, 8, 3])]
            attributes["axis"] = 1
            size = [1, 8]
        case "Split":
            inputs += [model.integers([4, 2])]
            attributes["axis"] = 1
            size = [4, 8]
        default: break
        }
        let outputs = type == "Split" ? ["made", "rest"] : ["made"]
        model.node(type, inputs, attributes, outputs: outputs)
        let end = model.node("LeakyRelu", ["made"], ["alpha": 0.5], name: "end")
        var options = Network.Options()
        options.layers = ["end"]
        let network = try model.network(output: end, options: options)
        let layer = try #require(network.layers.first { $0.name == "end" })
        #expect([layer.channels, layer.height, layer.width] == [3] + size)
        var random = SeededGenerator(seed: 5)
        let image = SlowTensor(random: [3, 6, 8], using: &random).floats
        let values = try network.answers(to: [image])[0]
        let maxima = (0..<3).map { channel in stride(from: channel, to: values.count, by: 3).map { values[$0] }.max() ?? 0 }
        let read = try network.run([image]) { Array($0.maxima(image: $1)) }[0]
        #expect(distance(Array(read[layer.firstNeuron..<layer.firstNeuron + 3]), maxima.map { Double($0) }) < 1e-6)
    }

    /// A join of channels is a layer of both, whichever axis holds them; a join of rows is none, as a roll of windows is written.
    @Test func joinsOfChannelsAreLayers() throws {
        func layers(axis: Int, isLast: Bool) throws -> [String] {
            var (model, random) = (ModelBuilder(input: [1, 3, 6, 8]), SeededGenerator(seed: 3))
            _ = model.random("w", [4, 3, 1, 1], &random)
            let map = model.node("Conv", ["image", "w"], name: "conv")
            let source = isLast ? model.node("Transpose", [map], ["perm": [0, 2, 3, 1]]) : map
            let joined = model.node("Concat", [source, source], ["axis": .int(axis)], name: "joined")
            let back = isLast ? model.node("Transpose", [joined], ["perm": [0, 3, 1, 2]]) : joined
            let network = try model.network(output: model.node("GlobalAveragePool", [back], name: "mean"))
            return network.layers.filter { $0.name == "joined" }.map { "\($0.channels) \($0.height)×\($0.width)" }
        }
        #expect(try layers(axis: 1, isLast: false) == ["8 6×8"])
        #expect(try layers(axis: 2, isLast: false) == [])
        #expect(try layers(axis: 3, isLast: true) == ["8 6×8"])
        #expect(try layers(axis: -1, isLast: true) == ["8 6×8"])
        #expect(try layers(axis: 1, isLast: true) == [])
    }

    /// What is computed of the part of a map that a window touches is what the whole map has there, behind every operator.
    @Test func whatChangesIsComputedAgain() throws {
        var compared = 0
        for (index, operation) in operatorCases.enumerated() {
            guard let shape = operation.shapes.first(where: { $0.count == 3 && $0[1] > 6 && $0[2] > 4 }) else { continue }
            var random = SeededGenerator(seed: UInt64(index))
            var model = ModelBuilder(opset: operation.opset, input: [1] + shape.map { Optional($0) }, name: "picture")
            _ = model.random("before", [shape[0], shape[0], 3, 3], &random)
            model.node("Conv", ["picture", "before"], ["pads": [1, 1, 1, 1]], outputs: ["image"])
            let (output, _) = operation.build(&model, shape, &random)
            let network = try model.differentiableNetwork(output: output)
            guard let layer = network.layers.last, layer.tensor == output else { continue }
            let count = shape.reduce(1, *)
            let image = (0..<count).map { _ in Float.random(in: 0.1...1, using: &random) }
            let (rows, columns) = ([0..<2, 3..<6], [1..<4])
            guard
                let pass = try IncrementalPass.passes(
                    network, layer: layer, rows: rows, columns: columns, over: image, batch: 1, count: 1, ifLessThan: .infinity)?
                    .first
            else { continue }
            let full = try ForwardPass.passes(network, layer: layer, count: 1)[0]
            for row in rows.indices {
                var changed = image
                for y in rows[row] {
                    for x in columns[0] {
                        for channel in 0..<shape[0] { changed[(y * shape[2] + x) * shape[0] + channel] = 0.5 }
                    }
                }
                let place = pass.place(image: 0, row: row, column: 0)
                let patch = pass.input(image: 0)
                for y in 0..<pass.patch.height {
                    for x in 0..<pass.patch.width {
                        for channel in 0..<shape[0] {
                            let (ay, ax) = (place.y + y, place.x + x)
                            let isInside = (0..<shape[1]).contains(ay) && (0..<shape[2]).contains(ax)
                            patch[(y * pass.patch.width + x) * shape[0] + channel] =
                                isInside ? changed[(ay * shape[2] + ax) * shape[0] + channel] : 0
                        }
                    }
                }
                try pass.run()
                _ = full.input(image: 0).update(fromContentsOf: changed)
                try full.run()
                let error = distance(Array(pass.activation(image: 0)), full.activation(image: 0).map { Double($0) })
                #expect(error <= max(operation.tolerance, 1e-5), "\(operation.name), windows of row \(row): \(error)")
            }
            compared += 1
        }
        #expect(compared > 40, "operators compared: \(compared)")
    }
}
