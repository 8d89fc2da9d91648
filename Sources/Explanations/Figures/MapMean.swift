/// The mean of the maps of several images, as they are drawn: one plane. Maps are added one by one, and none is held.
package struct MapMean: Sendable {
    private let look: MapLook
    private var (height, width) = (0, 0)
    private var sums: [Double] = []
    private var isMixed = false
    package private(set) var count = 0

    package init(look: MapLook) { self.look = look }

    package mutating func add(_ map: ExplanationMap) {
        if count == 0 {
            (height, width) = (map.height, map.width)
            sums = [Double](repeating: 0, count: height * width)
        }
        count += 1
        isMixed = isMixed || map.height != height || map.width != width
        guard !isMixed else { return }
        for (index, value) in look.plane(of: map).enumerated() { sums[index] += Double(value) }
    }

    /// Nil of none, and of maps of different shapes.
    package var map: ExplanationMap? {
        guard count > 0, !isMixed else { return nil }
        return ExplanationMap(
            channels: 1, height: height, width: width, values: sums.map { Float($0 / Double(count)) }, isSigned: look.isSigned)
    }
}
