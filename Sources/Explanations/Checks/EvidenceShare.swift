public import Images

extension ExplanationMap {
    /// The share of a map's evidence that lies in boxes, 0...1; nil where there is no box, or no evidence.
    ///
    /// Evidence is the sum of what is above zero, of a map whose sign means something, else the sum of the magnitudes. The map is
    /// stretched over the frame first; a pixel is in a box if its middle is. This is the energy-based pointing game of Wang et
    /// al., "Score-CAM", 2020, https://arxiv.org/abs/1910.01279.
    ///
    /// - Parameters:
    ///   - boxes: in the frame; several of one thing.
    ///   - placement: of the picture in the frame; what is padding does not count.
    /// - Throws: `ExplanationError.notFinite`.
    public func evidence(in boxes: [Rectangle], placement: Placement) throws -> Double? {
        guard !boxes.isEmpty else { return nil }
        guard values.allSatisfy(\.isFinite) else { throw ExplanationError.notFinite(what: "the map to sum up") }
        let frame = Size(width: placement.crop.width, height: placement.crop.height)
        let drawn = ExplanationMap(
            channels: 1, height: height, width: width, values: isSigned ? colorSum : plane, isSigned: isSigned
        ).stretched(to: frame)
        let inside = Mask(boxes: boxes, in: frame)
        let shown = placement.shown
        var (part, whole) = (0.0, 0.0)
        for row in shown.rows {
            for column in shown.columns {
                let index = row * frame.width + column
                let value = Double(isSigned ? max(drawn.values[index], 0) : abs(drawn.values[index]))
                whole += value
                if inside.isInside[index] { part += value }
            }
        }
        return whole > 0 ? part / whole : nil
    }

    /// The mean of the maps of several images, as they are drawn: one plane. Nil of none, and of maps of different shapes.
    package static func mean(of maps: [ExplanationMap], look: MapLook) -> ExplanationMap? {
        var mean = MapMean(look: look)
        for map in maps { mean.add(map) }
        return mean.map
    }
}
