import Explanations
import Foundation
import Images

/// A map over the picture that it is of, small and without words: these stand beside it.
enum MapDrawing {
    /// Of the longer side, in pixels.
    static let side = 168

    /// What the network sees, without padding.
    static func shown(_ subject: Subject) -> Image {
        let placement = subject.framed.placement
        guard placement.isPadded else { return subject.framed.image }
        return subject.framed.image.cropped(columns: placement.shown.columns, rows: placement.shown.rows)
    }

    /// - Throws: `ExplanationError.notFinite` for a map that cannot be drawn.
    static func picture(_ explanation: Explanation, by method: some ExplanationMethod, over subject: Subject) throws -> Image {
        let placement = subject.framed.placement
        let map = placement.isPadded ? explanation.map.cropped(to: placement) : explanation.map
        guard map.values.allSatisfy(\.isFinite) else {
            throw ExplanationError.notFinite(what: "the map of \(explanation.target.text)")
        }
        let look = method.look(of: map, target: explanation.target)
        let limit = look.limit(of: map)
        let image = shown(subject)
        let scale = Double(side) / Double(max(image.width, image.height))
        let size = Size(
            width: max(1, Int((Double(image.width) * scale).rounded())),
            height: max(1, Int((Double(image.height) * scale).rounded())))
        var picture = MapPicture(
            levels: look.levels(of: map, limit: limit.value, isSigned: look.isSigned), width: map.width, height: map.height,
            size: size,
            colormap: look.isSigned ? .diverging : .inferno)
        picture.isSigned = look.isSigned
        if look.isFine { (picture.opacity, picture.strength) = (1, 1.5) }
        return picture.over(image.resized(width: size.width, height: size.height, interpolation: .bicubic))
    }

    /// Where the map is strongest: "strongest in the lower right".
    static func words(_ explanation: Explanation, _ subject: Subject) -> String {
        let map = explanation.map
        guard let peak = map.peak else { return "it is the same everywhere" }
        let rows = ["upper", "middle", "lower"][min(2, peak.y * 3 / max(map.height, 1))]
        let columns = ["left", "centre", "right"][min(2, peak.x * 3 / max(map.width, 1))]
        return "strongest in the \(rows) \(columns)"
    }
}
