public import ActivationStore
import Foundation
import Images
import NeuralNetwork

/// Which neurons of some layers tell the pixels of which concepts: intersection over union of where a neuron is strong and
/// where a concept is, over all masked images together.
///
/// IoU(k, c) = Σ |M_k(x) ∩ L_c(x)| / Σ |M_k(x) ∪ L_c(x)| over images x, where L_c are the pixels of concept c, and M_k those at
/// which the map of neuron k, enlarged bilinearly from the centres of its receptive fields, lies above T_k; T_k is the value
/// that at most a share (0.5 %) of the map's positions on all these images exceed. Bau, Zhou, Khosla, Oliva and Torralba,
/// "Network Dissection: Quantifying Interpretability of Deep Visual Representations", 2017, https://arxiv.org/abs/1704.05796.
///
/// The pixels are those of the network's input frame, so that every image weighs the same and what was cropped away does not
/// count. T_k is exact, where the paper's program approximates it. The network is run once: maps that can still lie above their
/// threshold are put aside in a file (``ActivationSpill``), and memory does not grow with images.
public struct Dissection: Sendable {
    public static let quantile = 0.005

    private let explainer: Explainer
    private let layers: [Layer]
    private let names: [String]
    private let masks: ConceptMasks
    private let quantile: Double

    /// - Parameters:
    ///   - layers: names of the store's layers, which have more than one position.
    ///   - quantile: the share of positions above a threshold.
    /// - Throws: `ExplanationError.noMap`.
    public init(_ layers: [String], by masks: ConceptMasks, quantile: Double = Self.quantile, in explainer: Explainer) throws {
        self.layers = try layers.map { name in
            let layer = try explainer.layer(of: Target("\(name):0", in: explainer.description))
            guard layer.height * layer.width > 1 else { throw ExplanationError.noMap(layer: name) }
            return layer
        }
        (self.explainer, names, self.masks, self.quantile) = (explainer, layers, masks, quantile)
    }

    /// The last layer of a store whose neurons have places, poolings aside, which only blur the one before; nil where none has.
    public static func lastLayer(of description: StoreDescription) -> String? {
        description.layers.last { !$0.isLogits && $0.height * $0.width > 1 && !$0.operatorName.hasSuffix("Pool") }?.name
    }

    /// Runs the network over the masked images, and compares.
    ///
    /// - Parameters:
    ///   - images: numbers of the masks' images that are there.
    ///   - read: the image of a number's place in `images`; called on several threads.
    ///   - failed: told of such a place whose image could not be read, which then takes no part; what it throws ends all.
    /// - Returns: one a layer, in their order.
    /// - Throws: `NetworkError`, `MaskError`; `ExplanationError.file` where there is no room to put maps aside.
    public func run(
        on images: [Int], read: @escaping @Sendable (Int) throws -> InputImage, failed: (Int, any Error) throws -> Void
    ) throws -> [LayerDissection] {
        var collections = try layers.map { try MapCollection($0, images: images.count, quantile: quantile) }
        let seen = try collect(images.count, read, failed, into: &collections).map { images[$0] }
        return try zip(names, collections.indices).map { name, index in
            let thresholds = try ExplanationProgress.inPart("finding thresholds") { try collections[index].thresholds() }
            return try ExplanationProgress.inPart("comparing with masks") {
                try compared(name, layers[index], collections[index].spill, thresholds, seen)
            }
        }
    }

    /// - Returns: the places of the images that were seen.
    private func collect(
        _ count: Int, _ read: @escaping @Sendable (Int) throws -> InputImage, _ failed: (Int, any Error) throws -> Void,
        into collections: inout [MapCollection]
    ) throws -> [Int] {
        let passes = try ForwardPass.passes(explainer.network, layers: layers, count: max(1, min(explainer.jobs, count)))
        var seen: [Int] = []
        let layers = layers
        try explainer.parallel(chunks: count, workers: passes) { pass, index in
            Result {
                _ = pass.input(image: 0).update(fromContentsOf: try read(index).tensor)
                try pass.run()
                return layers.indices.map { Self.planes(of: pass.activation(of: $0, image: 0), channels: layers[$0].channels) }
            }
        } body: { index, result in
            do {
                for (number, planes) in try result.get().enumerated() { try collections[number].add(planes) }
                seen.append(index)
            } catch {
                try failed(index, error)
            }
        }
        return seen
    }

    /// Channel by channel, of a map of height × width × channels.
    private static func planes(of map: UnsafeBufferPointer<Float>, channels: Int) -> [Float] {
        let positions = map.count / channels
        return [Float](unsafeUninitializedCapacity: map.count) { planes, initialized in
            for channel in 0..<channels {
                for position in 0..<positions { planes[channel * positions + position] = map[position * channels + channel] }
            }
            initialized = map.count
        }
    }

    // MARK: Comparing

    /// What one image adds.
    private struct Part: Sendable {
        var pixels: Int
        /// By concept.
        var areas: [Int: Int]
        /// Channel, and its pixels.
        var active: [(channel: Int, pixels: Int)] = []
        /// Channel, concept, and the pixels that they share.
        var overlaps: [(channel: Int, concept: Int, pixels: Int)] = []
        var strange: Int
        var strangeExample: String?
    }

