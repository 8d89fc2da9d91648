public import NeuralNetwork

extension Explainer {
    /// A layer's map on an image: height × width × channels.
    public func activations(of layer: Layer, on subject: InputImage) throws -> [Float] {
        try activations(of: layer, on: subject.tensor)
    }

    /// The same on an input of the network, height × width × channels.
    func activations(of layer: Layer, on tensor: [Float]) throws -> [Float] {
        var map: [Float] = []
        try activations(of: layer, count: 1) { _, input in
            _ = input.update(fromContentsOf: tensor)
        } read: { activation in
            Array(activation)
        } body: { _, activation in
            map = activation
        }
        return map
    }

    /// What `read` makes of a layer's map, height × width × channels, for each of `count` inputs, handed to `body` in order. Memory does not
    /// grow with `count`.
    ///
    /// - Parameters:
    ///   - input: writes input `index`; called on several threads.
    ///   - read: called on several threads.
    ///   - body: called in the order of the inputs, on the calling thread.
    public func activations<Value: Sendable>(
        of layer: Layer, count: Int, input: @escaping @Sendable (Int, UnsafeMutableBufferPointer<Float>) -> Void,
        read: @escaping @Sendable (UnsafeBufferPointer<Float>) -> Value, body: (Int, Value) throws -> Void
    ) throws {
        let workers = max(1, min(jobs, (count + Self.batch - 1) / Self.batch))
        try forwardPasses.use(layer.name, count: workers) {
            try ForwardPass.passes(network, layer: layer, batch: Self.batch, count: $0)
        } another: {
            try $0.another()
        } _: { passes in
            for pass in passes { pass.isAlone = passes.count == 1 && jobs > 1 }
            let batch = passes[0].batch
            try parallel(chunks: (count + batch - 1) / batch, workers: passes) { pass, chunk in
                let first = chunk * batch
                // A last chunk that is not full runs its last input again, so that every run is alike.
                for slot in 0..<batch { input(min(first + slot, count - 1), pass.input(image: slot)) }
                try pass.run()
                return (0..<min(batch, count - first)).map { read(pass.activation(image: $0)) }
            } body: { chunk, values in
                for (slot, value) in values.enumerated() { try body(chunk * batch + slot, value) }
            }
        }
    }
}
