import ActivationStore

/// Tells near-duplicates by their signatures: all activations of the last layer that is not the class scores.
///
/// Image b is nearly image a if ‖a − b‖² ≤ 0.01 · max(‖a‖², ‖b‖²), that is, if they differ by at most a tenth of the longer one.
/// NaN is equal to NaN and an infinity to itself; every other difference to them is too large.
final class Distinct {
    /// Of the squared length.
    static let tolerance = 0.01

    private let fold: BlockFold
    private let neurons: NeuronSet
    private var known: [Int: [Float]] = [:]

    init(_ fold: BlockFold) {
        self.fold = fold
        neurons = NeuronSet([fold.description.descriptiveLayer.neurons])
    }

    /// The first `count` of `images` that are not nearly one kept before them.
    func kept(of images: [Int], count: Int) throws -> [Int] {
        var kept: [Int] = []
        for image in images where kept.count < count {
            let own = try signature(image)
            if try !kept.contains(where: { Self.areNear(try signature($0), own) }) { kept.append(image) }
        }
        return kept
    }

    private func signature(_ image: Int) throws -> [Float] {
        if let signature = known[image] { return signature }
        var signature: [Float] = []
        try fold.values(of: image, neurons) { _, value, _ in signature.append(value) }
        known[image] = signature
        return signature
    }

    static func areNear(_ a: [Float], _ b: [Float]) -> Bool {
        var (squares, lengthA, lengthB) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            if x == y || x.isNaN && y.isNaN {
                if x.isFinite { (lengthA, lengthB) = (lengthA + Double(x) * Double(x), lengthB + Double(y) * Double(y)) }
                continue
            }
            guard x.isFinite, y.isFinite else { return false }
            squares += (Double(x) - Double(y)) * (Double(x) - Double(y))
            lengthA += Double(x) * Double(x)
            lengthB += Double(y) * Double(y)
        }
        return squares <= tolerance * max(lengthA, lengthB)
    }
}
