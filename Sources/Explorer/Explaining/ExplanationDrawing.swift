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

    /// The picture as the network sees it, without padding.
    static func picture(_ subject: Subject) -> Image {
        let (framed, placement) = (subject.framed.image, subject.framed.placement)
        guard placement.isPadded else { return framed }
        return framed.cropped(columns: placement.shown.columns, rows: placement.shown.rows)
    }

    /// One number a pixel of that picture.
    var plane: ExplanationMap {
        let map = made.explanation.map.cropped(to: placement)
        return ExplanationMap(
            channels: 1, height: map.height, width: map.width, values: made.look.plane(of: map), isSigned: made.look.isSigned)
    }

    static func colormap(of look: MapLook) -> Colormap { look.isSigned ? .diverging : .inferno }

    /// Small pictures are shown with their pixels.
    static func isSmall(_ image: Image) -> Bool { max(image.width, image.height) * 3 <= 448 }

    /// The map over the picture, as figures have it; what is not finite cannot be drawn.
    func over() throws -> Image {
        let (picture, plane, look) = (Self.picture(made.subject), plane, made.look)
        guard plane.values.allSatisfy(\.isFinite) else {
            throw ExplanationError.notFinite(what: "the map of \(made.explanation.target.text)")
        }
        let scale = 448 / Double(max(picture.width, picture.height, 1))
        let size = Size(
            width: max(1, Int((Double(picture.width) * scale).rounded())),
            height: max(1, Int((Double(picture.height) * scale).rounded())))
        let isSmall = Self.isSmall(picture)
        var drawing = MapPicture(
            levels: look.levels(of: plane, limit: limit.value, isSigned: look.isSigned), width: plane.width,
            height: plane.height, size: size, isPixelated: look.isFine && isSmall, colormap: Self.colormap(of: look))
        drawing.isSigned = look.isSigned
        if look.isFine { (drawing.opacity, drawing.strength) = (1, 1.5) }
        return drawing.over(
            picture.resized(width: size.width, height: size.height, interpolation: isSmall ? .nearest : .bicubic))
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
