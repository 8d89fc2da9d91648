import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import Pages
import Search
import Support
import Synchronization

/// Pictures of a store's images, and of what neurons saw of them, in the size that pages show; those made last are kept.
final class PictureShelf: Sendable {
    /// Of the square that a picture is fitted into, in pixels.
    static let sides = 32...1600
    private static let mostBytes = 64 << 20

    private let store: Store
    private let folder: String?
    private let preprocessing: Preprocessing
    /// Not in use.
    private let readers = Mutex<[PictureReader]>([])
    private let kept = Mutex<Kept>(Kept())

    private struct Kept {
        var pictures: [String: Data] = [:]
        var bytes = 0
    }

    init(_ store: Store, folder: String?) throws {
        (self.store, self.folder) = (store, folder)
        preprocessing = try store.preprocessing()
        let first = PictureReader(pictures: try StoredPictures(store, images: folder))
        readers.withLock { $0.append(first) }
    }

    /// A cell of a layer's map.
    struct Place: Hashable {
        var layer: String
        var y: Int
        var x: Int
    }

    /// The part of an image that a cell sees, in pixels of the upright picture; nil for a layer that the store does not have.
    func source(_ place: Place, _ image: StoredImage) -> Rectangle? {
        guard let layer = store.description.layers.first(where: { $0.name == place.layer }) else { return nil }
        let size = Size(width: image.width, height: image.height)
        return layer.field(y: place.y, x: place.x, ofPicture: size, preparedBy: preprocessing)
    }

    /// Whether an image's file is not where it was, so that its thumbnail is shown. What is in the file is not looked at.
    func isGone(_ image: StoredImage) -> Bool { (try? reading { $0.pictures.isGone(image) }) ?? false }

    /// For a question that looks at pictures; of a reader of its own.
    func given() throws -> GivenPictures { try StoredPictures(store, images: folder).given }

    private func reading<T>(_ body: (PictureReader) throws -> T) throws -> T {
        let free = readers.withLock { $0.popLast() }
        let reader = try free ?? PictureReader(pictures: StoredPictures(store, images: folder))
        defer { readers.withLock { $0.append(reader) } }
        return try body(reader)
    }

    /// The longer side that a picture is decoded to, so that its part is `side` pixels long.
    private static func decoded(_ side: Int, _ area: Rectangle?, of image: StoredImage) -> Int {
        guard let area, !area.isEmpty else { return side }
        let share = max(area.width, area.height) / Double(max(image.width, image.height))
        return Int((Double(side) / max(share, 0.01)).rounded(.up))
    }

    /// Whether a picture is sent as a JPEG, a tenth of a PNG's bytes: where it was one, or is a thumbnail. Others stay as exact as they are.
    func isPhotograph(_ image: StoredImage) -> Bool {
        let name = image.path.lowercased()
        return name.hasSuffix(".jpg") || name.hasSuffix(".jpeg") || isGone(image)
    }

    /// Says what a picture is made of, and tells it from all others.
    func key(_ cells: [(image: StoredImage, place: Place?)], side: Int) -> String {
        let texts = cells.map { image, place in
            let cell = place.map { "\($0.layer):\($0.y):\($0.x)" } ?? ""
            return "\(isGone(image) ? "gone " : "")\(image.sha256.hexadecimal) \(cell)"
        }
        return SHA256.hash(data: Data("4 \(side) \(texts)".utf8)).prefix(16).hexadecimal
    }

    /// A JPEG or a PNG: see ``isPhotograph(_:)``.
    /// - Throws: ``Refusal`` where the file has gone, or is not what was indexed, and there is no thumbnail.
    func data(of image: StoredImage, _ place: Place?, side: Int, key: String) throws -> Data {
        if let data = kept.withLock({ $0.pictures[key] }) { return data }
        guard let picture = try seen(image, place, side: side) else { throw Self.gone(image) }
        let scale = min(1, Double(side) / Double(max(picture.width, picture.height)))
        return try keep(Self.scaled(picture, by: scale), asPhotograph: isPhotograph(image), key: key)
    }

    /// What is seen of images at cells of a map, side by side in squares, from the left: one picture for a row of a page. Where nothing can be
    /// shown, and beside what is not square, it is grey.
    /// - Throws: ``Refusal`` where nothing of any of them can be shown.
    func strip(_ cells: [(image: StoredImage, place: Place)], side: Int, squares: Int, key: String) throws -> Data {
        if let data = kept.withLock({ $0.pictures[key] }) { return data }
        var strip = Image(width: side * squares, height: side, fill: ShownPicture.ground)
        var isEmpty = true
        for (index, cell) in cells.prefix(squares).enumerated() {
            guard let picture = try seen(cell.image, cell.place, side: side) else { continue }
            isEmpty = false
            let fitted = Self.scaled(picture, by: Double(side) / Double(max(picture.width, picture.height)))
            strip.blit(fitted, x: index * side + (side - fitted.width) / 2, y: (side - fitted.height) / 2)
        }
        if isEmpty, let first = cells.first { throw Self.gone(first.image) }
        return try keep(strip, asPhotograph: cells.allSatisfy { isPhotograph($0.image) }, key: key)
    }

