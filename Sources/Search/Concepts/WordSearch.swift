import CKernels
import Foundation

/// What words say of the neurons of a layer, by soft WPMI: CLIP-Dissect (Oikarinen and Weng, [Automatic Description of Neuron
/// Representations in Deep Vision Networks](https://arxiv.org/abs/2204.10965), 2023).
///
/// P(w | x) is the softmax, over all words, of 10 · cosine of image and word. A neuron's strongest images belong to it to the
/// degree p = 0.998 … 0.97, falling from the first to the last. Then
/// log P(w | neuron) = Σ over these images of log(1 + p · (P(w | x) − 1)), and the score is
/// log P(w | neuron) − log(mean over the layer's neurons of P(w | neuron)): how much more this neuron has of the word than
/// neurons of its layer have.
struct WordSearch {
    /// One word for one neuron.
    struct Found: Hashable {
        var word: Int
        var score: Double
    }

    static let sharpness: Float = 10
    private static let degrees = (first: 0.998, last: 0.97)
    private static let least = 1e-7
    /// Numbers that are held at once.
    private static let room = 1 << 24
    /// Factors whose product no double underflows at: each is at least 1e-7.
    private static let factors = 32

    private let vectors: WordVectors
    /// The strongest images of each neuron, the strongest first: places among `rows`.
    private let strongest: [[Int]]
    /// Vectors of the images that are among them.
    private let rows: [Float]
    private let images: Int
    private let chunk: Int
    private let scratch: UnsafeMutablePointer<Float>

    /// - Parameter strongest: of each neuron of a layer, rows of `vectors`, the strongest first.
    init(_ vectors: WordVectors, strongest: [[Int]]) {
        self.vectors = vectors
        let used = Set(strongest.joined()).sorted()
        let places = Dictionary(uniqueKeysWithValues: zip(used, used.indices))
        self.strongest = strongest.map { $0.compactMap { places[$0] } }
        images = used.count
        let dimensions = vectors.dimensions
        rows = used.flatMap { vectors.images[$0 * dimensions..<($0 + 1) * dimensions] }
        chunk = max(16, min(vectors.names.count, Self.room / max(1, images + strongest.count * 2)))
        scratch = .allocate(capacity: max(1, images * chunk))
    }

    /// - Parameters:
    ///   - count: of the best words that are kept for each neuron, the best first.
    ///   - word: whose score is wanted of every neuron, beside.
    func best(_ count: Int, word: Int?) -> (words: [[Found]], scores: [Double]) {
        defer { scratch.deallocate() }
        var sums = [Double](repeating: 0, count: images)
        eachChunk { words in
            for image in 0..<images {
                let row = scratch + image * words.count
                var sum = 0.0
                for index in 0..<words.count { sum += Double(row[index]) }
                sums[image] += sum
            }
        }
        var best = [[Found]](repeating: [], count: strongest.count)
        var scores = [Double](repeating: .nan, count: strongest.count)
        // What is the same on all images is no neuron to compare with.
        let live = strongest.indices.filter { !strongest[$0].isEmpty }
        eachChunk { words in
            let logs = logarithms(words.count, sums)
            for index in 0..<words.count {
                let prior = Self.logMean(live.map { logs[$0 * words.count + index] })
                for neuron in live {
                    let score = logs[neuron * words.count + index] - prior
                    let found = Found(word: words.lowerBound + index, score: score)
                    if found.word == word { scores[neuron] = found.score }
                    Self.keep(found, in: &best[neuron], count)
                }
            }
        }
        return (best, scores)
    }

    private static func keep(_ found: Found, in list: inout [Found], _ count: Int) {
        guard list.count < count || found.score > list[list.count - 1].score else { return }
        let place = list.firstIndex { found.score > $0.score } ?? list.count
        list.insert(found, at: place)
        if list.count > count { list.removeLast() }
    }

    /// log of the mean of exp.
    private static func logMean(_ logs: [Double]) -> Double {
        guard let largest = logs.max() else { return 0 }
        return largest + log(logs.reduce(0) { $0 + exp($1 - largest) } / Double(logs.count))
    }

    /// exp(10 · cosine) of all images with some words after others, in `scratch`: images × words.
    private func eachChunk(_ body: (Range<Int>) -> Void) {
        let (dimensions, all) = (vectors.dimensions, vectors.names.count)
        var packed = [Float](repeating: 0, count: ndx_linear_packed(dimensions, chunk))
        let bias = [Float](repeating: 0, count: chunk)
        for first in stride(from: 0, to: all, by: chunk) {
            let words = first..<min(first + chunk, all)
            vectors.words.withUnsafeBufferPointer { values in
                guard let start = values.baseAddress else { return }
                ndx_linear_pack(start + first * dimensions, dimensions, words.count, &packed)
            }
            let part = 64
            packed.withUnsafeBufferPointer { packed in
                rows.withUnsafeBufferPointer { rows in
                    nonisolated(unsafe) let (packed, rows, scratch) = (packed.baseAddress, rows.baseAddress, scratch)
                    guard let rows else { return }
                    inParallel((images + part - 1) / part) {
                    } work: { index, _ in
                        let (start, count) = (index * part, min(part, images - index * part))
                        let out = scratch + start * words.count
                        ndx_linear_run(
                            rows + start * dimensions, count, dimensions, packed, bias, out, words.count, 0,
                            ndx_linear_columns(words.count))
                        for place in 0..<count * words.count { out[place] = expf(Self.sharpness * out[place]) }
                    }
                }
            }
            body(words)
        }
    }

    /// log P(w | neuron), neurons × words, of the words whose exponentials are in `scratch`.
    private func logarithms(_ words: Int, _ sums: [Double]) -> [Double] {
        var logs = [Double](repeating: 0, count: strongest.count * words)
        logs.withUnsafeMutableBufferPointer { logs in
            nonisolated(unsafe) let (logs, scratch) = (logs, scratch)
            inParallel(strongest.count) {
                [Double](repeating: 1, count: words)
            } work: { neuron, ones in
                var product = ones
                let (own, size) = (strongest[neuron], strongest[neuron].count)
                for (rank, image) in own.enumerated() {
                    let degree = Self.degrees.first - Double(rank) / Double(size) * (Self.degrees.first - Self.degrees.last)
                    let (row, scale) = (scratch + image * words, degree / sums[image])
                    let rest = 1 - degree + Self.least
                    for word in 0..<words { product[word] *= rest + scale * Double(row[word]) }
                    guard (rank + 1) % Self.factors == 0 || rank + 1 == size else { continue }
                    for word in 0..<words {
                        logs[neuron * words + word] += log(product[word])
                        product[word] = 1
                    }
                }
            }
        }
        return logs
    }
}
