import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Search
import Support

/// A command that lists what a question found, and with `--sheet` draws it.
protocol SheetCommand: FigureCommand {
    associatedtype Answer

    var output: FormatOption { get }
    /// Where the sheet goes.
    var sheet: String? { get }
    /// The options that draw the sheet again, defaults spelt out, and what is said after the store.
    var arguments: (options: [String], operands: [String]) { get }
    /// Of the images, if there is one.
    var condition: String? { get }

    /// Refuses what cannot be asked of a sheet on the command line; a sheet that is drawn again is named there no more.
    func validateSheet() throws
    func answer(from store: Store) throws -> Answer
    func listing(_ answer: Answer) -> any Printable
    /// What has to be said beside the list.
    func remarks(_ answer: Answer, from store: Store) throws -> [Remark]
    /// Prints the listing, and gives back what a sheet is drawn of.
    func listed(from store: Store) throws -> Answer
    /// Nil where there is nothing to draw.
    func drawn(_ answer: Answer, from store: Store) throws -> Sheet?
}

/// A contact sheet of images of a store.
struct Sheet {
    var page: Page
    var images: [StoredImage]
    /// Paths of images that could not be drawn: the file has gone or changed.
    var missing: [String]
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
        guard !missing.isEmpty else { return }
        for path in missing.prefix(10) { printNote("not drawn, the file has gone or changed: \(path)") }
        printNote(gap + "; the sheet is without them")
        throw ExitCode.someSkipped
    }

    /// - Throws: `Failure` where no picture is there: a sheet of none is not drawn.
    func refuseEmpty() throws {
        if !missing.isEmpty, missing.count >= images.count { throw Failure(gap + "; no sheet was drawn") }
    }

    /// - Throws: `Failure` where a picture is not there, so that the sheet cannot be compared with what it was.
    func refuseGaps() throws { if !missing.isEmpty { throw Failure(gap) } }

    private var gap: String {
        "\(missing.count) of \(images.count) images have gone or changed, such as \(missing.prefix(3).joined(separator: ", ")): put them back, or say where they are now with --images FOLDER"
    }
}

extension Store {
    /// Says on standard error why there is no answer, where no image meets the condition; false where one does.
    @discardableResult
    func note(emptySelection condition: String) throws -> Bool {
        guard let empty = try emptySelection(where: condition) else { return false }
        printNote("\(empty)")
        return true
    }
}

extension SheetCommand {
    var condition: String? { nil }

    func validateSheet() {}

    func listed(from store: Store) throws -> Answer {
        let answer = try answer(from: store)
        printListing(try listing(answer).rendered(as: output.format), besides: sheet)
        return answer
    }

    func remarks(_ answer: Answer, from store: Store) throws -> [Remark] { [] }

    func run() throws {
        try OutputFile.check(OutputFile("--sheet", sheet, .picture))
        try validateSheet()
        let store = try Store.open(path: store)
        let answer = try listed(from: store)
        let isSelectionEmpty = try condition.map { try store.note(emptySelection: $0) } ?? false
        if !isSelectionEmpty { print(try remarks(answer, from: store)) }
        guard let path = sheet else { return }
        guard let sheet = try drawn(answer, from: store) else { return printNote("nothing was found, so no sheet was drawn") }
        try sheet.refuseEmpty()
        try write(figure(of: sheet, from: store), to: path)
        try sheet.reportMissing()
    }

    func figure() throws -> FigureFile {
        let store = try Store.open(path: store)
        guard let sheet = try drawn(try answer(from: store), from: store) else {
            throw Failure("nothing is found now that could be drawn")
        }
        try sheet.refuseGaps()
        return figure(of: sheet, from: store)
    }

    private func figure(of sheet: Sheet, from store: Store) -> FigureFile {
        sheet.figure(
            command: Self._commandName, options: arguments.options, operands: [self.store] + arguments.operands,
            model: store.description.model.sha256)
    }
}
