import ActivationStore
import ArgumentParser
import Foundation
import Images

/// A contact sheet of whole images of a store.
struct ImageSheet {
    struct Picture {
        var id: Int
        /// Said first under the picture.
        var note: String
        var label: String?
    }

    struct Row {
        var title: String
        var images: [Picture] = []
    }

    let store: Store
    /// Where images that have moved are now.
    let images: String?
    var rows: [Row]

    private static let largestCount = 2000

    /// Nil where there are no images.
    func drawn() throws -> Sheet? {
        let count = rows.reduce(0) { $0 + $1.images.count }
        guard count > 0 else { return nil }
        guard count <= Self.largestCount else {
            throw Failure("a sheet of \(count) images is too large to draw; give a smaller -k")
        }
        var (images, missing): ([StoredImage], [String]) = ([], [])
        let pictures = try StoredPictures(store, images: self.images)
        let drawn = try rows.map { row in
            ContactSheet.Row(
                title: row.title,
                cells: try row.images.compactMap { picture in
                    guard let stored = try store.image(id: picture.id) else { return nil }
                    images.append(stored)
                    let caption = [
                        picture.note + (picture.label.map { "  \($0)" } ?? ""), (stored.path as NSString).lastPathComponent,
                    ]
                    guard let image = pictures.picture(of: stored) else {
                        missing.append(stored.path)
                        return nil
                    }
                    return ContactSheet.Cell(image: image, caption: caption)
                })
        }
        return Sheet(
            page: ContactSheet(title: nil, rows: drawn).page(), images: images, missing: missing, titles: rows.map(\.title))
    }
}

/// Four digits, for captions.
func shortNumber(_ value: Double) -> String { String(format: "%.4g", value) }
