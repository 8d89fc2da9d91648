public import ArgumentParser
public import NeuralNetwork
import Search

/// The images of a class in groups by what the network says it for: where on the picture, and by which neurons.
///
/// Each image is a vector of what the neurons of a late layer add to the class's score there (activation × gradient, summed over their maps),
/// or of where that is (the same, summed over neurons, on a grid of at most 7×7), or both, each of length 1; vectors are joined by Ward's
/// method into the number of groups with the largest silhouette. After Lapuschkin et al., "Unmasking Clever Hans predictors and assessing what machines
/// really learn", 2019, https://arxiv.org/abs/1902.10178, who cluster heat maps by their spectrum.
public struct Reasons: Sendable {
    /// What images are compared by.
    public enum Aspect: String, CaseIterable, ExpressibleByArgument, Sendable { case neurons, places, both }

    public struct Neuron: Sendable {
        public var channel: Int
        /// The mean over the group's images of what it adds to the score, and over all others.
        public var adds: Double
        /// Nil of a single group.
        public var addsElsewhere: Double?

        var difference: Double { adds - (addsElsewhere ?? 0) }
    }

    public struct Group: Sendable {
        /// Numbers of images, those nearest to the group's mean first.
        public var images: [Int]
        /// Those that it has more of than the other images, the largest difference first; of a single group those that add most.
        public var neurons: [Neuron]
        /// The mean of the images' maps: what is added at each place.
        public var map: ExplanationMap
    }

    /// The largest first.
    public let groups: [Group]
    /// Of the groups, -1 … 1, or where that is below ``weakest`` and the images were therefore not parted, of the best that were tried; nil of
    /// fewer than three images.
    public let silhouette: Double?
    /// Images on which nothing adds to the score, so that there is no reason to compare.
    public let silent: [Int]

    /// What counts as structure at all: Kaufman and Rousseeuw, "Finding Groups in Data", 1990, find none below 0.25.
    public static let weakest = 0.25
    /// Groups that are looked for.
    public static let most = 8
    private static let cells = 7

    /// - Parameters:
    ///   - outcomes: of one target and layer, by the number of their image.
    ///   - number: of groups; nil for as many as part best.
    public init(_ outcomes: [Int: NeuronInputs.Outcome], layer: Layer, by aspect: Aspect = .neurons, groups number: Int? = nil) {
        let all = outcomes.keys.sorted()
        let vectors = all.map { index in outcomes[index].flatMap { Self.vector(of: $0, layer, aspect) } }
        let known = all.indices.filter { vectors[$0] != nil }
        silent = all.indices.filter { vectors[$0] == nil }.map { all[$0] }
        let points = known.compactMap { vectors[$0] }
        let parted = Self.parted(points, into: number)
        silhouette = parted.silhouette
        let members = Dictionary(grouping: points.indices) { parted.groups[$0] }.sorted { $0.key < $1.key }.map(\.value)
        groups = members.map { own in
            let elsewhere = Set(points.indices).subtracting(own)
            func mean(_ images: some Collection<Int>, _ values: (NeuronInputs.Outcome) -> [Double]) -> [Double] {
                images.sorted().reduce(into: [Double]()) { sum, index in
                    guard let outcome = outcomes[all[known[index]]] else { return }
                    let own = values(outcome)
                    if sum.isEmpty { sum = own.map { _ in 0 } }
                    for place in own.indices { sum[place] += own[place] / Double(images.count) }
                }
            }
            let (adds, others) = (mean(own, \.contributions), mean(elsewhere, \.contributions))
            let neurons = adds.indices.map {
                Neuron(channel: $0, adds: adds[$0], addsElsewhere: others.isEmpty ? nil : others[$0])
            }
            let centre = own.reduce(into: points[own[0]].map { _ in 0.0 }) { sum, index in
                for place in sum.indices { sum[place] += points[index][place] }
            }
            let nearness = own.map { index in (index, zip(points[index], centre).reduce(0.0) { $0 + $1.0 * $1.1 }) }
            return Group(
                images: nearness.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.map { all[known[$0.0]] },
                neurons: neurons.filter { $0.difference > 0 }.sorted {
                    ($1.difference, $0.channel) < ($0.difference, $1.channel)
                },
                map: ExplanationMap(
                    channels: 1, height: layer.height, width: layer.width, values: mean(own, \.map).map { Float($0) },
                    isSigned: true))
        }
    }

    private static func parted(_ points: [[Double]], into number: Int?) -> (groups: [Int], silhouette: Double?) {
        let whole = points.map { _ in 0 }
        guard points.count > 1 else { return (whole, nil) }
        let clustering = WardClustering(points)
        if let number {
            let groups = clustering.groups(min(number, points.count))
            return (groups, clustering.silhouette(groups))
        }
        guard let best = clustering.bestGroups(most: most) else { return (whole, nil) }
        return best.silhouette < weakest ? (whole, best.silhouette) : (best.groups, best.silhouette)
    }

    /// Nil where nothing is added.
    private static func vector(of outcome: NeuronInputs.Outcome, _ layer: Layer, _ aspect: Aspect) -> [Double]? {
        func unit(_ values: [Double]) -> [Double]? {
            let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return length > 0 && length.isFinite ? values.map { $0 / length } : nil
        }
        guard let neurons = unit(outcome.contributions), let places = unit(coarse(outcome.map, layer)) else { return nil }
        switch aspect {
        case .neurons: return neurons
        case .places: return places
        case .both: return neurons + places
        }
    }

    /// A map summed over at most 7×7 parts.
    private static func coarse(_ map: [Double], _ layer: Layer) -> [Double] {
        let (rows, columns) = (min(cells, layer.height), min(cells, layer.width))
        var sums = [Double](repeating: 0, count: rows * columns)
        for y in 0..<layer.height {
            for x in 0..<layer.width {
                sums[y * rows / layer.height * columns + x * columns / layer.width] += map[y * layer.width + x]
            }
        }
        return sums
    }
}
