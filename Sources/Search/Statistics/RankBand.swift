import ActivationStore
import CKernels

/// The ranks of neighbouring neurons over some images, to be correlated with those of others: Spearman's ρ, mid-ranks for ties, NaN below
/// everything. Exact: sums of whole numbers.
final class RankBand {
    /// Bytes of ranks that are held at once, in two bands.
    private static let memory = 512 << 20
    /// Neurons of this band for one task; the other band is gone through in pieces of as many.
    private static let rows = 32

    /// Ids.
    let neurons: Range<Int>
    private let images: Int
    /// One row a neuron: 2 · midrank − (n + 1) of every image.
    private let ranks: UnsafeMutablePointer<Float>
    /// Sums of their squares; 0 of a constant neuron.
    private var squares: [Double]

    /// Neurons in bands so small that two of them fit in the memory.
    static func bands(of neurons: Range<Int>, images: Int) -> [Range<Int>] {
        let size = max(8, memory / 2 / (max(images, 1) * 4))
        return stride(from: neurons.lowerBound, to: neurons.upperBound, by: size).map {
            $0..<min($0 + size, neurons.upperBound)
        }
    }

    /// Over all images that are there.
    convenience init(_ neurons: Range<Int>, _ fold: BlockFold) throws {
        try self.init(neurons, fold, images: fold.present, gather: fold.gather)
    }

    /// - Parameters:
    ///   - gather: copies the values of a row to their places in a column of `images`.
    ///   - visit: sees each neuron's column and its order, before only the ranks are left; from several threads.
    init(
        _ neurons: Range<Int>, _ fold: BlockFold, images: Int, gather: (BlockRows.Row, UnsafeMutablePointer<Float>) -> Void,
        visit: (Int, UnsafePointer<Float>, Sorter) -> Void = { _, _, _ in }
    ) throws {
        self.neurons = neurons
        self.images = images
        ranks = .allocate(capacity: max(neurons.count * images, 1))
        squares = [Double](repeating: 0, count: neurons.count)
        try fold.rows(NeuronSet([neurons])) { _, row in gather(row, ranks + (row.neuron - neurons.lowerBound) * images) }
        let order = Array(0..<images)
        squares.withUnsafeMutableBufferPointer { squares in
            nonisolated(unsafe) let (squares, ranks) = (squares, ranks)
            inParallel(neurons.count) {
                Sorter(images: order)
            } work: { index, sorter in
                let column = ranks + index * images
                sorter.sort(column)
                visit(neurons.lowerBound + index, column, sorter)
                squares[index] = sorter.centredRanks(to: column)
            }
        }
    }

    deinit { ranks.deallocate() }

    /// The parts that correlating is divided into; each has its own neurons of this band.
    var tasks: Int { (neurons.count + Self.rows - 1) / Self.rows }

    /// The rank correlation of a neuron of this band with one of another; nil if one is constant.
    func correlation(of neuron: Int, with other: RankBand, _ partner: Int) -> Double? {
        let (row, column) = (neuron - neurons.lowerBound, partner - other.neurons.lowerBound)
        let length = (squares[row] * other.squares[column]).squareRoot()
        guard length > 0 else { return nil }
        var product = 0.0
        ndx_rank_products(ranks + row * images, 1, other.ranks + column * images, 1, images, images, &product)
        return product / length
    }

    /// Gives `body` the task, a neuron of this band, one of the other, and their rank correlation, −1 … 1, but pairs in which one is constant.
    /// Several threads do so, one for each task. Of a band with itself some pairs come once.
    func correlate(with other: RankBand, _ body: (Int, Int, Int, Double) -> Void) {
        inParallel(tasks) {
        } work: { task, _ in
            let first = task * Self.rows
            let count = min(Self.rows, neurons.count - first)
            for start in stride(from: self === other ? first : 0, to: other.neurons.count, by: Self.rows) {
                let width = min(Self.rows, other.neurons.count - start)
                var products = [Double](repeating: 0, count: count * width)
                ndx_rank_products(
                    ranks + first * images, count, other.ranks + start * images, width, images, images, &products)
                for a in 0..<count {
                    for b in 0..<width {
                        let length = (squares[first + a] * other.squares[start + b]).squareRoot()
                        guard length > 0 else { continue }
                        body(
                            task, neurons.lowerBound + first + a, other.neurons.lowerBound + start + b,
                            products[a * width + b] / length)
                    }
                }
            }
        }
    }
}
