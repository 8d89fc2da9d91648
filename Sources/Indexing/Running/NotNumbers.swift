/// Neurons that were NaN or infinite, and where: a broken weight, numbers that grew too large, or a preprocessing that the network was not
/// made for. Behind a fast rectifier the difference of two infinite sums is 0, so that what is infinite has to be said where it arises.
public struct NotNumbers: Equatable, Sendable {
    /// On which some neuron was so.
    public private(set) var images = 0
    /// That were so on some image, by their numbers.
    public private(set) var neurons: Set<Int> = []
    /// The first such image, and its first such neuron.
    public private(set) var example: (path: String, neuron: Int)?
    public private(set) var haveNaN = false
    public private(set) var haveInfinity = false

    mutating func look(at values: [Float], of path: String) {
        // As a sum without branches: it is asked of every neuron of every image.
        guard values.reduce(0, { $0 &+ ($1.isFinite ? 0 : 1) }) > 0 else { return }
        images += 1
        let broken = values.indices.filter { !values[$0].isFinite }
        for neuron in broken {
            if values[neuron].isNaN { haveNaN = true } else { haveInfinity = true }
        }
        neurons.formUnion(broken)
        if example == nil, let first = broken.first { example = (path, first) }
    }

    public static func == (a: NotNumbers, b: NotNumbers) -> Bool {
        a.images == b.images && a.neurons == b.neurons && a.example?.path == b.example?.path
            && a.example?.neuron == b.example?.neuron && (a.haveNaN, a.haveInfinity) == (b.haveNaN, b.haveInfinity)
    }
}
