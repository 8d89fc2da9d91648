import Explanations
import Foundation
import Images
import Pages

/// How one made explanation is drawn: on a scale of its own, or of several.
struct DrawnExplanation {
    var order: ExplanationOrder
    var made: MadeExplanation
    /// The value of the last colour.
    var limit: MapLook.Limit

    private var placement: Placement { made.subject.framed.placement }

    /// One number a pixel of the picture, without padding.
    var plane: ExplanationMap {
        let map = made.explanation.map.cropped(to: placement)
        return ExplanationMap(
            channels: 1, height: map.height, width: map.width, values: made.look.plane(of: map), isSigned: made.look.isSigned)
    }

    /// Small pictures are shown with their pixels.
    static func isSmall(_ image: Image) -> Bool { max(image.width, image.height) * 3 <= 448 }

    /// The map over the picture, as figures have it; what is not finite cannot be drawn.
    func over() throws -> Image {
        let (picture, plane) = (made.subject.framed.picture, plane)
        guard plane.values.allSatisfy(\.isFinite) else {
            throw ExplanationError.notFinite(what: "the map of \(made.explanation.target.text)")
        }
        return made.look.picture(
            of: plane, over: picture, side: 448, limit: limit.value, showsPixels: Self.isSmall(picture))
    }

    /// Maps of one method are of one quantity: on one scale they can be compared.
    static func drawn(_ made: [(ExplanationOrder, MadeExplanation)], sharesScale: Bool) -> [DrawnExplanation] {
        let own = made.map { DrawnExplanation(order: $0, made: $1, limit: $1.look.limit(of: $1.shown)) }
        guard sharesScale else { return own }
        return own.map { one in
            var one = one
            let alike = own.filter { $0.order.method == one.order.method && $0.made.look == one.made.look }
            one.limit = alike.map(\.limit).max { $0.value < $1.value } ?? one.limit
            return one
        }
    }
}

extension MadeExplanation {
    /// The map that scales are made of: of what shows the picture.
    fileprivate var shown: ExplanationMap {
        let placement = subject.framed.placement
        return placement.isPadded ? explanation.map.cropped(to: placement) : explanation.map
    }
}
