import CKernels
import GRDB

/// The activations of one image: every neuron, in neuron order.
public struct ImageActivations: Sendable {
    public let values: [Float]
    /// y · width + x in the layer's map.
    public let positions: [UInt32]
}

/// The activations of one neuron on all images, in id order. An image that was removed still has its place.
public struct NeuronColumn: Sendable {
    public let values: [Float]
    /// y · width + x in the layer's map.
    public let positions: [UInt32]
}

extension Store {
    /// - Precondition: `neuron` is in `0 ..< description.neuronCount`.
    public func column(neuron: Int) throws -> NeuronColumn {
        precondition((0..<description.neuronCount).contains(neuron), "there is no neuron \(neuron)")
        return try read { snapshot in
            let (scan, blocks) = try (snapshot.scan(), snapshot.blocks())
            var values: [Float] = []
            var positions: [UInt32] = []
            values.reserveCapacity(blocks.reduce(0, +))
            positions.reserveCapacity(blocks.reduce(0, +))
            for (block, lanes) in blocks.enumerated() {
                try scan.rows(block: block, lanes: lanes, neurons: neuron..<neuron + 1) { row in
                    for lane in 0..<lanes {
                        values.append(row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self))
                        positions.append(ndx_position(row.positions, row.width, lane))
                    }
                }
            }
            return NeuronColumn(values: values, positions: positions)
        }
    }

    /// The activations of image `id`; nil if there is none.
    public func activations(ofImage id: Int) throws -> ImageActivations? {
        try read { snapshot in
            let blocks = try snapshot.blocks()
            guard id >= 0, blocks.indices.contains(id / description.blockImages) else { return nil }
            let block = id / description.blockImages
            let lane = id % description.blockImages
            guard lane < blocks[block] else { return nil }
            guard try snapshot.int("SELECT 1 FROM image WHERE id = \(id)") != nil else {
                // Removed, or on a page that stands in another's place.
                try snapshot.checkImages()
                return nil
            }
            var values = [Float](repeating: 0, count: description.neuronCount)
            var positions = [UInt32](repeating: 0, count: description.neuronCount)
            try snapshot.scan().rows(
                block: block, lanes: blocks[block], neurons: 0..<description.neuronCount
            ) { row in
                values[row.neuron] = row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self)
                positions[row.neuron] = ndx_position(row.positions, row.width, lane)
            }
            return ImageActivations(values: values, positions: positions)
        }
    }

    /// The spatial means of a layer: one row an image in id order, one column a channel; nil if the layer keeps none.
    public func means(layer name: String) throws -> [Float]? {
        guard let layer = description.layers.first(where: { $0.name == name }), layer.hasMean else { return nil }
        return try read { snapshot in
            let blocks = try snapshot.blocks()
            var means = [Float](repeating: 0, count: blocks.reduce(0, +) * layer.channels)
            for (block, lanes) in blocks.enumerated() {
                try BlockRows.readMeans(
                    snapshot, block: block, lanes: lanes, layers: [layer]
                ) { _, channel, bytes in
                    for lane in 0..<lanes {
                        let image = block * description.blockImages + lane
                        means[image * layer.channels + channel] = bytes.loadUnaligned(
                            fromByteOffset: lane * 4, as: Float.self)
                    }
                }
            }
            return means
        }
    }

    /// The statistics of some neurons: the stored ones if they cover all images, else from a scan.
    public func statistics(neurons: Range<Int>) throws -> [NeuronStatistics] { try read { try $0.statistics(neurons: neurons) } }
}

extension Snapshot {
    /// The statistics of some neurons: the stored ones if they cover all images, else from a scan.
    package func statistics(neurons: Range<Int>) throws -> [NeuronStatistics] {
        precondition(neurons.lowerBound >= 0 && neurons.upperBound <= description.neuronCount, "no such neurons: \(neurons)")
        if try isDerivedComplete() {
            var found: [NeuronStatistics] = []
            found.reserveCapacity(neurons.count)
            try statisticsRows().visit(neurons) { found.append(NeuronStatistics(row: $0)) }
            return found
        }
        var sums = neurons.map { _ in StatisticsAccumulator() }
        let presence = try presence()
        let scan = try scan()
        for (block, lanes) in try blocks().enumerated() {
            let first = block * description.blockImages
            let kept = presence.map { presence in (0..<lanes).filter { presence[first + $0] != 0 } }
            try scan.rows(block: block, lanes: lanes, neurons: neurons) { row in
                sums[row.neuron - neurons.lowerBound].add(
                    row.values, lanes: lanes, kept: kept, isFull: lanes == description.blockImages)
            }
        }
        return neurons.map { sums[$0 - neurons.lowerBound].result(neuron: $0) }
    }
}

/// The statistics of one neuron, block by block, of the lanes that have an image.
private struct StatisticsAccumulator {
    private var raw = ndx_statistics_empty()
    private var tail = ndx_moments()
    private var histogram = [UInt32](repeating: 0, count: Int(NDX_BUCKETS))

    mutating func add(_ values: UnsafeRawPointer, lanes: Int, kept: [Int]?, isFull: Bool) {
        guard let kept else { return add(values, count: lanes, isFull: isFull) }
        let gathered = kept.map { values.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
        gathered.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress, !gathered.isEmpty { add(base, count: gathered.count, isFull: isFull) }
        }
    }

    private mutating func add(_ values: UnsafeRawPointer, count: Int, isFull: Bool) {
        ndx_column_fold(values, count, &raw, &histogram)
        let moments = ndx_column_moments(values, count)
        if isFull { raw.settled = ndx_moments_join(raw.settled, moments) } else { tail = moments }
    }

    func result(neuron: Int) -> NeuronStatistics {
        NeuronStatistics(neuron: neuron, raw: raw, moments: ndx_moments_join(raw.settled, tail), histogram: histogram)
    }
}
