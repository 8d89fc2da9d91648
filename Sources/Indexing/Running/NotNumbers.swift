/// Neurons that were NaN, and where: a broken weight, or a preprocessing that the network was not made for.
public struct NotNumbers: Equatable, Sendable {
    /// On which some neuron was NaN.
    public private(set) var images = 0
    /// That were NaN on some image, by their numbers.
    public private(set) var neurons: Set<Int> = []
    /// The first such image, and its first such neuron.
    public private(set) var example: (path: String, neuron: Int)?

    mutating func look(at values: [Float], of path: String) {
        // As a sum without branches: it is asked of every neuron of every image.
        guard values.reduce(0, { $0 &+ ($1.isNaN ? 1 : 0) }) > 0 else { return }
        images += 1
        let broken = values.indices.filter { values[$0].isNaN }
        neurons.formUnion(broken)
        if example == nil, let first = broken.first { example = (path, first) }
    }

    public static func == (a: NotNumbers, b: NotNumbers) -> Bool {
        a.images == b.images && a.neurons == b.neurons && a.example?.path == b.example?.path
            && a.example?.neuron == b.example?.neuron
    }
}
