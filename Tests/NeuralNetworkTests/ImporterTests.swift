import NeuralNetwork
import TestSupport
import Testing

/// Graphs as files hold them: in disorder, with parts that nobody needs, or broken.
@Suite struct ImporterTests {
    private func error(_ model: ModelBuilder, _ output: String, _ options: Network.Options = .init()) -> String {
        networkError { _ = try model.network(output: output, options: options) }.map { "\($0)" } ?? "none"
    }

    @Test func unknownOperatorsAreAllNamed() throws {
        var model = ModelBuilder()
        let a = model.node("Rellu", ["image"], name: "first")
        let b = model.node("Rellu", [a], name: "second")
        let c = model.node("Relu", [b], name: "third", domain: "com.example")
        _ = model.node("Nonsense", ["image"], name: "dead")
        let uses: [NetworkError.OperatorUse] = [
            .init(operatorType: "Rellu", node: "first", layer: "first"),
            .init(operatorType: "com.example.Relu", node: "third", layer: "third"),
        ]
        #expect(networkError { _ = try model.network(output: c) } == .unsupportedOperators(uses))
    }

    @Test func deadNodesMayBeAnything() throws {
        var model = ModelBuilder()
        _ = model.node("Nonsense", ["image"])
        _ = model.node("Relu", ["undefined"])
        let output = model.node("Relu", ["image"])
        #expect(error(model, output) == "none")
    }

    /// Any tensor can be the output, and what comes after it may be what nobody reads.
    @Test func anyTensorIsAnOutput() throws {
        var (model, random) = (ModelBuilder(input: [1, 2, 6, 6]), SeededGenerator(seed: 4))
        _ = model.random("w", [3, 2, 3, 3], &random)
        let map = model.node("Conv", ["image", "w"], name: "conv", outputs: ["map"])
        let squared = model.node("Mul", [map, map], outputs: ["squared"])
        let end = model.node("Nonsense", [squared], name: "odd", outputs: ["end"])
        #expect(error(model, end).contains("name a tensor of the file with --output"))
        var options = Network.Options()
        options.output = "map"
        let network = try Network(bytes: model.bytes(outputs: [end]), options: options)
        #expect(network.layers.map(\.name) == ["conv"])
        #expect(network.layers.allSatisfy { !$0.isLogits }, "a map is no vector of scores")
        options.output = "mop"
        let wrong = networkError { _ = try Network(bytes: model.bytes(outputs: [end]), options: options) }
        #expect(wrong == .noSuchName(kind: "output", name: "mop", known: ["end", "map", "squared"]))
    }

    @Test func brokenGraphs() throws {
        var model = ModelBuilder()
        #expect(error(model, model.node("Relu", ["nobody"], name: "lost")).contains("node 'lost' reads 'nobody'"))
        #expect(error(model, "nothing").contains("reads 'nothing'"))
        _ = model.node("Add", ["image", "b"], name: "one", outputs: ["a"])
        _ = model.node("Relu", ["a"], name: "two", outputs: ["b"])
        #expect(error(model, "b").contains("depends on itself"))
        _ = model.node("Relu", ["self"], outputs: ["self"])
        #expect(error(model, "self").contains("depends on itself"))
        var twice = ModelBuilder()
        _ = twice.node("Relu", ["image"], outputs: ["a"])
        _ = twice.node("Abs", ["image"], outputs: ["a"])
        #expect(error(twice, "a").contains("is there already"))
        var none = ModelBuilder()
        #expect(error(none, none.node("Relu", [])).contains("has no first input"))
        #expect(error(none, none.node("Relu", [""])).contains("has no first input"))
        _ = none.weight("w", [1], [1])
        #expect(error(none, none.node("Sqrt", ["w"])).contains("does not depend on the image"))
    }

    @Test func nodesInAnyOrder() throws {
        var model = ModelBuilder(input: [1, 1, 1, 2])
        _ = model.node("Add", ["b", "a"], outputs: ["c"])
        _ = model.node("Neg", ["a"], outputs: ["b0"])
        _ = model.node("Abs", ["b0"], outputs: ["b"])
        _ = model.node("Neg", ["image"], outputs: ["a"])
        #expect(try model.network(output: "c").answers(to: [[3, -5]]) == [[0, 10]])
    }

