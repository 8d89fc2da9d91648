public import ActivationStore
import Foundation
public import Images
public import NeuralNetwork

/// The sheet of `deconv`: for every neuron a row of what it saw, and under it a row of what of that it answered to.
public struct ProjectionSheet: Sendable {
    private var rows: [ContactSheet.Row] = []

    /// The longer side of each picture, in pixels.
    public static let defaultSize = 320
    /// Pictures in a row.
    public static let columns = 12

    public init() {}

    /// Adds a neuron of `layer`, which the projections are of.
    /// - Parameters:
    ///   - order: of the colours of the network's input, in which the projections are.
    public mutating func add(
        _ neuron: String, of layer: LayerRecord, _ projections: [Projection], rule: BackwardRule, channelOrder order: ChannelOrder
    ) {
        let seen = projections.map { projection in
            ContactSheet.Cell(
                image: Self.crop(projection.seen, projection.field),
                caption: [
                    String(format: "%.4g", Double(projection.explanation.value))
                        + (projection.subject.stored?.label.map { "  \(Target.shortName($0))" } ?? ""),
                    (projection.subject.name as NSString).lastPathComponent,
                ])
        }
        let answered = projections.map { projection in
            ContactSheet.Cell(
                image: Self.crop(Self.picture(of: projection.explanation.map, in: projection.field, order), projection.field))
        }
        let size = layer.receptiveField.map { ", sees \($0.height)×\($0.width) pixels" } ?? ""
        for start in stride(from: 0, to: projections.count, by: Self.columns) {
            let part = start..<min(start + Self.columns, projections.count)
            let subtitle = "\(layer.operatorName)\(size); \(rule.rawValue)\(Self.remark(projections))"
            rows.append(
                ContactSheet.Row(
                    title: start == 0 ? neuron : nil, subtitle: start == 0 ? subtitle : nil, cells: Array(seen[part])))
            rows.append(ContactSheet.Row(cells: Array(answered[part])))
        }
    }

    /// - Parameter margin: around it; nil for that of a page of its own.
    /// - Throws: `ExplanationError.parameter` for a sheet too large to draw.
    public func page(scale: Double? = nil, margin: Double? = nil) throws -> Page {
        var sheet = ContactSheet(rows: rows)
        if let margin { sheet.margin = margin }
        let columns = rows.map(\.cells.count).max() ?? 1
        guard !sheet.isTooLarge else {
            throw ExplanationError.parameter(
                name: "-o", value: "\(rows.count / 2) neurons × \(columns) images", expected: "fewer neurons, or a smaller -k")
        }
        return sheet.page(scale: scale)
    }

    package static func remark(_ projections: [Projection]) -> String {
        if projections.contains(where: { $0.activation != nil }) { return "; " + NeuronLight.remark }
        return projections.contains(where: \.isUnlit) ? "; " + NeuronLight.absence : ""
    }

    private static func crop(_ image: Image, _ field: Rectangle) -> Image {
        let area = field.pixels(in: Size(width: image.width, height: image.height))
        return image.cropped(columns: area.columns, rows: area.rows)
    }

    /// A signed map as colours about grey: 127.5 · (1 + v / m), m being the 99 % quantile of the magnitudes within `field`.
    static func picture(of map: ExplanationMap, in field: Rectangle, _ order: ChannelOrder) -> Image {
        let area = field.pixels(in: Size(width: map.width, height: map.height))
        let pixels = map.height * map.width
        let magnitudes = (0..<map.channels).flatMap { channel in
            area.rows.flatMap { y in area.columns.map { x in abs(map.values[channel * pixels + y * map.width + x]) } }
        }.sorted()
        let largest = magnitudes.isEmpty ? 0 : magnitudes[min(magnitudes.count - 1, magnitudes.count * 99 / 100)]
        let scale = largest > 0 ? 127.5 / largest : 0
        let planes = order.drawn(of: map.channels)
        let levels = (0..<pixels).flatMap { pixel in
            planes.map { UInt8(max(0, min(255, (127.5 + scale * map.values[$0 * pixels + pixel]).rounded()))) }
        }
        return Image(width: map.width, height: map.height, pixels: levels)
    }
}
