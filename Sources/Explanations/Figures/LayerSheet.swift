import ActivationStore
import Foundation
public import Images
public import NeuralNetwork

/// All channels of a layer as small pictures: its feature maps on an image, or what its filters weigh.
public struct LayerSheet: Sendable {
    /// Channels × height × width.
    private let planes: [[Float]]
    private let height: Int
    private let width: Int
    private let title: String
    private let subtitle: String
    private let channels: Range<Int>

    /// The longer side of each picture, in pixels.
    public static let defaultSize = 128

    /// The maps of some of a layer's channels on an image.
    public init(maps: [Float], of layer: Layer, channels: Range<Int>, on subject: InputImage) {
        (height, width, self.channels) = (layer.height, layer.width, channels)
        planes = channels.map { channel in (0..<layer.height * layer.width).map { maps[$0 * layer.channels + channel] } }
        let silent = planes.count { plane in plane.allSatisfy { $0 == plane.first } }
        title = "Feature maps of \(layer.name) on \((subject.name as NSString).lastPathComponent)"
        let which =
            channels.count == layer.channels
            ? "all \(layer.channels) channels" : "\(channels.count) of \(layer.channels) channels"
        subtitle =
            "\(which), \(layer.height)×\(layer.width), on one scale"
            + (silent == 0 ? "" : "; \(silent) \(silent == 1 ? "is" : "are") the same everywhere")
    }

    /// Viridis from zero, or the lowest value where that is less, to the 99.5th percentile of the values above zero.
    public func page(size: Int) -> Page {
        let finite = planes.joined().filter(\.isFinite)
        let (low, largest) = (min(finite.min() ?? 0, 0), max(finite.max() ?? 0, 0))
        // A few places are far above all others.
        let sorted = finite.filter { $0 > 0 }.sorted()
        let high = sorted.isEmpty ? 0 : sorted[min(sorted.count * 995 / 1000, sorted.count - 1)]
        let side = Double(Self.defaultSize) / 2
        let scale = Double(size) / side
        let pixels = Size(width: max(width * size / max(width, height), 1), height: max(height * size / max(width, height), 1))
        let cells = zip(channels, planes).map { channel, plane in
            let levels = Overlay.scale(plane, .fixed(low: low, high: high > low ? high : low + 1))
            let picture = MapPicture(
                levels: levels, width: width, height: height, size: pixels, isPixelated: max(width, height) * 2 <= size,
                colormap: .viridis)
            return ContactSheet.Cell(image: picture.alone, caption: ["\(channel)"])
        }
        let sheet = ContactSheet(
            title: title, subtitle: subtitle, cells: cells, columns: Self.columns(cells.count), cellSize: side
        ).page(scale: scale)
        var page = sheet.resized(height: sheet.height + 46)
        var y = sheet.height - 10
        let bar = ColorBar(
            colormap: .viridis, low: Figure.number(low), middle: Figure.number((low + high) / 2),
            high: (high < largest ? "≥ " : "") + Figure.number(high),
            quantity: "activation" + (high < largest ? ", clipped at the 99.5th percentile of those above zero" : ""))
        bar.draw(x: 20, y: &y, width: min(page.width - 40, 360), on: &page)
        return page
    }

    /// Somewhat wider than high.
    static func columns(_ count: Int) -> Int { max(4, min(24, Int((Double(count) * 1.5).squareRoot().rounded(.up)))) }
}

/// The filters of a first convolution, in the colours that they weigh.
public struct FilterSheet: Sendable {
    private let filters: FirstFilters
    private let order: ChannelOrder

    public init(_ filters: FirstFilters, order: ChannelOrder) { (self.filters, self.order) = (filters, order) }

    /// Of a filter of several colours each weight w as the level 127.5 · (1 + w / m), m being the filter's largest magnitude; of
    /// one of a single colour evenly about zero, white.
    public func page(size: Int) -> Page {
        let side = Double(LayerSheet.defaultSize) / 2
        let cells = (0..<filters.count).map { index in ContactSheet.Cell(image: picture(index), caption: ["\(index)"]) }
        let what = filters.channels == 1 ? "white is zero, red above, blue below" : "grey is zero, brighter above, darker below"
        return ContactSheet(
            title: "Filters of \(filters.layer)",
            subtitle: "\(filters.count) filters of \(filters.height)×\(filters.width) pixels, each on its own scale: \(what)",
            cells: cells,
            columns: LayerSheet.columns(cells.count), cellSize: side
        ).page(scale: Double(size) / side)
    }

    private func picture(_ index: Int) -> Image {
        let area = filters.height * filters.width
        let start = index * filters.channels * area
        let weights = filters.weights[start..<start + filters.channels * area]
        let largest = max(weights.reduce(0) { max($0, abs($1)) }, .leastNormalMagnitude)
        guard filters.channels > 1 else {
            return Overlay.picture(
                of: Array(weights), width: filters.width, height: filters.height, colormap: .diverging, scaling: .symmetric)
        }
        let planes = order.drawn(of: filters.channels)
        var pixels: [UInt8] = []
        for pixel in 0..<area {
            for plane in planes {
                let weight = filters.weights[start + plane * area + pixel]
                pixels.append(UInt8((127.5 + 127.5 * weight / largest).rounded()))
            }
        }
        return Image(width: filters.width, height: filters.height, pixels: pixels)
    }
}