    @Test func severalOutputs() throws {
        var model = ModelBuilder(input: [1, 1, 1, 1])
        let (a, b) = (model.node("Neg", ["image"], outputs: ["minus"]), model.node("Exp", ["image"], outputs: ["power"]))
        let bytes = model.bytes(outputs: [a, b])
        #expect(try Network(bytes: bytes).answers(to: [[0]]) == [[0]])
        var options = Network.Options()
        options.output = "power"
        #expect(try Network(bytes: bytes, options: options).answers(to: [[0]]) == [[1]])
        options.output = "powers"
        let expected = NetworkError.noSuchName(kind: "output", name: "powers", known: ["minus", "power"])
        #expect(networkError { _ = try Network(bytes: bytes, options: options) } == expected)
    }

    @Test func weightsInConstantNodesOrListedAsInputs() throws {
        for inConstant in [true, false] {
            var model = ModelBuilder(input: [1, 1, 1, 1])
            let weight = ModelBuilder.tensor("w", [1, 1, 1, 1], type: 1, raw: ProtoMessage.littleEndian([Float(3)]))
            if inConstant {
                model.node("Constant", [], ["value": .tensor(weight)], outputs: ["w"])
            } else {
                model.graph.add(5, weight)
                model.graph.add(11, ModelBuilder.valueInfo("w", [1, 1, 1, 1]))
            }
            let output = model.node("Conv", ["image", "w"])
            #expect(try model.network(output: output).answers(to: [[2]]) == [[6]])
        }
    }

    /// Every kind of Constant, and what holds no numbers.
    @Test func constantsOfAllKinds() throws {
        let kinds: [([String: ModelBuilder.Attribute], [Float])] = [
            (["value": .tensor(ModelBuilder.tensor("", [2], type: 1, raw: ProtoMessage.littleEndian([Float(3), 4])))], [4, 6]),
            (["value": .tensor(ModelBuilder.tensor("", [], type: 11, raw: ProtoMessage.littleEndian([0.5])))], [1.5, 2.5]),
            (
                ["value": .tensor(ModelBuilder.tensor("", [1], type: 10, raw: ProtoMessage.littleEndian([UInt16(0x3C00)])))],
                [2, 3]
            ),
            (["value_float": .float(2.5)], [3.5, 4.5]), (["value_floats": .floats([1, 2])], [2, 4]),
            (["value_int": .int(7)], [8, 9]), (["value_ints": .ints([5, 6])], [6, 8]),
        ]
        for (attributes, expected) in kinds {
            var model = ModelBuilder(input: [1, 1, 1, 2])
            let constant = model.node("Cast", [model.node("Constant", [], attributes)], ["to": 1])
            #expect(try model.network(output: model.node("Add", ["image", constant])).answers(to: [[1, 2]]) == [expected])
        }
        var model = ModelBuilder()
        let text = model.node("Constant", [], ["value_string": "hello"], name: "greeting")
        #expect(error(model, model.node("Add", ["image", text])).contains("holds no tensor of numbers, but value_string"))
    }

    @Test func batches() throws {
        for batch in [nil, 1, 4] as [Int?] {
            let (model, output) = ModelBuilder.classifier(input: [batch, 3, 8, 8])
            var options = Network.Options()
            options.batch = 3
            let network = try model.network(output: output, options: options)
            #expect(network.batch == 3)
            var random = SeededGenerator(seed: 1)
            let images = (0..<4).map { _ in SlowTensor(random: [3, 8, 8], using: &random).floats }
            let together = try network.answers(to: images)
            let alone = try images.map { try network.answers(to: [$0])[0] }
            #expect(together == alone, "a batch of \(String(describing: batch)) in the file")
        }
        // A file that mixes the images of a batch runs them one by one.
        var model = ModelBuilder(input: [1, 2, 3, 1])
        let mixed = model.node("Reshape", ["image", model.integers([2, 3, 1])])
        #expect(try model.network(output: mixed).batch == 1)
        // An answer without the batch's axis has one of its own.
        let rows = try model.network(output: model.node("Reshape", ["image", model.integers([2, 3])]))
        let images: [[Float]] = [[1, 2, 3, 4, 5, 6], [-6, -5, -4, -3, -2, -1], [0, 7, 0, 7, 0, 7]]
        #expect(try rows.answers(to: images) == images.map { try rows.answers(to: [$0])[0] } && rows.batch > 1)
        #expect(try rows.answers(to: images).map { $0.sorted() } == images.map { $0.sorted() })
    }

