public import ActivationStore
import Foundation

/// What a store has that samples of questions ask for.
public struct SampleGround: Sendable {
    /// Of all layers, in their order.
    public let layers: [String]
    /// The path of an image.
    public let image: String
    /// A label that some images have.
    public let label: String
    /// The name of a class, if the network has any.
    public let className: String?

    public init(layers: [String], image: String, label: String, className: String?) {
        precondition(!layers.isEmpty, "samples are asked of a store that has layers")
        self.layers = layers
        self.image = image
        self.label = label
        self.className = className
    }

    /// - Throws: ``StoreError``; ``QueryError/noLabels`` for a store without labelled images.
    public init(_ store: Store) throws {
        let images = try store.images()
        guard let label = images.compactMap(\.label).min() else { throw QueryError.noLabels }
        self.init(
            layers: store.description.layers.map(\.name), image: images[images.count / 2].path, label: label,
            className: store.description.classes.last)
    }

    /// The first neuron of the first layer.
    public var neuron: String { layers[0] + ":0" }
    /// A layer that is not the first, where there are several.
    public var layer: String { layers[layers.count > 1 ? 1 : 0] }
    /// A condition that some images meet.
    public var condition: String { "label = \(Spelling.sql(label)) OR split = 'val'" }
}
