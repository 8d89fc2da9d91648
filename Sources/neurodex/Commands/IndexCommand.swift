import ActivationStore
import ArgumentParser
import Foundation
import Images
import Indexing
import NeuralNetwork

struct IndexCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Run a network over images and keep every neuron's maximum on each.",
        discussion: """
            Examples:

              neurodex index shop.sqlite --model petshop.onnx --classes labels.txt photos/
              neurodex index shop.sqlite --thumbnails 160 photos/

            The store is one SQLite file. Running the same command again goes on where it stopped, after Ctrl-C or a crash, and adds \
            images that are new or have changed; then what you leave out (--model, --layers, --preprocess, --labels …) is as in the store. Labels come from the folders that images stand in (photos/train/cat/1.jpg: label cat, split train), \
            or from --labels, which also corrects those of images that are in the store.
            """)

    @Argument(help: "The store to make or to add to.", completion: .file())
    var store: String

    @Argument(help: "Images, arrays (.npy), tars and zips with images, and folders with all of these.", completion: .file())
    var images: [String]

    @Option(help: ArgumentHelp("The network, an ONNX file (default: the store's).", valueName: "file"), completion: .file())
    var model: String?

    @Option(
        help: ArgumentHelp(
            "A .csv with columns file, label and perhaps split; a text with one label a line; folders; or none (default: folders, or the store's).",
            valueName: "source"), completion: .file())
    var labels: String?

    @Option(
        help: ArgumentHelp(
            "Names of the classes, one a line in the order of the network's scores; or none, where it answers with no scores of classes.",
            valueName: "file"), completion: .file())
    var classes: String?

    @Option(
        help: ArgumentHelp(
            "Names of the numbers that the network answers with, one a line in its order, perhaps with units, such as age [years]; for networks that answer with no scores of classes.",
            valueName: "file"), completion: .file())
    var outputs: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Record only these layers, with * and ?, such as 'features.*'. May be repeated.", valueName: "pattern")
    )
    var layers: [String] = []

    @Option(
        help: ArgumentHelp(
            "Record layers after (post, the default) or before (pre) their activation function.", valueName: "post|pre"))
    var record: Moment?

    @Option(
        help: ArgumentHelp(
            "Keep spatial means of the classifier's input (the default), or of all layers.", valueName: "classifier|all"))
    var means: Means?

    @Option(
        help: ArgumentHelp("How many images each neuron's kept list holds (default: 100, or the store's).", valueName: "count"))
    var top: Int?

    @Option(help: ArgumentHelp("Workers, one a core (default: all cores).", valueName: "count"))
    var jobs: Int?

    @Option(help: ArgumentHelp("Images that a worker runs at once.", valueName: "count"))
    var batch = 2

    @Option(
        help: ArgumentHelp(
            "Multiply exactly (float32, the default, or as in the store), or numbers of 8 bits (bfloat16), faster where the processor has AVX512-BF16; it then says what that does to the lists of the strongest images.",
            valueName: "float32|bfloat16"),
        transform: { text in
            guard let precision = Precision(rawValue: text) else {
                throw ValidationError("--precision is float32 or bfloat16, not '\(text)'")
            }
            return precision
        })
    var precision: Precision?

    @OptionGroup var reading: NetworkOptions

    @Option(
        help: ArgumentHelp(
            "Index only this part of the images, such as 3/16; 'merge' joins the parts' stores.", valueName: "i/n"),
        transform: { text in
            guard let shard = Shard(text) else {
                throw ValidationError("--shard takes a part of the images, from 1/1 to n/n, such as 3/16; not '\(text)'")
            }
            return shard
        })
    var shard: Shard?

    @OptionGroup var thumbnails: ThumbnailOption

    @Flag(help: "Say what would be run, replaced and renamed, and change nothing.")
    var dryRun = false

    @Option(help: .hidden)
    var block: Int?

    @OptionGroup(title: "Preprocessing")
    var preprocessing: PreprocessingOptions

    enum Moment: String, ExpressibleByArgument, CaseIterable { case post, pre }
    enum Means: String, ExpressibleByArgument, CaseIterable { case classifier, all }

    func validate() throws {
        if let top { guard top >= 1 else { throw ValidationError("--top takes a count of 1 or more, not \(top)") } }
        if let block {
            guard (1...640).contains(block) else { throw ValidationError("--block takes a count from 1 to 640, not \(block)") }
        }
        guard outputs == nil || classes ?? "none" == "none" else {
            throw ValidationError("--classes names scores of classes, and --outputs other numbers; leave one of them out")
        }
        guard (1...64).contains(batch) else { throw ValidationError("--batch takes a count from 1 to 64, not \(batch)") }
        if let jobs {
            guard (1...1024).contains(jobs) else { throw ValidationError("--jobs takes a count from 1 to 1024, not \(jobs)") }
        }
    }

    func run() throws {
        guard !dryRun else { return try preview() }
        let report = try index()
        try report.print()
        if report.summary.interrupted {
            printNote("interrupted; the same command goes on from here")
            throw ExitCode.interrupted
        }
        if report.summary.skipped > 0 { throw ExitCode.someSkipped }
    }

    /// What it needs is gone when it has returned: what comes after may need as much.
    private func index() throws -> IndexReport {
        let stored = try existingStore()
        let existing = stored?.description
        guard let modelPath = try model ?? stored?.modelPath(nil) else {
            throw ValidationError("--model names the network; there is no store '\(store)' yet to take it from")
        }
        let network = try network(modelPath, existing)
        let names = try classes.flatMap { try classNames($0, network) }
        let found = try found().named(names ?? existing?.classes ?? [])
        let description = try storeDescription(network, existing, classes: names, found)
        let preprocessing = try Preprocessing(json: description.preprocessing)
        let labels = try RunLabels(found, said: labels, kept: stored?.labelSource())
        var dataset = labels.dataset
        if let shard = description.shard { dataset = dataset.part(shard) }
        let jobs = jobs ?? ProcessInfo.processInfo.activeProcessorCount
        let interruption = Interruption()
        if stored == nil,
            let warning = try RecipeCheck(network, classes: names ?? [], jobs: jobs).warning(
                preprocessing, on: dataset.items)
        {
            printNote(warning)
        }
        let writer = try StoreWriter.open(
            path: store, description: description,
            run: .ofThisCommand(jobs: jobs))
        _ = try ImagePlaces.settled(writer)
        let edits = labels.isSaid ? labels.edits(known: try KnownFiles(writer)) : [:]
        let relabelled = try writer.relabel(Relabelling(edits: edits, classes: names, source: labels.source.kept))
        let kept = try thumbnails.apply(to: writer, isNew: stored == nil)
        let bar = ProgressBar()
        if let kept { try thumbnails.make(kept, preprocessing, into: writer, bar) { interruption.isRequested } }
        let summary = try Indexer(network: network, preprocessing: preprocessing, jobs: jobs).run(
            dataset, into: writer, progress: bar.update, isCancelled: { interruption.isRequested })
        bar.clear()
        try noteRepetitions(summary.twice)
        return IndexReport(
            store: store, description: writer.description, summary: summary, labels: labels, relabelled: relabelled)
    }

    /// Of the store, where there is one: a run that was killed in its first moment may leave an empty file.
    private func existingStore() throws -> Store? {
        var status = stat()
        guard stat(store, &status) == 0, status.st_mode & S_IFMT != S_IFREG || status.st_size > 0 else { return nil }
        return try Store.open(path: store)
    }

    /// What the user leaves open is as in the store.
    private func network(_ path: String, _ existing: StoreDescription?) throws -> Network {
        if let existing, layers.isEmpty, record == nil, means == nil, reading.inputSize == nil, reading.given.isEmpty {
            return try Network.matching(
                existing, at: path, batch: batch, outputs: reading.outputs, hasClasses: hasClasses, precision: precision)
        }
        var options = try networkOptions(existing)
        do {
            return try Network(contentsOf: path, options: options)
        } catch let error as NetworkError {
            guard case .openInputSize = error, let size = preprocessing.statedSize else { throw error }
            options.inputSize = (size.height, size.width)
            return try Network(contentsOf: path, options: options)
        }
    }

    /// Nil where the user leaves it to the graph, or to the store.
    private var hasClasses: Bool? { outputs != nil ? false : classes.map { $0 != "none" } }

    private func networkOptions(_ existing: StoreDescription?) throws -> Network.Options {
        var options = existing.map { Network.Options($0) } ?? Network.Options()
        options.batch = batch
        options.layers = layers.flatMap { $0.split(separator: ",").map(String.init) }
        options.beforeActivation = record == .pre
        options.everyMean = means == .all
        try reading.apply(to: &options)
        if let hasClasses { options.hasClasses = hasClasses }
        if let precision { options.precision = precision }
        return options
    }

    /// What the store is to be of; what the user leaves open is as in the store, if there is one. Names of classes are changed later.
    private func storeDescription(
        _ network: Network, _ existing: StoreDescription?, classes: [String]?, _ dataset: Dataset
    ) throws -> StoreDescription {
        let stored = try existing.map { try Preprocessing(json: $0.preprocessing) }
        let own = stored == nil && preprocessing.isOpen ? try network.modelPreprocessing() : nil
        if let own { printNote("pictures are prepared as \(own.source) says; --preprocess and its like change that") }
        var standard = own?.recipe
        if stored == nil, own == nil, preprocessing.isOpen, dataset.isOfArrays {
            let (input, size) = (network.input, Size(width: network.input.width, height: network.input.height))
            standard = Preprocessing(.raw, input: size, channelCount: input.channels)
            printNote(
                "the images are arrays: the network takes their numbers as they are, resized to \(input.height)×\(input.width) (--preprocess, --resize, --mean and --std change that); each is drawn from its smallest number, black, to its largest, white"
            )
        }
        let recipe = try preprocessing.preprocessing(for: network.input, store: stored, model: standard)
        let description = try StoreDescription(
            network, preprocessing: recipe, classes: existing?.classes ?? classes ?? [],
            outputNames: try outputs.map { try OutputNames.read($0, network) } ?? existing?.model.outputNames ?? [],
            blockImages: block ?? existing?.blockImages,
            topCount: top ?? existing?.topCount ?? 100, shard: shard ?? existing?.shard)
        return existing == nil ? thumbnails.chosen(for: description, frame: recipe.crop) : description
    }

    /// Nil where there are none to name.
    private func classNames(_ path: String, _ network: Network) throws -> [String]? {
        guard path != "none" else { return nil }
        let scores = network.layers.last { $0.isLogits }
        if let scores, scores.height * scores.width > 1 {
            throw Failure(
                "the network answers with a map of \(scores.height)×\(scores.width), which has no scores of classes; leave --classes out, or choose another output with --output"
            )
        }
        return try ClassNames.read(path, count: scores?.channels ?? 0)
    }
}
