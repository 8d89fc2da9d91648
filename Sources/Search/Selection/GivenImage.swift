package import ActivationStore

/// What a network computes on an image that a store need not have, to be compared with those it has.
public struct GivenImage: Sendable, Codable {
    /// The maximum of every neuron, in neuron order.
    public var values: [Float]
    /// Where it is: y · width + x in the layer's map.
    public var positions: [Int]

    public init(values: [Float], positions: [Int]) {
        self.values = values
        self.positions = positions
    }
}

/// The image that a question is about: one of the store, or one given.
struct QueryImage {
    /// Nil if it was given.
    let id: Int?
    private let given: GivenImage?

    /// - Throws: ``StoreError`` if the store has no such image and none was given.
    init(_ name: String, given: GivenImage?, in store: Store) throws {
        precondition(
            given.map { $0.values.count == store.description.neuronCount && $0.positions.count == $0.values.count } ?? true,
            "a given image has a value and a position for every neuron of the store")
        self.given = given
        id = try given == nil ? store.image(named: name).id : nil
    }

    /// The image's values and positions, by neuron id; 0 for neurons that were not asked for.
    func activations(_ neurons: NeuronSet, _ fold: BlockFold) throws -> (values: [Float], positions: [Int]) {
        if let given { return (given.values, given.positions) }
        var values = [Float](repeating: 0, count: fold.description.neuronCount)
        var positions = [Int](repeating: 0, count: values.count)
        guard let id else { return (values, positions) }
        try values.withUnsafeMutableBufferPointer { values in
            try positions.withUnsafeMutableBufferPointer { positions in
                try fold.sharedValues(of: id, neurons) { neuron, value, position in
                    values[neuron] = value
                    positions[neuron] = position
                }
            }
        }
        return (values, positions)
    }
}

extension Store {
    /// The maxima of a layer's channels on an image of the store.
    /// - Parameter name: a path or an id.
    /// - Throws: ``StoreError``; ``QueryError/noDistance(image:reason:)`` where one is no finite number.
    package func maxima(of name: String, in layer: LayerRecord) throws -> [Float] {
        let subject = try QueryImage(name, given: nil, in: self)
        let values = try read { snapshot in
            try subject.activations(NeuronSet([layer.neurons]), BlockFold(snapshot)).values[layer.neurons]
        }
        guard values.allSatisfy(\.isFinite) else {
            throw QueryError.noDistance(image: name, reason: "an activation of \(layer.name) is NaN or infinite")
        }
        return Array(values)
    }
}
