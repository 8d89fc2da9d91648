import ActivationStore
import ArgumentParser
import Indexing

struct RelabelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relabel",
        abstract: "Give the images of a store other labels and splits, or its classes other names.",
        discussion: """
            Examples:

              neurodex relabel shop.sqlite --labels corrected.csv --dry-run
              neurodex relabel shop.sqlite --from-folders
              neurodex relabel shop.sqlite --classes labels.txt

            Nothing is computed anew, and images that a table does not name keep their labels. A row without a label takes its image's label away; \
            one without a split leaves the split as it is.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Option(
        help: ArgumentHelp(
            "A table with columns file, label and perhaps split; a text with one label a line in the order of the images; folders; or none.",
            valueName: "source"), completion: .file())
    var labels: String?

    @Flag(help: "Labels and splits from the folders that images stand in, as --labels folders.")
    var fromFolders = false

    @Option(
        help: ArgumentHelp("Names of the classes, one a line in the order of the network's scores.", valueName: "file"),
        completion: .file())
    var classes: String?

    @Flag(help: "Only say what would be other than before.")
    var dryRun = false

    func validate() throws {
        guard labels != nil || fromFolders || classes != nil else {
            throw ValidationError("say what is to be other: --labels SOURCE, --from-folders, or --classes FILE")
        }
        guard labels == nil || !fromFolders else { throw ValidationError("--labels and --from-folders exclude each other") }
    }

    func run() throws {
        let opened = try Store.open(path: store)
        var wanted = Relabelling(classes: try classes.map { try classNames($0, opened.description) })
        if let said = labels ?? (fromFolders ? "folders" : nil) {
            let images = try opened.imagePaths()
            let run = try RunLabels(Dataset(stored: images.map(\.path)), said: said, kept: nil, in: ImagePlaces(opened).folder)
            for (image, item) in zip(images, run.dataset.items) { wanted.edits[image.id] = item.said }
            for note in run.notes { printNote(note) }
            // A table of corrections is none for images that are added later.
            if run.dataset.items.allSatisfy({ $0.said.label != .kept }) { wanted.source = run.source.kept }
        }
        let summary = try opened.relabel(wanted, isDry: dryRun)
        for line in summary.lines { printNote(line) }
        let images = "\(summary.images) \(summary.images == 1 ? "image" : "images")"
        guard !summary.isEmpty else {
            printNote("\(store): nothing to do, the labels of \(images) are so already")
            return
        }
        let count = summary.relabelled
        printNote(
            "\(store): \(count) of \(images) \(dryRun ? "would get" : count == 1 ? "has" : "have") another label or split; \(dryRun ? "nothing was written" : "nothing was computed anew")"
        )
        guard !dryRun else { return }
        let changed = try Store.open(path: store)
        for line in try changed.labelAgreement().lines(classes: changed.description.classes) { printNote(line) }
    }

    private func classNames(_ path: String, _ description: StoreDescription) throws -> [String] {
        guard let scores = description.layers.last(where: { $0.isLogits }) else {
            throw Failure("the network of \(store) answers with no scores of classes, so there are none to name")
        }
        return try ClassNames.read(path, count: scores.channels)
    }
}
