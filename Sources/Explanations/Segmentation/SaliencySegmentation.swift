import Foundation
public import Images

/// The thing that a map points at, cut out of the picture by its colours.
///
/// Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2013, https://arxiv.org/abs/1312.6034, section 3.2: the most salient
/// pixels give the colours of the thing, the least salient ones those of what is around it; the cut between both is the cheapest one of
/// Boykov and Jolly, "Interactive Graph Cuts", 2001; of the thing's pixels the largest connected part remains. The most salient pixels
/// always belong to the thing. Minimised is, over all pixels p and all pairs of neighbours p, q that are cut apart,
///
///     Σ −ln P(colour of p | side of p) + γ Σ exp(−‖c_p − c_q‖² / 2⟨‖c_p − c_q‖²⟩) / distance(p, q),
///
/// the eight neighbours and γ being those of Rother, Kolmogorov and Blake, "GrabCut", 2004.
///
/// ```swift
/// let mask = try SaliencySegmentation().mask(of: map, over: subject.framed)
/// ```
public struct SaliencySegmentation: Codable, Equatable, Sendable {
    /// Pixels at or above this quantile of the map are the thing's.
    public var foregroundQuantile = 0.95
    /// Pixels at or below this quantile give the colours of the rest.
    public var backgroundQuantile = 0.30
    /// Gaussians of each side's colours.
    public var components = 5
    /// γ: how dear it is to cut neighbours of like colour apart.
    public var smoothness = 50.0

    /// Of a nat of cost, as capacities are integers.
    private static let scale = 64.0

    public init() {}

    /// All that the mask depends on beside map and picture.
    public var parameters: [(name: String, value: String)] {
        [
            ("foreground", "\(foregroundQuantile)"), ("background", "\(backgroundQuantile)"), ("components", "\(components)"),
            ("smoothness", "\(smoothness)"),
        ]
    }

    /// The mask in the network's input frame; padding, which has no part in the picture's colours, is never in it.
    ///
    /// - Throws: as of a picture.
    public func mask(of map: ExplanationMap, over framed: FramedImage) throws -> Mask {
        let (placement, size) = (framed.placement, framed.placement.crop)
        guard placement.isPadded else { return try mask(of: map, over: framed.image) }
        let (columns, rows) = (placement.shown.columns, placement.shown.rows)
        let part = try mask(of: map.cropped(to: placement), over: framed.image.cropped(columns: columns, rows: rows))
        var mask = Mask(boxes: [], in: size)
        for (index, isInside) in part.isInside.enumerated() where isInside {
            let (row, column) = index.quotientAndRemainder(dividingBy: part.width)
            mask.isInside[(rows.lowerBound + row) * size.width + columns.lowerBound + column] = true
        }
        return mask
    }

    /// - Parameters:
    ///   - map: stretched over the picture where it is coarser.
    ///   - image: what the map is of, and nothing beside it.
    /// - Throws: `ExplanationError`: a map that is not finite or has no peak to begin with, settings that make no sense.
    public func mask(of map: ExplanationMap, over image: Image) throws -> Mask {
        try validate()
        guard map.values.allSatisfy(\.isFinite) else { throw ExplanationError.notFinite(what: "the map to cut by") }
        let plane = map.stretched(to: Size(width: image.width, height: image.height)).plane
        let sorted = plane.sorted()
        func quantile(_ share: Double) -> Float { sorted[Int(share * Double(sorted.count - 1))] }
        let (low, high) = (quantile(backgroundQuantile), quantile(foregroundQuantile))
        guard low < high else {
            throw ExplanationError.image(
                name: "the map", problem: "has no peak to cut by: 1 pixel in 20 is not above the rest; take another method's map")
        }
        let colors = plane.indices.map { pixel in
            ColorMixture.Color(
                Double(image.pixels[3 * pixel]), Double(image.pixels[3 * pixel + 1]), Double(image.pixels[3 * pixel + 2]))
        }
        let thing = ColorMixture(plane.indices.filter { plane[$0] >= high }.map { colors[$0] }, count: components)
        let rest = ColorMixture(plane.indices.filter { plane[$0] <= low }.map { colors[$0] }, count: components)
        var graph = MaximumFlow(nodes: plane.count, edges: 4 * plane.count)
        addNeighbours(colors, width: image.width, height: image.height, to: &graph)
        for pixel in plane.indices {
            // To cut a pixel from the source puts it to the rest, and costs what its colour costs there.
            let isSeed = plane[pixel] >= high
            graph.addTerminals(
                pixel, fromSource: isSeed ? 1 << 28 : Self.capacity(rest.cost(of: colors[pixel])),
                toSink: isSeed ? 0 : Self.capacity(thing.cost(of: colors[pixel])))
        }
        _ = graph.solve()
        return Mask(width: image.width, height: image.height, isInside: plane.indices.map { graph.isOnSourceSide($0) })
            .largestPart
    }

    private func validate() throws {
        guard backgroundQuantile >= 0, backgroundQuantile < foregroundQuantile, foregroundQuantile <= 1 else {
            throw ExplanationError.parameter(
                name: "the segmentation", value: "\(backgroundQuantile) and \(foregroundQuantile)",
                expected: "a quantile of the rest below that of the thing, both in 0...1")
        }
        guard (1...64).contains(components) else {
            throw ExplanationError.parameter(
                name: "the segmentation", value: "\(components) components", expected: "1 to 64 components")
        }
        guard (0...1e4).contains(smoothness) else {
            throw ExplanationError.parameter(
                name: "the segmentation", value: "a smoothness of \(smoothness)", expected: "a smoothness of 0 to 10000")
        }
    }

    /// −ln p can lie below 0, as p is a density; both sides move up alike.
    private static func capacity(_ cost: Double) -> Int32 { Int32((max(cost + 4, 0) * scale).rounded()) }

    /// To the right, down, and down both diagonals: each pair once.
    private static let steps = [(0, 1), (1, 0), (1, 1), (1, -1)]

    private func addNeighbours(_ colors: [ColorMixture.Color], width: Int, height: Int, to graph: inout MaximumFlow) {
        func each(_ body: (_ pixel: Int, _ other: Int, _ contrast: Double, _ distance: Double) -> Void) {
            for y in 0..<height {
                for x in 0..<width {
                    for (down, right) in Self.steps where y + down < height && (0..<width).contains(x + right) {
                        let (pixel, other) = (y * width + x, (y + down) * width + x + right)
                        let away = colors[pixel] - colors[other]
                        body(pixel, other, (away * away).sum(), Double(down * down + right * right).squareRoot())
                    }
                }
            }
        }
        var (sum, count) = (0.0, 0.0)
        each { _, _, contrast, _ in
            sum += contrast
            count += 1
        }
        // A picture of one colour has no contrast to compare with.
        let decline = sum > 0 ? count / (2 * sum) : 0
        each { pixel, other, contrast, distance in
            let capacity = Int32((smoothness * exp(-decline * contrast) / distance * Self.scale).rounded())
            graph.addEdge(pixel, other, capacity: capacity, back: capacity)
        }
    }
}
