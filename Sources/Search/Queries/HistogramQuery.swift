public import ActivationStore
public import ArgumentParser

/// How one neuron's activations are distributed: counts in bins of equal width between its smallest and largest finite value.
public struct HistogramQuery: Query {
    public static let name = "histogram"
    public static let abstract = "Show how a neuron's activations are distributed."

    @Argument(help: "LAYER:CHANNEL or class:NAME.", completion: .neurons)
    public var neuron: String

    @Option(help: "Bins.")
    public var bins = 20

    @Option(name: .customLong("where"), help: "Only images that meet this SQL condition, as in top.")
    public var condition: String?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(neuron: String, bins: Int = 20, condition: String? = nil) {
        self.neuron = neuron
        self.bins = bins
        self.condition = condition
    }

    public var operands: [String] { [neuron] }
    public var selection: String? { condition }
    public var options: [String] { Spelling.option("--bins", "\(bins)") + Spelling.option("--where", condition) }

    public struct Histogram: Hashable, Sendable, Encodable {
        public var layer: String
        public var channel: Int
        /// Bin i counts edges[i] ≤ v < edges[i + 1]; the last one has its upper edge too. One value only makes one bin.
        public var edges: [Double]
        public var counts: [Int]
        /// Of these images, how many are exactly zero, and how many are in no bin.
        public var zeros: Int
        public var nans: Int
        public var infinite: Int
    }

    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> Histogram {
        guard (1...1000).contains(bins) else { throw QueryError.outside(option: "--bins", value: "\(bins)", range: "1 to 1000") }
        let (reference, values) = try values(in: store)
        let finite = values.filter { $0.isFinite }.map { Double($0) + 0 }
        let nans = values.count { $0.isNaN }
        var histogram = Histogram(
            layer: reference.layer.name, channel: reference.neurons.lowerBound - reference.layer.firstNeuron, edges: [],
            counts: [],
            zeros: finite.count { $0 == 0 }, nans: nans, infinite: values.count - nans - finite.count)
        guard let low = finite.min(), let high = finite.max() else { return histogram }
        let count = low == high ? 1 : bins
        // Between the ends, so that two of the largest floats do not overflow.
        histogram.edges = (0...count).map { low * (1 - Double($0) / Double(count)) + high * (Double($0) / Double(count)) }
        histogram.counts = [Int](repeating: 0, count: count)
        for value in finite { histogram.counts[Self.bin(of: value, histogram.edges)] += 1 }
        return histogram
    }

    /// How many activations are in the bins of another histogram of the same neuron; those outside all of them are not counted.
    /// - Throws: as ``run(in:)``.
    public func counts(in store: Store, between edges: [Double]) throws -> [Int] {
        guard let low = edges.first, let high = edges.last, edges.count > 1 else { return [] }
        var counts = [Int](repeating: 0, count: edges.count - 1)
        for value in try values(in: store).values where value.isFinite && (low...high).contains(Double(value) + 0) {
            counts[Self.bin(of: Double(value) + 0, edges)] += 1
        }
        return counts
    }

    private func values(in store: Store) throws -> (reference: NeuronReference, values: [Float]) {
        let reference = try NeuronReference(neuron, in: store.description)
        guard reference.neurons.count == 1 else { throw QueryError.oneNeuron(neuron) }
        let values = try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            let mask = try snapshot.mask(where: condition)
            let column = try fold.column(reference.neurons.lowerBound)
            guard let mask else { return column }
            return column.indices.filter { mask[$0] == 1 }.map { column[$0] }
        }
        return (reference, values)
    }

    public func report(on histogram: Histogram, in store: Store) throws -> Report {
        Report(HistogramListing(histogram: histogram), remarks: try allRemarks(on: histogram, in: store)) {
            .histogram(histogram)
        }
    }

    /// The last bin whose lower edge is not above the value.
    private static func bin(of value: Double, _ edges: [Double]) -> Int {
        var (low, high) = (0, edges.count - 2)
        while low < high {
            let middle = (low + high + 1) / 2
            if edges[middle] <= value { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
