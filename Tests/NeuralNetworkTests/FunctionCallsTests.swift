import NeuralNetwork
import TestSupport
import Testing

/// Functions of a file's own, and weights of which a file keeps the elements that are not 0.
@Suite struct FunctionCallsTests {
    private func node(
        _ type: String, _ inputs: [String], _ outputs: [String], domain: String = "", _ attributes: [ProtoMessage] = []
    )
        -> ProtoMessage
    {
        var node = ProtoMessage()
        for input in inputs { node.add(1, input) }
        for output in outputs { node.add(2, output) }
        node.add(4, type)
        for attribute in attributes { node.add(5, attribute) }
        if !domain.isEmpty { node.add(7, domain) }
        return node
    }

    private func function(
        _ name: String, inputs: [String], outputs: [String], _ nodes: [ProtoMessage], defaults: [ProtoMessage] = []
    ) -> ProtoMessage {
        var function = ProtoMessage()
        function.add(1, name)
        for input in inputs { function.add(4, input) }
        for output in outputs { function.add(5, output) }
        for node in nodes { function.add(7, node) }
        function.add(10, "local")
        for attribute in defaults { function.add(11, attribute) }
        return function
    }

    /// `name` takes what the call says of `reference`.
    private func attribute(_ name: String, reference: String) -> ProtoMessage {
        var attribute = ProtoMessage()
        attribute.add(1, name)
        attribute.add(21, reference)
        return attribute
    }

    private func number(_ name: String, _ value: Float) -> ProtoMessage {
        var attribute = ProtoMessage()
        attribute.add(1, name)
        attribute.add(2, value)
        return attribute
    }

    private func network(_ model: ModelBuilder, _ output: String, _ functions: [ProtoMessage]) throws -> Network {
        var file = try #require(ProtoMessage(model.bytes(outputs: [output])))
        for function in functions { file.add(25, function) }
        return try Network(bytes: file.bytes)
    }

    /// leaky(x; slope, 0.5 where the call says none), and twice of it; names within are those without.
    private var functions: [ProtoMessage] {
        [
            function(
                "Leaky", inputs: ["x"], outputs: ["y"],
                [node("LeakyRelu", ["x"], ["inner"], [attribute("alpha", reference: "slope")]), node("Neg", ["inner"], ["y"])],
                defaults: [number("slope", 0.5)]),
            function(
                "Twice", inputs: ["x"], outputs: ["y"],
                [
                    node("Leaky", ["x"], ["inner"], domain: "local", [attribute("slope", reference: "first")]),
                    node("Leaky", ["inner"], ["y"], domain: "local"),
                ]),
        ]
    }

    @Test func callsAreWrittenOut() throws {
        var model = ModelBuilder(input: [1, 1, 1, 4])
        let twice = model.node("Twice", ["image"], ["first": 0.25], domain: "local")
        let output = model.node("Add", [twice, model.node("Leaky", ["image"], domain: "local")])
        let image: [Float] = [-4, -1, 2, 8]
        let answer = try network(model, output, functions).answers(to: [image])[0]
        func leaky(_ x: Float, _ slope: Float) -> Float { -(x > 0 ? x : slope * x) }
        #expect(answer == image.map { leaky(leaky($0, 0.25), 0.5) + leaky($0, 0.5) })
    }

    @Test func aFunctionThatCallsItselfIsRefused() throws {
        var model = ModelBuilder(input: [1, 1, 1, 4])
        let output = model.node("Loop1", ["image"], domain: "local")
        let circle = [
            function("Loop1", inputs: ["x"], outputs: ["y"], [node("Loop2", ["x"], ["y"], domain: "local")]),
            function("Loop2", inputs: ["x"], outputs: ["y"], [node("Loop1", ["x"], ["y"], domain: "local")]),
        ]
        let error = #expect(throws: NetworkError.self) { try network(model, output, circle) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("its function 'Loop1' calls itself"))
    }

    /// Each calls the one before twice: a few bytes, and any number of nodes.
    @Test func functionsThatMultiplyAreRefused() throws {
        var model = ModelBuilder(input: [1, 1, 1, 4])
        let output = model.node("F40", ["image"], domain: "local")
        let many = (0...40).map { level in
            let inner = level == 0 ? ("Neg", "") : ("F\(level - 1)", "local")
            return function(
                "F\(level)", inputs: ["x"], outputs: ["y"],
                [node(inner.0, ["x"], ["z"], domain: inner.1), node(inner.0, ["z"], ["y"], domain: inner.1)])
        }
        let error = #expect(throws: NetworkError.self) { try network(model, output, many) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("nodes"))
    }

    /// - Parameter byAxis: places are said by one number an axis.
    private func sparse(_ places: [Int], byAxis: Bool) throws -> Network {
        var model = ModelBuilder(input: [1, 2, 1, 1])
        var weight = ProtoMessage()
        weight.add(1, ModelBuilder.tensor("thin.weight", [2], type: 1, raw: ProtoMessage.littleEndian([Float(3), -2])))
        let shape = byAxis ? [2, 4] : [2]
        weight.add(2, ModelBuilder.tensor("", shape, type: 7, raw: ProtoMessage.littleEndian(places)))
        for extent in [3, 2, 1, 1] { weight.add(3, extent) }
        model.graph.add(15, weight)
        return try model.network(output: model.node("Conv", ["image", "thin.weight"]))
    }

    @Test func sparseWeights() throws {
        // 3 of filter 0 and channel 1, -2 of filter 2 and channel 0.
        #expect(try sparse([1, 4], byAxis: false).answers(to: [[5, 7]]) == [[21, 0, -10]])
        #expect(try sparse([0, 1, 0, 0, 2, 0, 0, 0], byAxis: true).answers(to: [[5, 7]]) == [[21, 0, -10]])
        let error = #expect(throws: NetworkError.self) { try sparse([1, 6], byAxis: false) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("'thin.weight': is sparse, and has an element at place 6 of 6"))
    }
}