    @Test func inputs() throws {
        let (open, output) = ModelBuilder.classifier(input: [nil, 3, nil, nil])
        #expect(error(open, output).contains("--input-size"))
        var options = Network.Options()
        options.inputSize = (height: 12, width: 7)
        let network = try open.network(output: output, options: options)
        #expect([network.input.channels, network.input.height, network.input.width] == [3, 12, 7])
        let (fixed, answer) = ModelBuilder.classifier()
        #expect(error(fixed, answer, options).contains("is 8×8 pixels, and --input-size says 12×7"))
        options.inputSize = (height: 8, width: 8)
        #expect(error(fixed, answer, options) == "none")
        options.inputSize = (height: 1 << 20, width: 1)
        #expect(error(open, output, options).contains("at most"))
        for (shape, words) in [
            ([1, nil, 8, 8], "how many channels"), ([8, 8], "2 axes"), ([1, 0, 8, 8], "how many channels"),
        ] as [([Int?], String)] {
            var model = ModelBuilder(input: shape)
            #expect(error(model, model.node("Relu", ["image"])).contains(words))
        }
        var two = ModelBuilder()
        two.graph.add(11, ModelBuilder.valueInfo("mask", [1, 3, 8, 8]))
        #expect(error(two, two.node("Add", ["image", "mask"])).contains("2 inputs"))
    }

    @Test func networksThatAnswerWithAPictureOrHaveNoHead() throws {
        var (model, random) = (ModelBuilder(input: [1, 3, 6, 7]), SeededGenerator(seed: 6))
        _ = model.random("conv.weight", [3, 3, 3, 3], &random)
        let conv = model.node("Conv", ["image", "conv.weight"], ["pads": [1, 1, 1, 1]])
        let picture = try model.network(output: model.node("Sigmoid", [conv]))
        #expect(picture.layers.count == 1 && !picture.layers[0].isLogits && picture.layers[0].height == 6)
        let features = model.node("GlobalAveragePool", [model.node("Add", [conv, "image"])], name: "pool")
        let headless = try model.network(output: features)
        #expect(headless.layers.map(\.name) == ["conv", "value3", "pool"])
        #expect(headless.layers.map(\.isLogits) == [false, false, false])
        // A map of every class, averaged, is a score.
        let scores = try model.network(output: model.node("GlobalAveragePool", [conv], name: "scores"))
        #expect(scores.layers.map(\.isLogits) == [false, true])
        // Whoever knows better says so.
        var options = Network.Options()
        options.hasClasses = true
        #expect(try model.network(output: features, options: options).layers.map(\.isLogits) == [false, false, true])
        options.hasClasses = false
        let (classifier, answer) = ModelBuilder.classifier()
        #expect(try !classifier.network(output: answer, options: options).layers.contains { $0.isLogits })
    }

    @Test func answersThatAreNoScoresOfClasses() throws {
        func isScore(_ build: (inout ModelBuilder, String) -> String) throws -> Bool {
            var (model, random) = (ModelBuilder(input: [1, 3, 6, 6]), SeededGenerator(seed: 6))
            _ = model.random("conv.weight", [4, 3, 3, 3], &random)
            _ = model.random("point.weight", [4, 4, 1, 1], &random)
            _ = model.random("fc.weight", [5, 4], &random)
            let conv = model.node("Conv", ["image", "conv.weight"])
            let network = try model.network(output: build(&model, conv))
            return network.layers.contains { $0.isLogits }
        }
        func pooled(_ model: inout ModelBuilder, _ map: String) -> String { model.node("GlobalAveragePool", [map]) }
        func linear(_ model: inout ModelBuilder, _ map: String) -> String {
            model.node("Gemm", [model.node("Flatten", [pooled(&model, map)]), "fc.weight"], ["transB": 1])
        }
        #expect(try isScore { linear(&$0, $1) })
        #expect(try isScore { $0.node("Softmax", [linear(&$0, $1)]) })
        #expect(try isScore { $0.node("Sigmoid", [linear(&$0, $1)]) })
        #expect(try !isScore { $0.node("Relu", [linear(&$0, $1)]) }, "the first of two fully connected layers")
        // SqueezeNet: a convolution that sees one position, rectified and averaged.
        #expect(try isScore { pooled(&$0, $0.node("Relu", [$0.node("Conv", [$1, "point.weight"])])) })
        #expect(try !isScore { pooled(&$0, $0.node("Relu", [$1])) }, "averages of features")
        #expect(try !isScore { $0.node("Flatten", [$1]) }, "a flattened map")
        #expect(try !isScore { $0.node("MaxPool", [$1], ["kernel_shape": [2, 2]]) }, "a map")
    }
}
