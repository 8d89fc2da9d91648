import ActivationStore
import CKernels

/// Goes once over the activations of some neurons, a block of images at a time.
struct BlockFold {
    let snapshot: Snapshot
    let description: StoreDescription
    let scan: BlockScan
    /// Lanes of every block.
    let blocks: [Int]
    /// One byte a lane, 1 where there is an image; nil where none was removed.
    let presence: [UInt8]?
    /// Images that are there.
    let present: Int
    /// Of these, how many come before each block.
    private let presentBefore: [Int]

    func presentBefore(block: Int) -> Int { presentBefore[block] }

    init(_ snapshot: Snapshot) throws {
        (self.snapshot, description) = (snapshot, snapshot.description)
        scan = try snapshot.scan()
        let blocks = try snapshot.blocks()
        let presence = try snapshot.presence()
        var (before, count): ([Int], Int) = ([], 0)
        for (block, lanes) in blocks.enumerated() {
            before.append(count)
            let first = block * description.blockImages
            count += presence.map { $0[first..<first + lanes].count { $0 != 0 } } ?? lanes
        }
        (self.blocks, self.presence, present, presentBefore) = (blocks, presence, count, before)
    }

    /// Images of a block that are there.
    func present(inBlock block: Int) -> Int {
        (presentBefore.indices.contains(block + 1) ? presentBefore[block + 1] : present) - presentBefore[block]
    }