    private func compared(
        _ name: String, _ layer: Layer, _ spill: ActivationSpill, _ thresholds: [Float], _ seen: [Int]
    ) throws -> LayerDissection {
        var result = LayerDissection(
            layer: name, channels: layer.channels, quantile: quantile, images: seen.count,
            positions: seen.count * layer.height * layer.width, pixels: 0, concepts: masks.concepts,
            areas: masks.concepts.map { _ in 0 }, conceptImages: masks.concepts.map { _ in 0 }, thresholds: thresholds,
            active: [Int](repeating: 0, count: layer.channels), overlaps: [])
        var shared: [Int: (pixels: Int, images: Int)] = [:]
        let concepts = masks.concepts.count
        let grid = FieldGrid(layer, size: explainer.preprocessing.crop)
        let workers = [Int](repeating: 0, count: max(1, min(explainer.jobs, seen.count)))
        try explainer.parallel(chunks: seen.count, workers: workers) { _, number in
            try part(spill, image: number, masks: seen[number], grid, thresholds)
        } body: { _, part in
            result.pixels += part.pixels
            for (concept, area) in part.areas {
                result.areas[concept] += area
                result.conceptImages[concept] += 1
            }
            for (channel, pixels) in part.active { result.active[channel] += pixels }
            for (channel, concept, pixels) in part.overlaps {
                let before = shared[channel * concepts + concept] ?? (0, 0)
                shared[channel * concepts + concept] = (before.pixels + pixels, before.images + 1)
            }
            result.strangePixels += part.strange
            if part.strange > 0 { result.strangeImages += 1 }
            result.strangeExample = result.strangeExample ?? part.strangeExample
        }
        result.overlaps = shared.sorted { $0.key < $1.key }.map {
            [$0.key / concepts, $0.key % concepts, $0.value.pixels, $0.value.images]
        }
        return result
    }

    /// - Parameters:
    ///   - image: its number among those that were put aside.
    ///   - index: its number among the masks.
    private func part(
        _ spill: ActivationSpill, image: Int, masks index: Int, _ grid: FieldGrid, _ thresholds: [Float]
    ) throws -> Part {
        let stored = masks.images[index]
        let placement = explainer.preprocessing.framing.placement(sourceWidth: stored.width, sourceHeight: stored.height)
        let frame = try masks.frame(of: index, in: placement)
        var part = Part(
            pixels: frame.shown.count, areas: frame.parts.mapValues(\.count), strange: frame.strange,
            strangeExample: frame.strangeExample)
        let concepts = frame.parts.sorted { $0.key < $1.key }
        var region = PixelSet(of: placement.crop.width * placement.crop.height)
        try withUnsafeTemporaryAllocation(of: Float.self, capacity: max(grid.width, 1)) { line in
            guard let line = line.baseAddress else { return }
            try spill.forEach(of: image) { channel, plane in
                let threshold = thresholds[channel]
                guard let start = plane.baseAddress, plane.contains(where: { $0 > threshold }) else { return }
                region.removeAll()
                grid.add(start, above: threshold, to: &region, line: line, in: placement)
                let pixels = region.count
                guard pixels > 0 else { return }
                part.active.append((channel, pixels))
                for (concept, own) in concepts {
                    let both = region.shared(with: own)
                    if both > 0 { part.overlaps.append((channel, concept, both)) }
                }
            }
        }
        return part
    }
}

/// A layer's maps, put aside as far as they can lie above their threshold, while the thresholds are looked for.
private struct MapCollection {
    let spill: ActivationSpill
    private let layer: Layer
    private let quantile: Double
    private var search: ThresholdSearch
    private var images = 0
    private var positions: Int { layer.height * layer.width }

    /// - Parameter images: how many there are at most.
    init(_ layer: Layer, images: Int, quantile: Double) throws {
        (self.layer, self.quantile) = (layer, quantile)
        spill = try ActivationSpill(positions: layer.height * layer.width)
        search = ThresholdSearch(
            channels: layer.channels, rank: Self.rank(quantile, positions: images * layer.height * layer.width))
    }

    private static func rank(_ quantile: Double, positions: Int) -> Int { Int(quantile * Double(positions)) }

    /// - Parameter planes: of one image, channel by channel.
    mutating func add(_ planes: [Float]) throws {
        var kept: [UInt32] = []
        let count = positions
        planes.withUnsafeBufferPointer { planes in
            for channel in 0..<layer.channels {
                let plane = UnsafeBufferPointer(rebasing: planes[channel * count..<(channel + 1) * count])
                search.add(plane, to: channel)
                let floor = search.floor(of: channel)
                if plane.contains(where: { ThresholdSearch.key($0) >= floor }) { kept.append(UInt32(channel)) }
            }
        }
        try spill.append(kept, of: planes)
        images += 1
    }

    /// One a channel.
    mutating func thresholds() throws -> [Float] {
        let rank = Self.rank(quantile, positions: images * positions)
        while search.advance(rank: rank) {
            for image in 0..<images {
                try spill.forEach(of: image) { channel, plane in search.add(plane, to: channel) }
                try ExplanationProgress.report(done: image + 1, of: images)
            }
        }
        return search.values
    }
}
