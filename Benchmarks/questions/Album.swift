import ActivationStore
import Foundation
import Images
import Indexing
import Support

/// Photographs that stand for many: each image of a store is a link to one of them, by a name of its own.
struct Album {
    private struct Photo {
        var path: String
        var bytes: Int
        var sha256: Data
        var size: Size
        var thumbnail: Thumbnail
    }

    private let folder: String
    private let photos: [Photo]

    /// - Parameters:
    ///   - source: a folder of JPEGs.
    ///   - store: beside which the links are made.
    init(_ source: String, beside store: String, framing: Framing) throws {
        folder = store + ".photos"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let reader = ImageReader()
        let names = try FileManager.default.contentsOfDirectory(atPath: source).sorted()
        photos = try names.compactMap { name in
            guard ["jpg", "jpeg"].contains((name as NSString).pathExtension.lowercased()) else { return nil }
            let path = source + "/" + name
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            let framed = try reader.read(contentsOf: path, framing: framing)
            return Photo(
                path: path, bytes: data.count, sha256: Data(SHA256.hash(data: data)), size: framed.placement.source,
                thumbnail: try Thumbnail(of: framed.image, side: Thumbnail.defaultSide))
        }
        precondition(!photos.isEmpty, "there is no JPEG in \(source)")
    }

    /// Makes an image one of the photographs.
    func place(_ index: Int, in record: inout ImageRecord) throws {
        let photo = photos[index % photos.count]
        record.path = "\(folder)/\(index).jpg"
        if access(record.path, F_OK) != 0 {
            try FileManager.default.createSymbolicLink(atPath: record.path, withDestinationPath: photo.path)
        }
        (record.bytes, record.sha256, record.thumbnail) = (photo.bytes, photo.sha256, photo.thumbnail)
        (record.width, record.height) = (photo.size.width, photo.size.height)
    }
}