    /// Copies the values of the images that are there to their places in a column of these alone.
    func gather(_ row: BlockRows.Row, to column: UnsafeMutablePointer<Float>) {
        let target = column + presentBefore[row.block]
        guard let presence else {
            return UnsafeMutableRawPointer(target).copyMemory(from: row.values, byteCount: row.count * 4)
        }
        let first = row.block * description.blockImages
        var place = 0
        for lane in 0..<row.count where presence[first + lane] != 0 {
            target[place] = row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self)
            place += 1
        }
    }

    /// Lanes: ids of images are below it.
    var images: Int { blocks.reduce(0, +) }

    /// Gives `body` the first image of each block and its rows, in the order of the neurons. Blocks without an image in `mask` are passed over.
    func rows(_ neurons: NeuronSet, mask: [UInt8]? = nil, _ body: (Int, BlockRows.Row) throws -> Void) throws {
        for (block, lanes) in blocks.enumerated() {
            let first = block * description.blockImages
            if let mask, !mask[first..<first + lanes].contains(1) { continue }
            for range in neurons.ranges {
                try scan.rows(block: block, lanes: lanes, neurons: range) { row in
                    try body(first, row)
                }
            }
        }
    }

    /// As `rows`, but blocks are shared among readers: `body` is called for several blocks at the same time, and for the neurons of one in order.
    func sharedRows(_ neurons: NeuronSet, mask: [UInt8]? = nil, _ body: (Int, BlockRows.Row) throws -> Void) throws {
        try snapshot.readers.forEach(Array(blocks.indices), rows: blocks.count * neurons.count) { snapshot, parts in
            let scan = try snapshot.scan()
            try parts.take { block in
                let first = block * description.blockImages
                if let mask, !mask[first..<first + blocks[block]].contains(1) { return }
                for range in neurons.ranges {
                    try scan.rows(block: block, lanes: blocks[block], neurons: range) { try body(first, $0) }
                }
            }
        }
    }

    /// Folds the neurons, in ascending order, into one score an image.
    ///
    /// - Parameter reference: of a neuron; its value on the image that others are compared with.
    func scores(
        _ fold: ndx_fold, _ neurons: NeuronSet, initial: Double = 0, mask: [UInt8]? = nil, reference: (Int) -> Double = { _ in 0 }
    ) throws -> [Double] {
        let scores = UnsafeMutablePointer<Double>.allocate(capacity: max(images, 1))
        defer { scores.deallocate() }
        scores.initialize(repeating: initial, count: max(images, 1))
        try sharedRows(neurons, mask: mask) { first, row in
            ndx_fold_scores(fold, row.values, row.count, reference(row.neuron), scores + first)
        }
        return Array(UnsafeBufferPointer(start: scores, count: images))
    }

    /// The sums of v · reference and of v² of every image, in one pass.
    func productsAndSquares(
        _ neurons: NeuronSet, mask: [UInt8]? = nil, reference: (Int) -> Double
    ) throws -> (products: [Double], squares: [Double]) {
        let scores = UnsafeMutablePointer<Double>.allocate(capacity: max(2 * images, 1))
        defer { scores.deallocate() }
        scores.initialize(repeating: 0, count: max(2 * images, 1))
        let squares = scores + images
        try sharedRows(neurons, mask: mask) { first, row in
            ndx_fold_scores(NDX_PRODUCTS, row.values, row.count, reference(row.neuron), scores + first)
            ndx_fold_scores(NDX_SQUARES, row.values, row.count, 0, squares + first)
        }
        return (
            Array(UnsafeBufferPointer(start: scores, count: images)), Array(UnsafeBufferPointer(start: squares, count: images))
        )
    }

    /// What is made of a layer's values on each chosen image, by place in `labels`. Blocks are shared among readers, and an image is in
    /// one block.
    ///
    /// - Parameter add: a tally, a value, its channel, and the number of the image's label as ``ImageLabels/numbers`` has it; the
    ///   channels of one image in order.
    func tallies<Tally>(
        of labels: ImageLabels, _ layer: LayerRecord, from start: Tally,
        _ add: (inout Tally, Float, _ channel: Int, _ label: Int) -> Void
    ) throws -> [Tally] {
        var places = [Int](repeating: -1, count: images)
        for (place, image) in labels.images.enumerated() { places[image] = place }
        var tallies = [Tally](repeating: start, count: labels.images.count)
        try tallies.withUnsafeMutableBufferPointer { tallies in
            nonisolated(unsafe) let tallies = tallies
            try sharedRows(NeuronSet([layer.neurons])) { first, row in
                for lane in 0..<row.count where places[first + lane] >= 0 {
                    let place = places[first + lane]
                    let value = row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self)
                    add(&tallies[place], value, row.neuron - layer.firstNeuron, Int(labels.numbers[place]))
                }
            }
        }
        return tallies
    }

    /// A layer's values on all images: lanes × channels.
    func values(of layer: LayerRecord) throws -> [Float] {
        var values = [Float](repeating: 0, count: images * layer.channels)
        try rows(NeuronSet([layer.neurons])) { first, row in
            for lane in 0..<row.count {
                values[(first + lane) * layer.channels + row.neuron - layer.firstNeuron] =
                    row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self)
            }
        }
        return values
    }

    /// A neuron's values on all images, in id order.
    func column(_ neuron: Int) throws -> [Float] {
        var column = [Float](repeating: 0, count: images)
        try column.withUnsafeMutableBytes { bytes in
            try rows(NeuronSet([neuron..<neuron + 1])) { first, row in
                bytes.baseAddress.map { ($0 + first * 4).copyMemory(from: row.values, byteCount: row.count * 4) }
            }
        }
        return column
    }

    /// - Throws: ``StoreError/unknownImage(name:suggestions:)`` for one that is gone since it was asked for.
    private func place(of image: Int) throws -> (block: Int, lane: Int) {
        guard (0..<images).contains(image) else { throw StoreError.unknownImage(name: "\(image)", suggestions: []) }
        let (block, lane) = image.quotientAndRemainder(dividingBy: description.blockImages)
        return (block, lane)
    }

    /// Gives `body` the values of one image, and where they are on the map, in the order of the neurons.
    func values(of image: Int, _ neurons: NeuronSet, _ body: (Int, Float, Int) throws -> Void) throws {
        let (block, lane) = try place(of: image)
        for range in neurons.ranges {
            try scan.rows(block: block, lanes: blocks[block], neurons: range) { row in
                try body(
                    row.neuron, row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self),
                    Int(ndx_position(row.positions, row.width, lane)))
            }
        }
    }

    /// As `values`, but neurons are shared among readers: `body` is called from several threads.
    func sharedValues(of image: Int, _ neurons: NeuronSet, _ body: (Int, Float, Int) -> Void) throws {
        let (block, lane) = try place(of: image)
        try snapshot.readers.forEach(neurons.parts(of: 512), rows: neurons.count) { snapshot, parts in
            let scan = try snapshot.scan()
            try parts.take { neurons in
                try scan.rows(block: block, lanes: blocks[block], neurons: neurons) { row in
                    body(
                        row.neuron, row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self),
                        Int(ndx_position(row.positions, row.width, lane)))
                }
            }
        }
    }
}

/// The images with the largest scores, largest first, ties by id; NaN left out.
func largest(_ scores: [Double], mask: [UInt8]?, count: Int) -> [Int] {
    var indices = [UInt32](repeating: 0, count: min(count, scores.count))
    let limit = indices.count
    let found = indices.withUnsafeMutableBufferPointer { indices in
        guard let mask else { return ndx_largest_scores(scores, scores.count, nil, limit, indices.baseAddress) }
        return ndx_largest_scores(scores, scores.count, mask, limit, indices.baseAddress)
    }
    return indices[..<found].map { Int($0) }
}
