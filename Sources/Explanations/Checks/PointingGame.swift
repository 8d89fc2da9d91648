public import Images

/// How often the maximum of a map lies on the thing that it is said to explain.
///
/// Zhang, Bargal, Lin, Brandt, Shen and Sclaroff, "Top-down Neural Attention by Excitation Backprop", 2018, https://arxiv.org/abs/1608.00507.
/// A hit: the first pixel, in row-major order, of the largest value of the map, stretched over the input frame, has its middle in a box.
/// A map that is the same everywhere has no maximum, and misses.
/// Beside it stand what the frame's middle hits, and what a pixel drawn at random would (the boxes' share of the frame).
///
/// ```swift
/// var game = PointingGame()
/// try game.add(map, boxes: table.boxes(of: subject), in: subject.framed.placement)
/// print(game.share ?? 0)
/// ```
public struct PointingGame: Codable, Equatable, Sendable {
    /// Maps that were added with a box in their frame.
    public private(set) var asked = 0
    public private(set) var hits = 0
    /// Maps without a maximum, among those asked.
    public private(set) var empty = 0
    /// How often the picture's middle is in a box.
    public private(set) var centerHits = 0
    private var coverage = 0.0
    /// How many pixels beside a box still hit.
    public var tolerance: Double

    public init(tolerance: Double = 0) { self.tolerance = tolerance }

    /// Hits of those asked, 0...1; nil where none was asked.
    public var share: Double? { asked == 0 ? nil : Double(hits) / Double(asked) }
    /// What always pointing at the middle would score.
    public var centerShare: Double? { asked == 0 ? nil : Double(centerHits) / Double(asked) }
    /// What pointing at random would score.
    public var chance: Double? { asked == 0 ? nil : coverage / Double(asked) }

    /// Plays one map; nil, and not counted, where the frame has no box.
    ///
    /// - Parameters:
    ///   - boxes: in the frame; several of one thing.
    ///   - placement: of the picture in the frame.
    /// - Throws: `ExplanationError.notFinite`.
    @discardableResult
    public mutating func add(_ map: ExplanationMap, boxes: [Rectangle], in placement: Placement) throws -> Bool? {
        let shown = placement.shownRectangle
        let moved = boxes.map { Rectangle(x: $0.x - shown.x, y: $0.y - shown.y, width: $0.width, height: $0.height) }
        let size = Size(width: placement.shown.columns.count, height: placement.shown.rows.count)
        return try add(placement.isPadded ? map.cropped(to: placement) : map, boxes: moved, in: size)
    }

    /// The same in a frame that is all picture, of `size`.
    @discardableResult
    public mutating func add(_ map: ExplanationMap, boxes: [Rectangle], in size: Size) throws -> Bool? {
        guard !boxes.isEmpty else { return nil }
        guard map.values.allSatisfy(\.isFinite) else { throw ExplanationError.notFinite(what: "the map to point with") }
        let peak = map.stretched(to: size).peak
        func hits(_ x: Double, _ y: Double) -> Bool {
            boxes.contains {
                x > $0.x - tolerance && x < $0.x + $0.width + tolerance && y > $0.y - tolerance
                    && y < $0.y + $0.height + tolerance
            }
        }
        let isHit = peak.map { hits(Double($0.x) + 0.5, Double($0.y) + 0.5) } ?? false
        asked += 1
        if peak == nil { empty += 1 }
        if isHit { self.hits += 1 }
        if hits(Double(size.width) / 2, Double(size.height) / 2) { centerHits += 1 }
        coverage += Double(Mask(boxes: boxes, in: size).area) / Double(size.width * size.height)
        return isHit
    }
}
