import ActivationStore
import ArgumentParser
import Foundation
import Search

struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget images of a store.",
        discussion: """
            Examples:

              neurodex remove shop.sqlite photos/cat/1.jpg 17
              neurodex remove shop.sqlite --where "label = 'fish'"
              neurodex remove shop.sqlite --missing

            No answer counts them any more. Their room is kept, and answers come from scans instead of kept lists, until 'neurodex compact' \
            writes the store anew. The files themselves are not touched.
            """)

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "Images: paths or ids of the store.")
    var images: [String] = []

    @Option(
        name: .customLong("where"),
        help: "Images that meet this SQL condition on path, label, split, width, height, predicted, score, correct …")
    var condition: String?

    @Flag(help: "Images whose files are no more.")
    var missing = false

    func validate() throws {
        guard !images.isEmpty || condition != nil || missing else {
            throw ValidationError("say which images: their paths or ids, --where CONDITION, or --missing")
        }
    }

    func run() throws {
        let store = try Store.open(path: store)
        var ids = Set(try images.map { try store.image(named: $0).id })
        if let condition { ids.formUnion(try store.imageIDs(where: condition)) }
        if missing {
            ids.formUnion(
                try store.images().lazy.filter { !FileManager.default.fileExists(atPath: $0.path) }.map(\.id))
        }
        let count = try store.remove(images: ids.sorted())
        let rest = try store.imageCount()
        printNote("\(self.store): \(count) \(count == 1 ? "image" : "images") removed, \(rest) left")
    }
}
