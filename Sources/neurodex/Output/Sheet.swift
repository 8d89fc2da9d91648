import ActivationStore
import ArgumentParser
import Explanations
import Images
import Search
import Support

/// A contact sheet that is drawn.
struct Sheet {
    var page: Page
    var images: [StoredImage]
    /// Paths of images that could not be drawn: the file has gone or changed.
    var missing: [String]
    /// Paths of images that were drawn from the store's thumbnails, for the same reason.
    var thumbnails: [String] = []
    /// Why the network could not be had, that parts of images would have been drawn dark by.
    var refusal: (any Error)?
    /// What else has to be said.
    var remarks: [Remark] = []
    /// What was drawn, a line a row.
    var titles: [String]

    /// With the arguments that draw it again.
    func figure(
        command: String, options: [String], operands: [String], model: String, facts: [(name: String, value: String)] = []
    ) -> FigureFile {
        let provenance = Provenance(
            command: command, options: options, operands: operands, model: model,
            images: images.map { ($0.path, $0.sha256.hexadecimal) }, facts: facts + [("rows", titles.joined(separator: "\n"))],
            toolVersion: Neurodex.version)
        return FigureFile(page: page, provenance: provenance)
    }

    /// Says on standard error what is not drawn; the status is 2 then.
    func reportMissing() throws {
        print(remarks)
        if let first = thumbnails.first {
            printNote(
                "\(thumbnails.count) of \(images.count) pictures are the store's thumbnails, as their files have gone or changed, such as \(first); --images FOLDER says where they are now"
            )
        }
        if let refusal {
            printNote("drawn plain, not dark where neurons are silent: \(refusal); --plain asks for no network")
        }
        guard !missing.isEmpty else { return }
        for path in missing.prefix(10) { printNote("not drawn, the file has gone or changed: \(path)") }
        printNote(gap + "; the sheet is without them")
        throw ExitCode.someSkipped
    }

    /// - Throws: `Failure` where no picture is there: a sheet of none is not drawn.
    func refuseEmpty() throws {
        if !missing.isEmpty, missing.count >= images.count { throw Failure(gap + "; no sheet was drawn") }
    }

    /// - Throws: `Failure` where a picture or the network is not there, so that the sheet cannot be compared with what it was.
    func refuseGaps() throws {
        if !missing.isEmpty || !thumbnails.isEmpty { throw Failure(gap) }
        if let refusal { throw refusal }
    }

    private var gap: String {
        let missing = missing + thumbnails
        return
            "\(missing.count) of \(images.count) images have gone or changed, such as \(missing.prefix(3).joined(separator: ", ")): put them back, or say where they are now with --images FOLDER"
    }
}