    /// The part of an image that a cell sees, or all of it, about as large as it is shown; nil where there is neither file nor thumbnail.
    private func seen(_ image: StoredImage, _ place: Place?, side: Int) throws -> Image? {
        let area = place.flatMap { source($0, image) }
        let shown = try reading { $0.pictures.shown(image, atLeast: Self.decoded(side, area, of: image)) }
        guard let shown else { return nil }
        if let area, !area.isEmpty { return shown.cropped(to: area) }
        return shown.picture
    }

    private static func scaled(_ picture: Image, by scale: Double) -> Image {
        picture.resized(
            width: max(1, Int((Double(picture.width) * scale).rounded())),
            height: max(1, Int((Double(picture.height) * scale).rounded())))
    }

    private static func gone(_ image: StoredImage) -> Refusal {
        Refusal(
            sentence:
                "the file of \(image.path) has gone, or is not what was indexed, and the store has no thumbnail of it; serve with --images FOLDER where it is now",
            status: .notFound)
    }

    private func keep(_ picture: Image, asPhotograph isPhotograph: Bool, key: String) throws -> Data {
        let data = Data(try isPhotograph ? picture.jpegData(quality: 90) : picture.pngData())
        kept.withLock { kept in
            if kept.bytes + data.count > Self.mostBytes { kept = Kept() }
            kept.pictures[key] = data
            kept.bytes += data.count
        }
        return data
    }
}

/// Reads pictures, for one thread at a time.
private struct PictureReader: @unchecked Sendable {
    let pictures: StoredPictures
}

extension Explorer {
    /// `/picture/ID`, an image of the store by its id; `layer`, `y` and `x` name a cell that it is cropped to.
    /// - Returns: nil for other addresses.
    func picture(_ address: Address) throws -> Response? {
        if address.path == [Strip.path] { return try strip(address) }
        guard address.path.first == "picture", address.path.count == 2 else { return nil }
        guard let id = Int(address.path[1]), let image = try store.image(id: id) else {
            throw Refusal(sentence: "the store has no image with the id '\(address.path[1])'", status: .notFound)
        }
        guard let side = Int(address["size"] ?? "320"), PictureShelf.sides.contains(side) else {
            throw Refusal(sentence: "size is 32 to 1600 pixels")
        }
        var place: PictureShelf.Place?
        if let layer = address["layer"] {
            place = try cell(of: layer, y: address["y"], x: address["x"])
        }
        let key = pictures.key([(image, place)], side: side)
        let data = try pictures.data(of: image, place, side: side, key: key)
        return Self.response(data, key, isPhotograph: pictures.isPhotograph(image))
    }

    /// - Throws: ``Refusal`` where a layer has no such cell.
    func cell(of layer: String, y: String?, x: String?) throws -> PictureShelf.Place {
        let record = store.description.layers.first { $0.name == layer }
        guard let record, let y = Int(y ?? ""), let x = Int(x ?? ""), (0..<record.height).contains(y),
            (0..<record.width).contains(x)
        else { throw Refusal(sentence: "layer, y and x name a cell of a layer's map") }
        return PictureShelf.Place(layer: layer, y: y, x: x)
    }

    static func response(_ picture: Data, _ key: String, isPhotograph: Bool) -> Response {
        Response(
            type: isPhotograph ? "image/jpeg" : "image/png", body: picture,
            headers: ["ETag": "\"\(key)\"", "Cache-Control": "private, max-age=3600"])
    }

    /// How the file of a picture is named.
    func pictureEnding(_ address: Address) -> String {
        if address.path == [Strip.path] {
            let images = (try? Strip(address, in: self))?.cells.map(\.image) ?? []
            return images.allSatisfy { pictures.isPhotograph($0) } ? "jpg" : "png"
        }
        if address.path.last?.hasSuffix(".png") == true { return "png" }
        let image = address.path.last.flatMap { Int($0) }.flatMap { try? store.image(id: $0) }
        return image.map { pictures.isPhotograph($0) } ?? true ? "jpg" : "png"
    }

    static func address(ofPicture id: Int, size: Int, _ place: PictureShelf.Place? = nil) -> Address {
        let cell = place.map { [("layer", $0.layer), ("y", "\($0.y)"), ("x", "\($0.x)")] } ?? []
        return Address(path: ["picture", "\(id)"], query: (cell + [("size", "\(size)")]).map { Address.Field($0.0, $0.1) })
    }
}
