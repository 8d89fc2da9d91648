import ActivationStore
public import Images
import NeuralNetwork

/// How active a neuron is over an image: 0...1 of its maximum there, in each cell of the layer's map, which covers the
/// network's frame.
public struct NeuronMap: Sendable {
    let values: [Float]
    let width: Int
    let height: Int

    /// Nil of a layer without a map, and of a neuron that is nowhere above zero, or not finite.
    /// - Parameter activations: of all the layer: height × width × channels.
    init?(_ activations: [Float], of channel: Int, in layer: Layer) {
        guard layer.height * layer.width > 1 else { return nil }
        let plane = (0..<layer.height * layer.width).map { max(activations[$0 * layer.channels + channel], 0) }
        guard plane.allSatisfy(\.isFinite), let largest = plane.max(), largest > 0 else { return nil }
        (values, width, height) = (plane.map { $0 / largest }, layer.width, layer.height)
    }

    /// At each pixel of a picture of some part of the frame.
    /// - Parameters:
    ///   - part: in pixels of the frame; nil for all of it.
    ///   - frame: the network's.
    ///   - size: of the picture.
    func levels(over part: Rectangle? = nil, ofFrame frame: Size, size: Size) -> [Float] {
        let (across, down) = (Double(width) / Double(frame.width), Double(height) / Double(frame.height))
        let cells = part.map { Rectangle(x: $0.x * across, y: $0.y * down, width: $0.width * across, height: $0.height * down) }
        return Overlay.upsample(
            values, width: width, height: height, part: cells, toWidth: size.width, toHeight: size.height)
    }
}

/// What is written on figures whose crops may be dark.
package enum NeuronLight {
    package static let remark = "dark where the neuron is silent"
    package static let absence = "not darkened: the network could not be run"
    /// The share of the picture from which on a field says little of where the neuron looks.
    static let wideShare = 0.6

    /// Whether a field covers most of what the frame shows of the picture.
    static func isWide(_ field: Rectangle, in placement: Placement) -> Bool {
        let shown = placement.shownRectangle
        return field.width * field.height > wideShare * shown.width * shown.height
    }
}

extension Image {
    /// The same at a quarter of its brightness where a level is 0.
    /// - Parameter levels: 0...1, one a pixel.
    func darkened(by levels: [Float]) -> Image {
        var dark = self
        for (pixel, level) in levels.enumerated() {
            let share = 0.25 + 0.75 * min(max(level, 0), 1)
            for byte in 3 * pixel..<3 * pixel + 3 { dark.pixels[byte] = UInt8((Float(pixels[byte]) * share).rounded()) }
        }
        return dark
    }
}

extension ShownPicture {
    /// A part of it, dark where a neuron is silent.
    /// - Parameter area: in pixels of the upright picture in its file; not empty.
    public func cropped(to area: Rectangle, litBy map: NeuronMap, preparedBy preprocessing: Preprocessing) -> Image {
        let crop = cropped(to: area)
        let part = rectangle(area).pixels(in: Size(width: picture.width, height: picture.height))
        let (across, down) = (
            Double(whole.width) / Double(picture.width), Double(whole.height) / Double(picture.height)
        )
        let source = Rectangle(
            x: Double(part.columns.lowerBound) * across, y: Double(part.rows.lowerBound) * down,
            width: Double(part.columns.count) * across, height: Double(part.rows.count) * down)
        let placement = preprocessing.framing.placement(sourceWidth: whole.width, sourceHeight: whole.height)
        let levels = map.levels(
            over: placement.inputRectangle(ofSource: source), ofFrame: placement.crop,
            size: Size(width: crop.width, height: crop.height))
        return crop.darkened(by: levels)
    }
}

/// The maps on images of a store of neurons whose fields cover most of at least one of these pictures: where in it such a neuron
/// looks, its field does not say.
public struct NeuronMaps: Sendable {
    /// A neuron on an image.
    public struct Place: Hashable, Sendable {
        public var image: Int
        public var layer: String
        public var channel: Int

        public init(image: Int, layer: String, channel: Int) { (self.image, self.layer, self.channel) = (image, layer, channel) }
    }

    private var maps: [Place: NeuronMap] = [:]
    /// Why the network could not be had, that these maps are of.
    public private(set) var refusal: (any Error)?

    /// Images that are in memory at once.
    private static let chunk = 32

    public init() {}

    /// Runs the network once for every image and layer.
    /// - Parameter places: a neuron on an image each, with the cell of its maximum.
    /// - Throws: `StoreError`, `NetworkError`. That the network cannot be had is no error, but told by `refusal`.
    public init(of places: [(place: Place, y: Int, x: Int)], in archive: ExplanationArchive) throws {
        for record in archive.store.description.layers where record.height * record.width > 1 {
            let here = places.filter { $0.place.layer == record.name }
            let wide = try here.filter { place, y, x in
                try archive.store.image(id: place.image).map { image in
                    let placement = archive.preprocessing.framing.placement(
                        sourceWidth: image.width, sourceHeight: image.height)
                    let field = record.field(y: y, x: x, in: archive.preprocessing.crop)
                    return NeuronLight.isWide(field.clipped(to: placement.shownRectangle), in: placement)
                } ?? false
            }
            // All pictures of a neuron are drawn alike: one beside dark ones that is not would seem to be active everywhere.
            let channels = Set(wide.map(\.place.channel))
            try add(here.map(\.place).filter { channels.contains($0.channel) }, of: record, in: archive)
        }
    }

    private mutating func add(_ places: [Place], of record: LayerRecord, in archive: ExplanationArchive) throws {
        guard let first = places.first else { return }
        let (explainer, layer): (Explainer, Layer)
        do {
            explainer = try archive.explainer()
            layer = try explainer.layer(of: Target("\(record.name):\(first.channel)", in: archive.store.description))
        } catch {
            refusal = error
            return
        }
        let channels = Dictionary(grouping: places, by: \.image)
        let images = channels.keys.sorted()
        for start in stride(from: 0, to: images.count, by: Self.chunk) {
            // What has gone or changed is missing on the figure as well, and said there.
            let subjects = try images[start..<min(start + Self.chunk, images.count)].compactMap { id in
                try archive.store.image(id: id).flatMap { image in (try? archive.subject(image.path)).map { (id, $0) } }
            }
            guard !subjects.isEmpty else { continue }
            try explainer.activations(of: layer, count: subjects.count) { index, input in
                _ = input.update(fromContentsOf: subjects[index].1.tensor)
            } read: { activations in
                Array(activations)
            } body: { index, activations in
                for place in channels[subjects[index].0] ?? [] {
                    maps[place] = NeuronMap(activations, of: place.channel, in: layer)
                }
            }
        }
    }

    public subscript(place: Place) -> NeuronMap? { maps[place] }

    /// What is to be said of pictures of these places; nil where none is dark.
    public func remark(on places: [Place]) -> String? {
        places.contains { maps[$0] != nil } ? NeuronLight.remark : nil
    }
}
