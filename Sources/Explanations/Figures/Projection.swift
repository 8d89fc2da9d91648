public import ActivationStore
public import Images

/// A neuron's activation at one place of one image, sent back to the pixels.
public struct Projection: Sendable {
    public var subject: Subject
    /// Of a target with a position.
    public var explanation: Explanation
    /// What of the picture the neuron sees there, in the network's input frame; where that is padding alone, the padding.
    public var field: Rectangle

    /// - Parameters:
    ///   - layer: the neuron's.
    ///   - size: of the network's input.
    public init(_ explanation: Explanation, of layer: LayerRecord, on subject: Subject, in size: Size) {
        (self.subject, self.explanation) = (subject, explanation)
        let seen = layer.field(of: explanation.target, in: size)
        let picture = seen.clipped(to: subject.framed.placement.shownRectangle)
        field = picture.isEmpty ? seen : picture
    }
}

extension LayerRecord {
    /// What the neuron of a target with a position sees of an input of `size`: its receptive field, inside the picture. Everything, where that
    /// is not known, or for a target without a position.
    public func field(of target: Target, in size: Size) -> Rectangle {
        guard let place = target.place else { return .whole(size) }
        return field(y: place.y, x: place.x, in: size)
    }

    /// What cell (y, x) of the layer sees of an input of `size`, inside the picture; everything, where that is not known.
    public func field(y: Int, x: Int, in size: Size) -> Rectangle {
        guard let field = receptiveField else { return .whole(size) }
        return Rectangle(
            x: field.offsetX + Double(x) * field.strideX, y: field.offsetY + Double(y) * field.strideY,
            width: Double(field.width), height: Double(field.height)
        ).clipped(to: size)
    }
}

extension Rectangle {
    fileprivate static func whole(_ size: Size) -> Rectangle {
        Rectangle(x: 0, y: 0, width: Double(size.width), height: Double(size.height))
    }
}
