import CKernels
import Foundation

/// The block being filled: one column a neuron, in the very bytes that go into its row.
///
/// Images come as rows over all neurons. They are staged until they fill a cache line of every column (16 lanes) and are then
/// transposed. Memory: images of a block × neurons × (4 + position bytes), plus 16 staged images.
final class BlockBuffer {
    /// A column as raw bytes.
    struct Column {
        let values: UnsafeMutableRawPointer
        /// `width` bytes a lane; nothing to read if `width` is 0.
        let positions: UnsafeMutableRawPointer
        let width: Int
    }

    let description: StoreDescription
    /// Lanes in the block, staged ones included.
    private(set) var count = 0
    private var transposed = 0

    private static let stageCapacity = 16
    private let capacity: Int
    private let neurons: Int
    private let values: UnsafeMutablePointer<Float>
    private let positions: UnsafeMutableRawPointer
    private let means: UnsafeMutablePointer<Float>
    private let stagedValues: UnsafeMutablePointer<Float>
    private let stagedPositions: UnsafeMutablePointer<UInt32>
    private let stagedMeans: UnsafeMutablePointer<Float>
    /// Of each layer: its first neuron, the bytes of a position, and where its positions begin.
    private let firstNeurons: [Int]
    private let positionWidths: [Int]
    private let positionOffsets: [Int]
    /// Where each layer's means begin among an image's means; nil if it has none.
    private let meanOffsets: [Int?]

    init(_ description: StoreDescription) {
        self.description = description
        capacity = description.blockImages
        neurons = description.neuronCount
        var offsets: [Int] = []
        var bytes = 0
        var meanOffsets: [Int?] = []
        var meanCount = 0
        for layer in description.layers {
            offsets.append(bytes)
            bytes += layer.channels * layer.positionBytes * capacity
            meanOffsets.append(layer.hasMean ? meanCount : nil)
            meanCount += layer.hasMean ? layer.channels : 0
        }
        firstNeurons = description.layers.map { $0.firstNeuron }
        positionWidths = description.layers.map { $0.positionBytes }
        positionOffsets = offsets
        self.meanOffsets = meanOffsets
        values = ndx_allocate_large(neurons * capacity * 4).bindMemory(to: Float.self, capacity: neurons * capacity)
        positions = ndx_allocate_large(bytes)
        means = .allocate(capacity: max(meanCount * capacity, 1))
        stagedValues = .allocate(capacity: neurons * Self.stageCapacity)
        stagedPositions = .allocate(capacity: neurons * Self.stageCapacity)
        stagedMeans = .allocate(capacity: max(meanCount * Self.stageCapacity, 1))
    }

    deinit {
        free(values)
        free(positions)
        means.deallocate()
        stagedValues.deallocate()
        stagedPositions.deallocate()
        stagedMeans.deallocate()
    }

    var isFull: Bool { count == capacity }

    /// Begins a new block.
    func clear() {
        count = 0
        transposed = 0
    }

    /// Takes one image's row.
    func append(
        values row: UnsafeBufferPointer<Float>, positions: UnsafeBufferPointer<UInt32>, means: UnsafeBufferPointer<Float>
    ) {
        precondition(!isFull, "the block is full")
        precondition(row.count == neurons, "an image has \(neurons) activations, not \(row.count)")
        precondition(positions.count == neurons, "an image has \(neurons) positions, not \(positions.count)")
        precondition(means.count == description.meanCount, "an image has \(description.meanCount) means, not \(means.count)")
        let staged = count - transposed
        if let base = row.baseAddress { (stagedValues + staged * neurons).update(from: base, count: neurons) }
        if let base = positions.baseAddress { (stagedPositions + staged * neurons).update(from: base, count: neurons) }
        if let base = means.baseAddress { (stagedMeans + staged * means.count).update(from: base, count: means.count) }
        count += 1
        // A block that was resumed, or lost its last image, may go on inside a cache line: that stage is a short one.
        if count % Self.stageCapacity == 0 || isFull { transpose() }
    }

    /// Takes back the image that came last.
    func removeLast() {
        precondition(count > 0, "the block is empty")
        count -= 1
        transposed = min(transposed, count)
    }

    /// Brings staged rows into the columns. Called before columns are read.
    func transpose() {
        let rows = count - transposed
        guard rows > 0 else { return }
        ndx_transpose_values(stagedValues, neurons, rows, neurons, values + transposed, capacity)
        for (index, layer) in description.layers.enumerated() {
            let width = layer.positionBytes
            let largest = ndx_transpose_positions(
                stagedPositions + layer.firstNeuron, neurons, rows, layer.channels,
                positions + positionOffsets[index] + transposed * width, capacity, width)
            precondition(
                largest < layer.height * layer.width || width == 0,
                "a position of layer \(layer.name) is outside its map of \(layer.height)×\(layer.width)")
            if let offset = meanOffsets[index] {
                ndx_transpose_values(
                    stagedMeans + offset, description.meanCount, rows, layer.channels,
                    means + offset * capacity + transposed, capacity)
            }
        }
        transposed = count
    }

    func column(layer index: Int, channel: Int) -> Column {
        let width = positionWidths[index]
        return Column(
            values: UnsafeMutableRawPointer(values + (firstNeurons[index] + channel) * capacity),
            positions: positions + positionOffsets[index] + channel * width * capacity, width: width)
    }

    /// The means of a channel; nil if its layer keeps none.
    func meanColumn(layer index: Int, channel: Int) -> UnsafeMutableRawPointer? {
        meanOffsets[index].map { UnsafeMutableRawPointer(means + ($0 + channel) * capacity) }
    }

    /// Says that the first `lanes` lanes of every column were filled from outside.
    func restore(lanes: Int) {
        count = lanes
        transposed = lanes
    }
}

/// CRC-32C of one blob followed by another.
func checksum(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer? = nil) -> Int {
    // A row's blobs lie one behind the other.
    if let second, let start = first.baseAddress, start + first.count == second.baseAddress {
        return Int(ndx_checksum(0, start, first.count + second.count))
    }
    let crc = ndx_checksum(0, first.baseAddress, first.count)
    guard let second, !second.isEmpty else { return Int(crc) }
    return Int(ndx_checksum(crc, second.baseAddress, second.count))
}
