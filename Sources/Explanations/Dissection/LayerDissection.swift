/// How well the neurons of a layer tell the pixels of concepts: what was counted, over all masked images.
public struct LayerDissection: Codable, Equatable, Sendable {
    /// As the store calls it.
    public var layer: String
    public var channels: Int
    /// The share of all positions that a neuron's threshold lets through at most.
    public var quantile: Double
    public var images: Int
    /// Positions of the layer's map on all images together.
    public var positions: Int
    /// Of the network's frame, on all images together, without padding.
    public var pixels: Int
    public var concepts: [String]
    /// By concept: pixels on all images together, and images that show it.
    public var areas: [Int]
    public var conceptImages: [Int]
    /// By channel: no more than `quantile` of all positions lie above it; NaN of a neuron that is no number anywhere.
    public var thresholds: [Float]
    /// By channel: pixels where the enlarged map lies above the threshold.
    public var active: [Int]
    /// Where a neuron and a concept share a pixel: channel, concept, pixels, images; by channel, then concept.
    public var overlaps: [[Int]]
    /// Pixels of colours that stand for nothing, the images with such, and an example.
    public var strangePixels = 0
    public var strangeImages = 0
    public var strangeExample: String?

    package init(
        layer: String, channels: Int, quantile: Double, images: Int, positions: Int, pixels: Int, concepts: [String],
        areas: [Int], conceptImages: [Int], thresholds: [Float], active: [Int], overlaps: [[Int]]
    ) {
        (self.layer, self.channels, self.quantile, self.images) = (layer, channels, quantile, images)
        (self.positions, self.pixels, self.concepts, self.areas) = (positions, pixels, concepts, areas)
        (self.conceptImages, self.thresholds, self.active, self.overlaps) = (conceptImages, thresholds, active, overlaps)
    }

    /// How a neuron and a concept go together.
    public struct Pair: Equatable, Sendable {
        public var channel: Int
        public var concept: Int
        /// Pixels of both by pixels of either, 0 … 1.
        public var iou: Double
        /// Of the neuron's pixels, those of the concept; nil of a neuron without any.
        public var precision: Double?
        /// Of the concept's pixels, those of the neuron; nil of a concept without any.
        public var recall: Double?
        /// Images on which they share a pixel.
        public var images: Int
    }

    /// All pairs, by channel, then concept.
    public var pairs: [Pair] {
        var shared: [Int: (pixels: Int, images: Int)] = [:]
        for overlap in overlaps { shared[overlap[0] * concepts.count + overlap[1]] = (overlap[2], overlap[3]) }
        return (0..<channels).flatMap { channel in
            concepts.indices.map { concept in
                let both = shared[channel * concepts.count + concept] ?? (0, 0)
                let either = active[channel] + areas[concept] - both.pixels
                func share(_ of: Int) -> Double? { of == 0 ? nil : Double(both.pixels) / Double(of) }
                return Pair(
                    channel: channel, concept: concept, iou: either == 0 ? 0 : Double(both.pixels) / Double(either),
                    precision: share(active[channel]), recall: share(areas[concept]), images: both.images)
            }
        }
    }

    /// For each neuron the concept that it tells best, the first of equal ones.
    public var best: [Pair] {
        let pairs = pairs
        return (0..<channels).compactMap { channel in
            pairs[channel * concepts.count..<(channel + 1) * concepts.count].max { ($0.iou, $1.concept) < ($1.iou, $0.concept) }
        }
    }
}
