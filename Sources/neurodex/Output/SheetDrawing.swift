import ActivationStore
import ArgumentParser
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
    private let images: String?
    /// What parts of images are dark by where their neurons see most of a picture.
    var light = Light.none
    private var maps = NeuronMaps()
    private let replaced = Replaced()

    enum Light {
        /// Nothing is.
        case none
        /// The store's network; where it is now, or nil for where it was.
        case network(model: String?)
        /// The network that is there already.
        case archive(ExplanationArchive)
    }

    /// Why the network could not be had.
    var refusal: (any Error)? { maps.refusal }

    /// Paths of images that were drawn from their thumbnails, as their files have gone or changed.
    var thumbnails: [String] { replaced.paths }

    private final class Replaced { var paths: [String] = [] }

    /// No sheet has room for more; pictures are read before it is known how large the sheet is.
    static let mostImages = 4000
    /// As many as the largest sheet has that is drawn without --size.
    private static let mostPixels = 1 << 27

    /// - Parameter images: where images that have moved are now.
    init(store: Store, images: String?) throws {
        (self.store, self.images) = (store, images)
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
        let isWhole = whole || plan.isWhole
        var lit = self
        if !isWhole { try lit.takeLight(for: plan.rows) }
        let rows = try plan.rows.map { try lit.row($0, whole: isWhole, &missing) }
        return Sheet(
            page: try Self.page(rows, advice: plan.advice, margin: margin, size: size),
            images: try all.compactMap { try store.image(id: $0.imageID) },
            missing: missing, thumbnails: thumbnails, refusal: lit.refusal,
            titles: rows.compactMap { row in row.title.map { title in title + (row.note.map { ": \($0)" } ?? "") } })
    }

    /// Runs the network for the pictures of rows, as far as they are to be dark.
    /// - Throws: `ExitCode` where the user stopped it; `StoreError`, `NetworkError`.
    mutating func takeLight(for rows: [SheetPlan.Row]) throws {
        let places = rows.flatMap(\.pictures).compactMap { picture in
            picture.place.map { (Self.neuron($0, picture), y: $0.y, x: $0.x) }
        }
        let archive: ExplanationArchive
        switch light {
        case .none: return
        case .archive(let opened): archive = opened
        case .network(let model):
            archive = try ExplanationArchive(
                store: store, model: model, images: images, keeps: false, toolVersion: Neurodex.version)
        }
        let maps = try ExplanationMonitor().watch { try NeuronMaps(of: places, in: archive) }
        guard let maps else { throw ExitCode.interrupted }
        self.maps = maps
    }

    private static func neuron(_ place: SheetPlan.Place, _ picture: SheetPlan.Picture) -> NeuronMaps.Place {
        NeuronMaps.Place(image: picture.imageID, layer: place.layer, channel: place.channel)
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
        let neurons = row.pictures.compactMap { picture in picture.place.map { Self.neuron($0, picture) } }
        let notes = [row.subtitle, whole ? nil : maps.remark(on: neurons)].compactMap { $0 }
        return ContactSheet.Row(
            title: row.title, subtitle: notes.isEmpty ? nil : notes.joined(separator: "; "), note: row.note, cells: cells)
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
        // A thumbnail is what the network saw, but smaller, and said to be one.
        let map = maps[Self.neuron(place, picture)]
        let crop =
            map.map { shown.cropped(to: seen, litBy: $0, preparedBy: preprocessing) } ?? shown.cropped(to: seen)
        return ContactSheet.Cell(image: crop, caption: caption)
    }

    /// The receptive field of a place, in the pixels of the upright picture in its file.
    private func source(_ place: SheetPlan.Place, _ picture: ShownPicture) throws -> Rectangle {
        guard let layer = store.description.layers.first(where: { $0.name == place.layer }) else {
            throw Failure("the store has no layer '\(place.layer)'")
        }
        return layer.field(y: place.y, x: place.x, ofPicture: picture.whole, preparedBy: preprocessing)
    }
}
