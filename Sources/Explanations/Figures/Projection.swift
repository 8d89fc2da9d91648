public import ActivationStore
public import Images
import NeuralNetwork

/// A neuron's activation at one place of one image, sent back to the pixels.
public struct Projection: Sendable {
    public var subject: InputImage
    /// Of a target with a position.
    public var explanation: Explanation
    /// What of the picture the neuron sees there, in the network's input frame; where that is padding alone, the padding.
    public var field: Rectangle
    /// How active the neuron is at each pixel of the frame, 0...1 of its maximum; nil where that is not drawn.
    package var activation: [Float]?
    /// Whether that should be drawn, and the network could not be run.
    package var isUnlit = false

    /// Whether the field covers most of the picture.
    package var isWide: Bool { NeuronLight.isWide(field, in: subject.framed.placement) }

    /// The image in the network's frame, at a quarter of its brightness where the neuron is silent.
    package var seen: Image {
        let image = subject.framed.image
        guard let activation, activation.count == image.width * image.height else { return image }
        return image.darkened(by: activation)
    }

    /// - Parameters:
    ///   - layer: the neuron's.
    ///   - size: of the network's input.
    public init(_ explanation: Explanation, of layer: LayerRecord, on subject: InputImage, in size: Size) {
        (self.subject, self.explanation) = (subject, explanation)
        let seen = layer.field(of: explanation.target, in: size)
        let picture = seen.clipped(to: subject.framed.placement.shownRectangle)
        field = picture.isEmpty ? seen : picture
    }
}

extension ExplanationArchive {
    /// The same projections, with the neuron's map on the image where its field covers most of it: one forward pass each.
    package func lit(_ projections: [Projection]) -> [Projection] {
        projections.map { projection in
            guard projection.isWide else { return projection }
            var lit = projection
            do { lit.activation = try activation(of: projection) } catch { lit.isUnlit = true }
            return lit
        }
    }

    /// Nil of a layer without a map, and of a neuron that is nowhere above zero.
    private func activation(of projection: Projection) throws -> [Float]? {
        let (target, explainer) = (projection.explanation.target, try explainer())
        let layer = try explainer.layer(of: target)
        guard layer.height * layer.width > 1 else { return nil }
        let crop = preprocessing.crop
        return NeuronMap(try explainer.activations(of: layer, on: projection.subject), of: target.channel, in: layer)?
            .levels(ofFrame: crop, size: crop)
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

    /// What cell (y, x) of the layer sees of an upright picture of `size`, in its pixels; empty where that is padding alone.
    public func field(y: Int, x: Int, ofPicture size: Size, preparedBy preprocessing: Preprocessing) -> Rectangle {
        preprocessing.sourceRectangle(
            ofInput: field(y: y, x: x, in: preprocessing.crop), imageWidth: size.width, imageHeight: size.height
        ).clipped(to: size)
    }
}

extension Rectangle {
    fileprivate static func whole(_ size: Size) -> Rectangle {
        Rectangle(x: 0, y: 0, width: Double(size.width), height: Double(size.height))
    }
}
