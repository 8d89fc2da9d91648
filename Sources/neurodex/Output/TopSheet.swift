import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search

/// The contact sheet of `top`: a row a neuron, in it what the neuron saw where it was strongest.
struct TopSheet {
    private let store: Store
    private let whole: Bool
    private let preprocessing: Preprocessing
    private let pictures: StoredPictures

    /// - Parameter images: where images that have moved are now.
    init(store: Store, images: String?, whole: Bool) throws {
        self.store = store
        pictures = try StoredPictures(store, images: images)
        self.whole = whole
        preprocessing = try store.preprocessing()
    }

    /// Nil where there are no hits.
    func draw(_ hits: [TopQuery.Hit]) throws -> Sheet? {
        guard !hits.isEmpty else { return nil }
        guard hits.count <= Self.mostImages else {
            throw Failure("a sheet of \(hits.count) images is too large to draw; name fewer neurons or a smaller -k")
        }
        var rows: [ContactSheet.Row] = []
        var missing: [String] = []
        var start = hits.startIndex
        while start < hits.endIndex {
            // A neuron's hits stand together; rank 1 begins the next.
            let end = hits[(start + 1)...].firstIndex { $0.rank == 1 } ?? hits.endIndex
            rows.append(try row(of: hits[start..<end], &missing))
            start = end
        }
        return Sheet(
            page: try Self.page(rows, advice: "name fewer neurons or a smaller -k"),
            images: try hits.compactMap { try store.image(id: $0.imageID) }, missing: missing, titles: rows.compactMap(\.title))
    }

    /// No sheet has room for more; pictures are read before it is known how large the sheet is.
    static let mostImages = 4000

    /// - Parameter advice: what makes a sheet smaller.
    static func page(_ rows: [ContactSheet.Row], advice: String) throws -> Page {
        let sheet = ContactSheet(title: nil, rows: rows)
        guard !sheet.isTooLarge else {
            throw Failure("a sheet of \(rows.count) neurons is too large to draw; \(advice)")
        }
        return sheet.page()
    }

    /// The hits of one neuron.
    ///
    /// - Parameters:
    ///   - missing: takes the paths of images that cannot be drawn.
    ///   - mark: of a hit's picture.
    func row(
        of hits: ArraySlice<TopQuery.Hit>, _ missing: inout [String], mark: (TopQuery.Hit) -> ContactSheet.Mark? = { _ in nil }
    ) throws -> ContactSheet.Row {
        guard let first = hits.first else { return ContactSheet.Row(title: "", cells: []) }
        guard let layer = store.description.layers.first(where: { $0.name == first.layer }) else {
            throw Failure("the store has no layer '\(first.layer)'")
        }
        var cells: [ContactSheet.Cell] = []
        for hit in hits {
            guard var cell = try self.cell(hit, layer) else {
                missing.append(hit.image)
                continue
            }
            if let mark = mark(hit) { cell.add(mark) }
            cells.append(cell)
        }
        let name = layer.isLogits ? store.description.classes[safe: first.channel].map { "class:\($0)" } : nil
        let tenth = first.decile.map { ", tenth \($0)" } ?? ""
        return ContactSheet.Row(
            title: "\(first.layer):\(first.channel)\(tenth)", subtitle: name ?? Self.subtitle(layer), cells: cells)
    }

    private static func subtitle(_ layer: LayerRecord) -> String {
        guard let field = layer.receptiveField else { return layer.operatorName }
        return "\(layer.operatorName), sees \(field.height)×\(field.width) pixels"
    }

    /// Nil where the file has gone or changed.
    private func cell(_ hit: TopQuery.Hit, _ layer: LayerRecord) throws -> ContactSheet.Cell? {
        guard let stored = try store.image(id: hit.imageID), let picture = pictures.picture(of: stored) else { return nil }
        let seen = source(hit, layer, picture)
        let caption = [
            String(format: "%.4g", Double(hit.value)) + (hit.label.map { "  \($0)" } ?? ""),
            (hit.image as NSString).lastPathComponent,
        ]
        if whole { return ContactSheet.Cell(image: picture, caption: caption, rectangle: seen) }
        let area = seen.pixels(in: Size(width: picture.width, height: picture.height))
        return ContactSheet.Cell(image: picture.cropped(columns: area.columns, rows: area.rows), caption: caption)
    }

    /// The receptive field of the hit's position, in the pixels of the picture.
    private func source(_ hit: TopQuery.Hit, _ layer: LayerRecord, _ picture: Image) -> Rectangle {
        let frame = layer.field(y: hit.y, x: hit.x, in: preprocessing.crop)
        return preprocessing.sourceRectangle(ofInput: frame, imageWidth: picture.width, imageHeight: picture.height)
            .clipped(to: Size(width: picture.width, height: picture.height))
    }
}

extension Array {
    subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
