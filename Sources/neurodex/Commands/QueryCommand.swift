import ActivationStore
import ArgumentParser
import Explanations
package import Foundation
import Images
import Search
import Support

/// The command that a question becomes.
enum QueryCommands {
    static func command<Q: Query>(for query: Q.Type) -> any ParsableCommand.Type {
        if query is SQLQuery.Type { return SQLCommand.self }
        if case .crops = query.figureKind { return command(query, ModelOption.self) }
        return query is any ImageQuery.Type ? command(query, ModelOption.self) : command(query, NoModel.self)
    }

    private static func command<Q: Query, M: ModelOptions>(_: Q.Type, _: M.Type) -> any ParsableCommand.Type {
        switch Q.figureKind {
        case nil: QueryCommand<Q, NoDrawing, M>.self
        case .sheet: QueryCommand<Q, SheetOptions, M>.self
        case .crops: QueryCommand<Q, CropSheetOptions, M>.self
        case .chart: QueryCommand<Q, ChartOptions, M>.self
        }
    }
}

/// A command that answers a question, as text and as a picture.
package protocol AnsweringCommand {
    /// Where images that have moved are now.
    var imagesFolder: String? { get set }
    /// What it prints, in its format.
    func text() throws -> String
    /// A PNG, which names the arguments that draw it again.
    func png() throws -> Data
}

/// Asks a store a question, prints the answer in any format, and draws it.
struct QueryCommand<Q: Query, Drawing: DrawingOptions, Model: ModelOptions>: FigureCommand, AnsweringCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: Q.name, abstract: Q.abstract,
            usage: (["neurodex", Q.name, "<store>", Q.usage, "[<options>]"].filter { !$0.isEmpty }).joined(separator: " "),
            discussion: Q.discussion)
    }

    @Argument(help: "The store.", completion: .file())
    var store: String

    @OptionGroup var query: Q
    @OptionGroup var output: FormatOption
    @OptionGroup var drawing: Drawing
    @OptionGroup var network: Model

    var model: String? {
        get { network.model }
        set { network.model = newValue }
    }

    package var imagesFolder: String? {
        get { drawing.images }
        set { drawing.images = newValue }
    }

    /// Of sheets alone: a question that is not drawn runs the network on one image at most.
    func passes() -> Int { drawing.shade?.shade == .dark ? SheetDrawing.mostImages : 1 }

    func validate() throws {
        do {
            try query.check(isDrawn: drawing.file != nil)
        } catch let error as QueryError {
            throw ValidationError(error.description)
        }
    }

    func run() throws {
        try OutputFile.check(drawing.file)
        // A sheet that is drawn again is named nowhere: this is no matter of parsing.
        guard !drawing.whole || drawing.file != nil else {
            throw ValidationError("--whole says how --sheet draws; name the sheet with --sheet FILE")
        }
        guard drawing.size == nil || drawing.file != nil else {
            throw ValidationError("--size says how large --sheet draws; name the sheet with --sheet FILE")
        }
        let store = try Store.open(path: store)
        let report = try listed(try located(in: store), from: store)
        print(report.remarks)
        guard let path = drawing.file?.path else { return }
        guard let figure = try drawn(report, from: store) else { return printNote("nothing was found, so no sheet was drawn") }
        try figure.sheet?.refuseEmpty()
        try write(file(of: figure, from: store), to: path)
        try figure.sheet?.reportMissing()
    }

    package func text() throws -> String {
        let store = try Store.open(path: store)
        return try located(in: store).report(from: store).listing.rendered(as: output.format)
    }

    /// Prints the listing, part by part where it may be long.
    private func listed(_ query: Q, from store: Store) throws -> Report {
        let path = drawing.file?.path
        if path != "-", let streamed = query as? any StreamedQuery {
            var listing = PartialListing(as: output.format)
            let room = path == nil ? 0 : SheetDrawing.mostImages + 1
            if let report = try streamed.report(from: store, keeping: room, part: { try listing.add($0) }) {
                try listing.finish(empty: report.listing)
                return report
            }
        }
        let report = try query.report(from: store)
        printListing(try report.listing.rendered(as: output.format), besides: path)
        return report
    }

    /// The question with the activations of its image, if the store does not have it, or with pictures, if it looks at them.
    private func located(in store: Store) throws -> Q {
        func located(_ query: some ImageQuery) throws -> any ImageQuery {
            var query = query
            query.given = try OutsideImage.activations(&query.image, store: store, model: network.model)
            return query
        }
        guard let asked = query as? any ImageQuery, let found = try located(asked) as? Q else {
            return try query.looking { try StoredPictures(store, images: drawing.images).given }
        }
        return found
    }
}

extension QueryCommand {
    private enum DrawnFigure {
        case sheet(Sheet)
        case chart(Page)

        var sheet: Sheet? {
            guard case .sheet(let sheet) = self else { return nil }
            return sheet
        }
    }

    func figure() throws -> FigureFile {
        let store = try Store.open(path: store)
        guard let figure = try drawn(located(in: store).report(from: store), from: store) else {
            throw Failure("nothing is found now that could be drawn")
        }
        try figure.sheet?.refuseGaps()
        return file(of: figure, from: store)
    }

    package func png() throws -> Data { try figure().data(as: .png) }

    private func drawn(_ report: Report, from store: Store) throws -> DrawnFigure? {
        switch try report.figure() {
        case nil: return nil
        case .histogram(let histogram): return .chart(HistogramPicture(histogram: histogram).page())
        case .sheet(var plan):
            let remarks = drawing.writesFormulas == true ? try plan.addFormulas(in: store) : []
            var sheets = try SheetDrawing(store: store, images: drawing.images)
            if drawing.shade?.shade == .dark { sheets.light = .network(model: network.model) }
            guard var sheet = try sheets.draw(plan, whole: drawing.whole, size: drawing.size) else { return nil }
            sheet.remarks = remarks
            return .sheet(sheet)
        }
    }

    private func file(of figure: DrawnFigure, from store: Store) -> FigureFile {
        let options =
            query.options + Spelling.flag("--whole", drawing.whole)
            + (figure.sheet.flatMap { drawing.shade?.arguments(of: $0) } ?? [])
            + (drawing.writesFormulas.map { ["--\($0 ? "" : "no-")formulas"] } ?? [])
            + Spelling.option("--size", drawing.size.map { "\($0)" })
        let (operands, model) = ([self.store] + query.operands, store.description.model.sha256)
        switch figure {
        case .sheet(let sheet): return sheet.figure(command: Q.name, options: options, operands: operands, model: model)
        case .chart(let page):
            let provenance = Provenance(
                command: Q.name, options: options, operands: operands, model: model, toolVersion: Neurodex.version)
            return FigureFile(page: page, provenance: provenance)
        }
    }
}
