import ActivationStore
import ArgumentParser
import Foundation
import Search

struct TopCommand: SheetCommand {
    static let configuration = CommandConfiguration(
        commandName: TopQuery.name,
        abstract: TopQuery.abstract,
        usage: "neurodex top <store> <neurons> ... [<options>]",
        discussion: """
            Examples:

              neurodex top shop.sqlite conv4:17 -k 9 --sheet top.png
              neurodex top shop.sqlite class:cat --where "label <> 'cat'"
              neurodex top shop.sqlite conv4 -k 1 --format csv
              neurodex top shop.sqlite conv4:3 --from decile -k 4 --sheet spread.png
              neurodex top shop.sqlite conv4:3 conv4:17 --by sum

            With --by, images are ranked by what all the named neurons come to together, and drawn whole. --distinct tells images \
            apart by the last layer before the class scores: they are nearly the same if they differ there by a tenth of their length.
            --sheet draws the part of each image that the neuron saw where it was strongest: the receptive field of its maximum.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @OptionGroup var query: TopQuery

    @Option(help: ArgumentHelp("Rank images by the neurons together.", valueName: "sum|mean|min|max|l2"))
    var by: Combination?

    @OptionGroup var output: FormatOption

    @Option(help: ArgumentHelp("Draw the images on a contact sheet, a PNG.", valueName: "file"), completion: .file())
    var sheet: String?

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var imagesFolder: String?

    @Flag(help: "With --sheet: whole images, with the receptive field outlined.")
    var whole = false

    func validate() throws {
        do {
            _ = try query.checkedChoice()
        } catch let error as QueryError {
            throw ValidationError(error.description)
        }
    }

    func validateSheet() throws {
        guard !whole || sheet != nil else {
            throw ValidationError("--whole says how --sheet draws; name the sheet with --sheet FILE")
        }
    }

    var condition: String? { query.condition }

    var arguments: (options: [String], operands: [String]) {
        (query.options + Spelling.option("--by", by?.rawValue) + Spelling.flag("--whole", whole), query.neurons)
    }

    enum Answer {
        case each([TopQuery.Hit])
        case together(Combination, [GroupQuery.Hit])
    }

    func answer(from store: Store) throws -> Answer {
        guard let by else { return .each(try query.run(in: store)) }
        return .together(by, try GroupQuery(by: by, options: query).run(in: store))
    }

    /// Neurons one by one are listed as they are found, in any number; a sheet has room for some only.
    func listed(from store: Store) throws -> Answer {
        guard by == nil, sheet != "-" else {
            let answer = try answer(from: store)
            printListing(try listing(answer).rendered(as: output.format), besides: sheet)
            return answer
        }
        var listing = PartialListing(as: output.format)
        // One is kept to tell an answer from none.
        let room = sheet == nil ? 1 : TopSheet.mostImages + 1
        var drawn: [TopQuery.Hit] = []
        try query.visit(store) { hits in
            for start in stride(from: 0, to: hits.count, by: 4096) {
                try listing.add(TopTable(hits: Array(hits[start..<min(start + 4096, hits.count)])))
            }
            drawn += hits.prefix(room - drawn.count)
        }
        try listing.finish(empty: TopTable(hits: []))
        return .each(drawn)
    }

    func listing(_ answer: Answer) -> any Printable {
        switch answer {
        case .each(let hits): TopTable(hits: hits)
        case .together(_, let hits): GroupTable(hits: hits)
        }
    }

    func remarks(_ answer: Answer, from store: Store) throws -> [Remark] {
        switch answer {
        case .each(let hits) where hits.isEmpty: [try query.reasonForNothing(in: store)]
        case .together(_, let hits) where hits.isEmpty: [try query.reasonForNothing(in: store)]
        default: []
        }
    }

    func drawn(_ answer: Answer, from store: Store) throws -> Sheet? {
        switch answer {
        case .each(let hits): return try TopSheet(store: store, images: imagesFolder, whole: whole).draw(hits)
        case .together(let combination, let hits):
            let name = "\(combination.rawValue) of \(query.neurons.joined(separator: ", "))"
            var rows: [ImageSheet.Row] = []
            for hit in hits {
                if hit.rank == 1 { rows.append(ImageSheet.Row(title: hit.decile.map { "\(name), tenth \($0)" } ?? name)) }
                rows[rows.count - 1].images.append(
                    ImageSheet.Picture(id: hit.imageID, note: shortNumber(hit.value), label: hit.label))
            }
            return try ImageSheet(store: store, images: imagesFolder, rows: rows).drawn()
        }
    }
}

struct GroupTable: Printable {
    var hits: [GroupQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    private var hasDeciles: Bool { hits.contains { $0.decile != nil } }

    var table: TextTable {
        TextTable(
            columns: (hasDeciles ? ["tenth"] : []) + ["rank", "value", "image", "label"], shortened: ["image", "label"],
            rows: hits.map { hit in
                (hit.decile.map { [.value($0)] } ?? [])
                    + [.value(hit.rank), .value(hit.value), .text(hit.image), .optional(hit.label)]
            })
    }

    var fields: [[String]] {
        [["rank", "image", "image_id", "label", "value"] + (hasDeciles ? ["decile"] : [])]
            + hits.map { hit in
                ["\(hit.rank)", hit.image, "\(hit.imageID)", hit.label ?? "", "\(hit.value)"]
                    + (hit.decile.map { ["\($0)"] } ?? [])
            }
    }
}

struct TopTable: Printable {
    var hits: [TopQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    private var hasDeciles: Bool { hits.contains { $0.decile != nil } }

    var table: TextTable {
        TextTable(
            columns: ["neuron"] + (hasDeciles ? ["tenth"] : []) + ["rank", "value", "image", "label", "y", "x"],
            shortened: ["neuron", "image", "label"],
            rows: hits.map { hit in
                [.text("\(hit.layer):\(hit.channel)")] + (hit.decile.map { [.value($0)] } ?? [])
                    + [
                        .value(hit.rank), .value(hit.value), .text(hit.image), .optional(hit.label), .value(hit.y), .value(hit.x),
                    ]
            })
    }

    var fields: [[String]] {
        [["layer", "channel", "rank", "image", "image_id", "label", "value", "y", "x"] + (hasDeciles ? ["decile"] : [])]
            + hits.map { hit in
                [
                    hit.layer, "\(hit.channel)", "\(hit.rank)", hit.image, "\(hit.imageID)", hit.label ?? "", "\(hit.value)",
                    "\(hit.y)", "\(hit.x)",
                ] + (hit.decile.map { ["\($0)"] } ?? [])
            }
    }
}
