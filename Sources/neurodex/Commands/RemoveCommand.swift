import ActivationStore
import ArgumentParser
import Indexing
import Search

struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget images of a store.",
        discussion: """
            Examples:

              neurodex remove shop.sqlite photos/cat/1.jpg 17
              neurodex remove shop.sqlite --where "label = 'fish'"
              neurodex remove shop.sqlite --missing --dry-run

            No answer counts them any more. Their room is kept, and answers come from scans instead of kept lists, until 'neurodex compact' \
            writes the store anew. The files themselves are not touched.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "Images: paths or ids of the store.", completion: .images)
    var images: [String] = []

    @Option(
        name: .customLong("where"),
        help: "Images that meet this SQL condition on path, label, split, width, height, predicted, score, correct …")
    var condition: String?

    @Flag(
        help:
            "Images whose files are no more; refused where they are more than a tenth, which they are where a disk is not mounted."
    )
    var missing = false

    @Flag(help: "With --missing: remove them although they are more than a tenth.")
    var yes = false

    @Flag(help: "Say what would be removed, and remove nothing.")
    var dryRun = false

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var imagesFolder: String?

    func validate() throws {
        guard !images.isEmpty || condition != nil || missing else {
            throw ValidationError("say which images: their paths or ids, --where CONDITION, or --missing")
        }
    }

    func run() throws {
        let store = try Store.open(path: store)
        let files = try ImageFiles(store, folder: imagesFolder)
        var ids = Set(try images.map { try files.image(named: $0, in: store).id })
        if let condition {
            ids.formUnion(try store.imageIDs(where: condition))
            try store.note(emptySelection: condition)
        }
        if missing { ids.formUnion(try gone(from: store, files)) }
        guard !dryRun else { return try preview(ids, of: store) }
        let count = try store.remove(images: ids.sorted())
        let rest = try store.imageCount()
        printNote("\(self.store): \(count) \(count == 1 ? "image" : "images") removed, \(rest) left")
    }

    /// The images whose files are no more.
    private func gone(from store: Store, _ files: ImageFiles) throws -> [Int] {
        let all = try store.images()
        let gone = all.filter { files.file(of: $0) == nil }
        guard gone.count * 10 > all.count, !yes else { return gone.map(\.id) }
        let refusal =
            "\(gone.count) of \(all.count) images are missing, more than a tenth, such as \(gone.prefix(3).map(\.path).joined(separator: ", ")): if they have moved, say where they are now with --images FOLDER; to remove them all the same, --yes"
        guard dryRun else { throw Failure(refusal + "; nothing was removed") }
        printNote(refusal)
        return gone.map(\.id)
    }

    private func preview(_ ids: Set<Int>, of store: Store) throws {
        for id in ids.sorted().prefix(10) {
            if let image = try store.image(id: id) { printNote("would be removed: \(image.path)") }
        }
        if ids.count > 10 { printNote("… and \(ids.count - 10) more") }
        printNote(
            "\(self.store): \(ids.count) \(ids.count == 1 ? "image" : "images") would be removed, \(try store.imageCount() - ids.count) left; nothing was changed"
        )
    }
}
