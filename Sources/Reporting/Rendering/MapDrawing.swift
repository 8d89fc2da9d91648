import Explanations
import Foundation
import Images

/// A map over the picture that it is of, small and without words: these stand beside it.
enum MapDrawing {
    /// Of the longer side, in pixels.
    static let side = 168

    /// - Throws: `ExplanationError.notFinite` for a map that cannot be drawn.
    static func picture(_ explanation: Explanation, by method: some ExplanationMethod, over subject: InputImage) throws -> Image {
        let placement = subject.framed.placement
        let map = placement.isPadded ? explanation.map.cropped(to: placement) : explanation.map
        guard map.values.allSatisfy(\.isFinite) else {
            throw ExplanationError.notFinite(what: "the map of \(explanation.target.text)")
        }
        let look = method.look(of: map, target: explanation.target)
        return look.picture(of: map, over: subject.framed.picture, side: side, limit: look.limit(of: map).value)
    }

    /// Where the map is strongest: "strongest in the lower right".
    static func words(_ explanation: Explanation, _ subject: InputImage) -> String {
        let map = explanation.map
        guard let peak = map.peak else { return "it is the same everywhere" }
        let rows = ["upper", "middle", "lower"][min(2, peak.y * 3 / max(map.height, 1))]
        let columns = ["left", "centre", "right"][min(2, peak.x * 3 / max(map.width, 1))]
        return "strongest in the \(rows) \(columns)"
    }
}
