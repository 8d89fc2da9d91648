import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import Search
import Support

/// What sections are made from, and the pictures that they have made so far.
final class ReportGround {
    let store: Store
    let archive: ExplanationArchive
    let options: ReportOptions
    let images: [StoredImage]
    let pictures: StoredPictures
    private(set) var files: [String: Data] = [:]
    /// Paths of images whose files have gone or changed, in the order they were missed.
    private(set) var missing: [String] = []

    /// Of fewer images of a label or a group nothing is said: chance would decide what.
    static let fewestImages = 5

    init(_ store: Store, _ archive: ExplanationArchive, folder: String?, _ options: ReportOptions) throws {
        (self.store, self.archive, self.options) = (store, archive, options)
        images = try store.images()
        pictures = try StoredPictures(store, images: folder)
    }

    var description: StoreDescription { store.description }

    /// Labelled images whose label is a class, and that were answered.
    lazy var judged: [StoredImage] = {
        let classes = Set(description.classes)
        return images.filter { image in
            image.label.map(classes.contains) == true && image.predictedClass.map(description.classes.indices.contains) == true
        }
    }()

    func isRight(_ image: StoredImage) -> Bool { answer(image) == image.label }

    func answer(_ image: StoredImage) -> String? {
        image.predictedClass.flatMap { description.classes.indices.contains($0) ? description.classes[$0] : nil }
    }

    /// Keeps a picture under a name.
    func add(_ picture: Image, named name: String, alternative: String, caption: [String]) throws -> Gallery.Picture {
        let data = Data(try picture.pngData())
        let file = name + ".png"
        files[file] = data
        return Gallery.Picture(
            file: file, sha256: Data(SHA256.hash(data: data)).hexadecimal, width: picture.width, height: picture.height,
            alternative: alternative, caption: caption)
    }

    func missingPicture(_ path: String, caption: [String]) -> Gallery.Picture {
        if !missing.contains(path) { missing.append(path) }
        return Gallery.Picture(
            file: nil, sha256: nil, width: 96, height: 96, alternative: "The picture is missing: its file has gone or changed.",
            caption: caption)
    }

    /// A picture of a plan: the whole image with what a neuron saw outlined, or only that part.
    /// - Parameter side: of the longer side, in pixels.
    func picture(
        _ plan: SheetPlan.Picture, named name: String, isWhole: Bool, side: Int, alternative: String, caption: [String]
    ) throws -> Gallery.Picture {
        guard let stored = try store.image(id: plan.imageID), var image = pictures.picture(of: stored) else {
            return missingPicture(plan.path ?? "image \(plan.imageID)", caption: caption)
        }
        var seen: Rectangle?
        if let place = plan.place { seen = try source(place, image) }
        if let area = seen, !isWhole, !area.isEmpty {
            let pixels = area.pixels(in: Size(width: image.width, height: image.height))
            image = image.cropped(columns: pixels.columns, rows: pixels.rows)
            seen = nil
        }
        var shown = Self.fitted(image, side: side)
        if let area = seen, !area.isEmpty {
            let scale = Double(shown.width) / Double(image.width)
            shown.outline(
                Rectangle(x: area.x * scale, y: area.y * scale, width: area.width * scale, height: area.height * scale))
        }
        return try add(shown, named: name, alternative: alternative, caption: caption)
    }

    /// As large as `side`: very small pictures with their pixels, by a whole factor.
    static func fitted(_ image: Image, side: Int) -> Image {
        let longer = max(image.width, image.height)
        if longer * 2 <= side {
            let factor = side / longer
            return image.resized(width: image.width * factor, height: image.height * factor, interpolation: .nearest)
        }
        return image.resized(
            width: max(1, image.width * side / longer), height: max(1, image.height * side / longer), interpolation: .bicubic)
    }

    /// The receptive field of a place, in the pixels of the picture.
    private func source(_ place: SheetPlan.Place, _ picture: Image) throws -> Rectangle? {
        guard let layer = description.layers.first(where: { $0.name == place.layer }), layer.receptiveField != nil else {
            return nil
        }
        return field(of: layer, y: place.y, x: place.x, in: Size(width: picture.width, height: picture.height))
    }

    /// What a cell of a layer's map sees of a picture of `size`, in its pixels.
    func field(of layer: LayerRecord, y: Int, x: Int, in size: Size) -> Rectangle {
        layer.field(y: y, x: x, ofPicture: size, preparedBy: archive.preprocessing)
    }
}

extension Image {
    /// A white line of two pixels with a dark one on either side, so that it is seen on any picture.
    mutating func outline(_ box: Rectangle) {
        let (left, top) = (Int(box.x.rounded()), Int(box.y.rounded()))
        let (right, bottom) = (Int((box.x + box.width).rounded()) - 1, Int((box.y + box.height).rounded()) - 1)
        for inset in 0..<3 {
            let color: Color = inset == 1 ? .white : Color(hex: 0xC2185B)
            for x in left + inset...max(left + inset, right - inset) {
                set(x, top + inset, color)
                set(x, bottom - inset, color)
            }
            for y in top + inset...max(top + inset, bottom - inset) {
                set(left + inset, y, color)
                set(right - inset, y, color)
            }
        }
    }

    private mutating func set(_ x: Int, _ y: Int, _ color: Color) {
        if (0..<width).contains(x), (0..<height).contains(y) { self[x, y] = color }
    }
}
