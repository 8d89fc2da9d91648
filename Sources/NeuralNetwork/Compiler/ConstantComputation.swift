extension Operator {
    /// The outputs where all inputs are constants, by the kernels that compute activations: what has no rule of its own for constants, such as a
    /// convolution of a fixed picture, is computed as if the first input were an image.
    ///
    /// - Throws: `Refusal` where the operator does not take inputs of these shapes.
    func computed(_ operands: [Operand?], outputs: Int, use: NetworkError.OperatorUse) throws -> [HostTensor] {
        guard let first = operands.first ?? nil, let source = first.constant else { throw Refusal("has no first input") }
        var varying = operands
        varying[0]?.constant = nil
        let shapes = try shapes(varying)
        guard shapes.allSatisfy({ HostTensor.isReasonable($0) && $0.product <= 1 << 24 }) else {
            throw Refusal("would make constants of shapes \(shapes)")
        }
        var graph = Graph()
        let inputs = varying.map { operand in
            operand.map { operand -> Graph.ValueID in
                var value = Graph.Value(name: operand.name)
                (value.shape, value.constant, value.type) = (
                    operand.constant?.shape ?? operand.shape, operand.constant, operand.type
                )
                graph.values.append(value)
                return graph.values.count - 1
            }
        }
        let results = shapes.prefix(max(outputs, 1)).map { shape -> Graph.ValueID in
            var value = Graph.Value(name: "")
            value.shape = shape
            graph.values.append(value)
            return graph.values.count - 1
        }
        graph.input = inputs[0] ?? 0
        graph.output = results[0]
        var builder = ProgramBuilder(graph: graph, batch: 1)
        let node = Graph.Node(
            name: use.node, operatorType: use.operatorType, layer: use.layer, operation: self, inputs: inputs, outputs: results)
        try lower(node, into: &builder)
        let locations = try results.map { try builder.location($0, in: nil) }
        let memory = WorkerMemory(
            builder.program, plan: MemoryPlan(builder.program, kept: locations), neurons: 0, meanNeurons: 0)
        let input = try builder.location(graph.input, in: nil)
        let values = source.floats
        // Maps are channels-last within.
        let places = HostTensor.indices(shape: input.shape, strides: input.strides)
        for (place, value) in zip(places, values) { memory[input][place] = value }
        try builder.program.run(builder.program.bound(to: memory))
        return locations.map { location in
            let indices = HostTensor.indices(shape: location.shape, strides: location.strides)
            return HostTensor(indices.map { memory[location][$0] }, shape: location.shape)
        }
    }
}
