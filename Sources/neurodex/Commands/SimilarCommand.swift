import ActivationStore
import ArgumentParser
import Search

struct SimilarCommand: SheetCommand {
    static let configuration = CommandConfiguration(
        commandName: SimilarQuery.name,
        abstract: SimilarQuery.abstract,
        usage: "neurodex similar <store> <image> [<options>]",
        discussion: """
            Examples:

              neurodex similar shop.sqlite cat-43.jpg -k 8 --sheet similar.png
              neurodex similar shop.sqlite 12 --layer conv4 --where "label <> 'cat'"

            IMAGE is a path or an id of the store, or any other file, on which the network is then run once.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @OptionGroup var query: SimilarQuery
    @OptionGroup var output: FormatOption

    @Option(help: ArgumentHelp("Draw the images on a contact sheet, a PNG.", valueName: "file"), completion: .file())
    var sheet: String?

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var imagesFolder: String?

    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"), completion: .file())
    var model: String?

    func validate() throws {
        guard query.count >= 1 else { throw ValidationError(QueryError.wrongCount(query.count).description) }
    }

    var condition: String? { query.condition }

    var arguments: (options: [String], operands: [String]) { (query.options, [query.image]) }

    struct Answer {
        /// As the question was asked in the end.
        var query: SimilarQuery
        var hits: [SimilarQuery.Hit]
    }

    func answer(from store: Store) throws -> Answer {
        var query = query
        query.given = try OutsideImage.activations(&query.image, store: store, model: model)
        let found = try query.found(in: store)
        if found.isInfinite {
            printNote("an activation of \(query.image) is infinite, so every image is infinitely far from it, or at no distance")
        }
        report(
            found.unlisted,
            "cannot be compared, as activations are NaN, infinite or, for the cosine, all zero, and are not listed")
        report(found.infinite, "are infinitely far, as an activation is infinite, and come last")
        return Answer(query: query, hits: found.hits)
    }

    private func report(_ images: Int, _ what: String) {
        if images > 0 { printNote("images that \(what): \(images)") }
    }

    func listing(_ answer: Answer) -> any Printable { SimilarTable(hits: answer.hits) }

    func remarks(_ answer: Answer, from store: Store) throws -> [Remark] {
        answer.hits.isEmpty ? [try answer.query.reasonForNothing(in: store)] : []
    }

    func drawn(_ answer: Answer, from store: Store) throws -> Sheet? {
        var row = ImageSheet.Row(title: "nearest to \(answer.query.image)")
        if answer.query.given == nil, let own = try? store.image(named: answer.query.image) {
            row.images.append(ImageSheet.Picture(id: own.id, note: "itself", label: own.label))
        }
        row.images += answer.hits.map { ImageSheet.Picture(id: $0.imageID, note: shortNumber($0.distance), label: $0.label) }
        return try ImageSheet(store: store, images: imagesFolder, rows: [row]).drawn()
    }
}

struct SimilarTable: Printable {
    var hits: [SimilarQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["rank", "distance", "image", "label"], shortened: ["image", "label"],
            rows: hits.map { [.value($0.rank), .value($0.distance), .text($0.image), .optional($0.label)] })
    }

    var fields: [[String]] {
        [["rank", "image", "image_id", "label", "distance"]]
            + hits.map { ["\($0.rank)", $0.image, "\($0.imageID)", $0.label ?? "", "\($0.distance)"] }
    }
}
