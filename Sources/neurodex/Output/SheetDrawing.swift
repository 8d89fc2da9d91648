import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search

/// Draws what a plan of a contact sheet names: whole images, or what a neuron saw of them.
struct SheetDrawing {
    let store: Store
    private let pictures: StoredPictures
    private let preprocessing: Preprocessing
    private let replaced = Replaced()

    /// Paths of images that were drawn from their thumbnails, as their files have gone or changed.
    var thumbnails: [String] { replaced.paths }

    private final class Replaced { var paths: [String] = [] }

    /// No sheet has room for more; pictures are read before it is known how large the sheet is.
    static let mostImages = 4000
    /// As many as the largest sheet has that is drawn without --size.
    private static let mostPixels = 1 << 27

    /// - Parameter images: where images that have moved are now.
    init(store: Store, images: String?) throws {
        self.store = store
        pictures = try StoredPictures(store, images: images)
        preprocessing = try store.preprocessing()
    }

    /// Nil where there are no images.
    ///
    /// - Parameters:
    ///   - whole: whole images with an outline, instead of parts of them.
    ///   - margin: around it; nil for that of a page of its own.
    ///   - size: the longer side of each picture, in pixels; nil for twice the page's units, and less on very large sheets.
    func draw(_ plan: SheetPlan, whole: Bool, margin: Double? = nil, size: Int? = nil) throws -> Sheet? {
        let all = plan.rows.flatMap(\.pictures)
        guard !all.isEmpty else { return nil }
        guard all.count <= Self.mostImages else {
            throw Failure("a sheet of \(all.count) images is too large to draw; \(plan.advice)")
        }
        var missing: [String] = []
        let rows = try plan.rows.map { try row($0, whole: whole || plan.isWhole, &missing) }
        return Sheet(
            page: try Self.page(rows, advice: plan.advice, margin: margin, size: size),
            images: try all.compactMap { try store.image(id: $0.imageID) },
            missing: missing, thumbnails: thumbnails, titles: rows.compactMap(\.title))
    }

    /// - Parameter advice: what makes a sheet smaller.
    static func page(
        _ rows: [ContactSheet.Row], advice: String, margin: Double? = nil, size: Int? = nil
    ) throws -> Page {
        var sheet = ContactSheet(title: nil, rows: rows)
        if let margin { sheet.margin = margin }
        guard !sheet.isTooLarge else { throw Failure("a sheet of \(rows.count) rows is too large to draw; \(advice)") }
        guard let size else { return sheet.page() }
        let page = sheet.page(scale: Double(size) / sheet.cellSize)
        guard page.size.width.saturated(times: page.size.height) <= mostPixels else {
            throw Failure(
                "a sheet of \(page.size.width) × \(page.size.height) pixels is too large to draw; \(advice), or a smaller --size")
        }
        return page
    }

    /// - Parameters:
    ///   - missing: takes the paths of images that cannot be drawn.
    ///   - mark: of the picture of an image.
    func row(
        _ row: SheetPlan.Row, whole: Bool, _ missing: inout [String], mark: (Int) -> ContactSheet.Mark? = { _ in nil }
    ) throws -> ContactSheet.Row {
        var cells: [ContactSheet.Cell] = []
        for picture in row.pictures {
            let stored = try store.image(id: picture.imageID)
            guard let stored, let image = pictures.shown(stored, atLeast: nil) else {
                if let path = picture.path ?? stored?.path { missing.append(path) }
                continue
            }
            if image.isThumbnail { replaced.paths.append(picture.path ?? stored.path) }
            var cell = try cell(picture, image, path: picture.path ?? stored.path, whole: whole)
            if let mark = mark(picture.imageID) { cell.add(mark) }
            cells.append(cell)
        }
        return ContactSheet.Row(title: row.title, subtitle: row.subtitle, cells: cells)
    }

    private func cell(_ picture: SheetPlan.Picture, _ shown: ShownPicture, path: String, whole: Bool) throws -> ContactSheet.Cell
    {
        let label = picture.label.map { "  " + Target.shortName($0) } ?? ""
        let caption = [picture.note + label, (path as NSString).lastPathComponent] + (shown.isThumbnail ? ["thumbnail"] : [])
        let image = shown.picture
        guard let place = picture.place else { return ContactSheet.Cell(image: image, caption: caption) }
        let seen = try source(place, shown)
        if seen.isEmpty { return ContactSheet.Cell(image: image, caption: caption + ["sees padding alone"]) }
        if whole { return ContactSheet.Cell(image: image, caption: caption, rectangle: shown.rectangle(seen)) }
        return ContactSheet.Cell(image: shown.cropped(to: seen), caption: caption)
    }

    /// The receptive field of a place, in the pixels of the upright picture in its file.
    private func source(_ place: SheetPlan.Place, _ picture: ShownPicture) throws -> Rectangle {
        guard let layer = store.description.layers.first(where: { $0.name == place.layer }) else {
            throw Failure("the store has no layer '\(place.layer)'")
        }
        return layer.field(y: place.y, x: place.x, ofPicture: picture.whole, preparedBy: preprocessing)
    }
}
