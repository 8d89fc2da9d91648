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
    /// Of neurodex, for the picture's record.
    let command: String
    var rows: [Row]

    private static let largestCount = 2000

    /// Writes the sheet as a PNG. Images whose files have gone are said on standard error, and the status is 2.
    func write(to path: String) throws {
        let count = rows.reduce(0) { $0 + $1.images.count }
        guard count <= Self.largestCount else {
            throw Failure("a sheet of \(count) images is too large to draw; give a smaller -k")
        }
        var missing: [String] = []
        let reader = ImageReader()
        let drawn = try rows.map { row in
            ContactSheet.Row(
                title: row.title,
                cells: try row.images.compactMap { picture in
                    guard let stored = try store.image(id: picture.id) else { return nil }
                    let caption = [
                        picture.note + (picture.label.map { "  \($0)" } ?? ""), (stored.path as NSString).lastPathComponent,
                    ]
                    guard let image = try? reader.decode(contentsOf: stored.path), image.width == stored.width,
                        image.height == stored.height
                    else {
                        missing.append(stored.path)
                        return ContactSheet.Cell(
                            image: Image(width: 32, height: 32, fill: Color(hex: 0xDDDDDD)),
                            caption: ["(not there)", stored.path])
                    }
                    return ContactSheet.Cell(image: image, caption: caption)
                })
        }
        try writePicture(
            ContactSheet(title: nil, rows: drawn).rendered(), to: path,
            text: [
                ("neurodex:command", command), ("neurodex:model", store.description.model.sha256),
                ("neurodex:store", (store.path as NSString).lastPathComponent),
                ("neurodex:rows", rows.map(\.title).joined(separator: "\n")),
            ])
        for path in missing.prefix(10) { printNote("not drawn, the file has gone or changed: \(path)") }
        if !missing.isEmpty { throw ExitCode.someSkipped }
    }
}

/// Writes a PNG with what made it.
func writePicture(_ image: Image, to path: String, text: [(String, String)]) throws {
    do {
        try Data(try image.pngData(text: [("Software", "neurodex \(Neurodex.version)")] + text)).write(
            to: URL(fileURLWithPath: path))
    } catch let error as ImageError {
        throw error.named(path)
    } catch {
        throw Failure("cannot write '\(path)': \((error as NSError).localizedDescription)")
    }
}

/// Four digits, for captions.
func shortNumber(_ value: Double) -> String { String(format: "%.4g", value) }
