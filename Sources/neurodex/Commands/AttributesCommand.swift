import ActivationStore
import ArgumentParser
import Foundation
import Indexing
import Search
import Support

struct AttributesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attributes",
        abstract: "Say more of a store's images than their label, to be asked for in every --where.",
        discussion: """
            Examples:

              neurodex attributes shop.sqlite --import scenes.csv
              neurodex attributes shop.sqlite --import instances_val2017.json
              neurodex attributes shop.sqlite --folders
              neurodex attributes shop.sqlite --set wet --where "path LIKE '%rain%'"
              neurodex attributes shop.sqlite
              neurodex attributes shop.sqlite --remove wet

            A table has a column of files and one for each attribute (0 and 1, yes and no, or numbers), or the columns image, attribute and perhaps value. Of COCO JSON \
            every category is an attribute, and CATEGORY_area the share of the image that it takes. An attribute that is given again replaces the one of its name. \
            In conditions: has('wet'), attribute('age') > 40, or age > 40 where no column of images has the name. Of images of which nothing is said, has is neither true nor false.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Option(
        name: .customLong("import"), help: ArgumentHelp("A table (CSV, TSV), or COCO JSON.", valueName: "file"),
        completion: .file(extensions: ["csv", "tsv", "tab", "json"]))
    var table: String?

    @Flag(help: "An attribute for each folder that images stand in.")
    var folders = false

    @Option(
        help: ArgumentHelp("Gives the images that meet --where this attribute; the others do not have it.", valueName: "name"))
    var set: String?

    @Option(name: .customLong("where"), help: "With --set: an SQL condition, as in top.")
    var condition: String?

    @Option(help: ArgumentHelp("Forget this attribute; may be repeated.", valueName: "name"))
    var remove: [String] = []

    @Flag(help: "List the attributes, as without any option.")
    var list = false

    @OptionGroup var output: FormatOption

    func validate() throws {
        let asked = [table != nil, folders, set != nil, !remove.isEmpty, list].count { $0 }
        guard asked <= 1 else { throw ValidationError("--import, --folders, --set, --remove and --list exclude each other") }
        guard (set == nil) == (condition == nil) else { throw ValidationError("--set NAME and --where CONDITION go together") }
        guard set?.isEmpty != true else { throw ValidationError("--set needs a name") }
    }

    func run() throws {
        let opened = try Store.open(path: store)
        if let table { return try add(table, to: opened) }
        if folders {
            let (images, numbering) = try Self.images(of: opened)
            return try keep(Attribute.folders(of: images), in: opened, of: "folders", numbering)
        }
        if let set, let condition { return try add(set, condition, to: opened) }
        if !remove.isEmpty { return try forget(from: opened) }
        let images = try opened.imageCount()
        let rows = try opened.attributes().map { Row($0, images: images) }
        printOut(try Rows(rows).rendered(as: output.format))
        if rows.isEmpty { printNote("\(store) has no attributes; --import FILE.csv gives it some") }
    }

    /// The numbering first: where images are removed after it, nothing that was made for the old one is kept.
    private static func images(of store: Store) throws -> (images: [(id: Int, path: String)], numbering: Store.ImageNumbering) {
        let numbering = try store.imageNumbering()
        return (try store.imagePaths(), numbering)
    }

    private func add(_ path: String, to store: Store) throws {
        let (images, numbering) = try Self.images(of: store)
        let folder = try ImagePlaces(store).folder
        let isJSON = (path as NSString).pathExtension.lowercased() == "json"
        let found =
            isJSON
            ? try AttributeImport(COCOFile(contentsOf: path), images: images, in: folder)
            : try AttributeImport(AttributeTable(contentsOf: path), images: images, in: folder)
        for note in found.notes { printNote(note) }
        try keep(found.attributes, in: store, of: path, numbering)
    }

    private func add(_ name: String, _ condition: String, to store: Store) throws {
        let (images, numbering) = try Self.images(of: store)
        let chosen = Set(try store.imageIDs(where: condition))
        try store.note(emptySelection: condition)
        var values = [Double](repeating: .nan, count: (images.map(\.id).max() ?? -1) + 1)
        for image in images { values[image.id] = chosen.contains(image.id) ? 1 : 0 }
        try keep([Attribute(name: name, kind: .binary, values: values)], in: store, of: "--where", numbering)
    }

    private func keep(
        _ attributes: [Attribute], in store: Store, of source: String, _ numbering: Store.ImageNumbering
    ) throws {
        guard !attributes.isEmpty else {
            throw Failure("\(source) gives the images of \(self.store) no attributes; nothing was written")
        }
        let known = Set(try store.attributeNames().map(\.name))
        try store.keep(attributes, numbering: numbering)
        let replaced = attributes.count { known.contains($0.name) }
        let pairs = attributes.reduce(0) { $0 + $1.values.count { !$0.isNaN } }
        printNote(
            "\(self.store): \(attributes.count) \(attributes.count == 1 ? "attribute" : "attributes") kept\(replaced > 0 ? ", \(replaced) of them in place of older ones" : ""), \(pairs) values"
        )
        for note in try Self.collisions(attributes, store) { printNote(note) }
    }

    /// Names that a condition cannot have bare.
    private static func collisions(_ attributes: [Attribute], _ store: Store) throws -> [String] {
        let columns = Set(try store.imageColumns().map { $0.lowercased() })
        let taken = attributes.map(\.name).filter { columns.contains($0.lowercased()) }
        guard let example = taken.first else { return [] }
        return [
            "\(taken.count) \(taken.count == 1 ? "attribute has" : "attributes have") the name of a column of images: in conditions \(example) means the column, and attribute('\(example)') the attribute"
        ]
    }

    private func forget(from store: Store) throws {
        let known = try store.attributeNames().map(\.name)
        for name in remove where !known.contains(name) { throw QueryError.unknownAttribute(name: name, known: known) }
        let count = try store.removeAttributes(named: remove)
        printNote("\(self.store): \(count) \(count == 1 ? "attribute" : "attributes") removed, \(known.count - count) left")
    }

    /// An attribute as it is listed.
    struct Row: TableRow {
        var name: String
        var kind: String
        /// Images of which it is known, and of which it is not.
        var known: Int
        var unknown: Int
        /// Of a binary one: images that have it.
        var images: Int?
        var smallest: Double?
        var largest: Double?
        var mean: Double?

        init(_ attribute: Attribute, images all: Int) {
            let values = attribute.values.filter { !$0.isNaN }
            (name, kind, known, unknown) = (attribute.name, attribute.kind.rawValue, values.count, all - values.count)
            mean = values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
            if attribute.kind == .binary {
                images = values.count { $0 == 1 }
            } else {
                (smallest, largest) = (values.min(), values.max())
            }
        }

        static let columns: [ListColumn<Row>] = list {
            column("name", \.name).shortened
            column("kind", \.kind)
            column("known", title: "known of", \.known)
            column("unknown", title: "not of", \.unknown)
            column("images", title: "images with it", \.images)
            column("minimum", title: "smallest", \.smallest)
            column("maximum", title: "largest", \.largest)
            column("mean", \.mean)
        }
    }
}
