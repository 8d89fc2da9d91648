import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import Search
import Support

/// `predict`: what the network answers.
struct PredictCommand: StoredFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "What the network answers: classes with probabilities, and how often it is right.",
        discussion: """
            Examples:

              neurodex predict shop.sqlite photos/cat/1.jpg
              neurodex predict shop.sqlite --matrix matrix.png
              neurodex predict petshop.onnx photos/test --classes labels.txt

            IMAGES are paths or ids of the store, other files, or folders of them: the network is run on each. Without them the answers \
            that the store has are counted, by label and split. A network's own file needs no store; then --classes names its classes, and \
            pictures are prepared as for 'index'.
            """)

    @Argument(help: "The store, or the network's own file (ONNX).", completion: .file())
    var store: String

    @Argument(help: "Images or folders (default: count all answers of the store).", completion: .images)
    var images: [String] = []

    @Option(name: .customShort("k"), help: "How many classes of each image.")
    var count = 5

    @Option(
        name: .customLong("where"),
        help: "Count only images that meet this SQL condition on path, label, split, width, height, predicted, score, correct …")
    var condition: String?

    @Option(help: ArgumentHelp("Draw labels against answers, a PNG or SVG.", valueName: "file"), completion: .file())
    var matrix: String?

    @OptionGroup var files: FilesOptions

    @OptionGroup var output: FormatOption

    @OptionGroup(title: "Without a store")
    var bare: BareNetworkOptions

    func validate() throws {
        guard count >= 1 else { throw ValidationError(QueryError.wrongCount(count).description) }
        guard images.isEmpty || condition == nil && matrix == nil else {
            throw ValidationError("--where and --matrix are about the answers that the store has; leave the images out")
        }
        try OutputFile.check(OutputFile("--matrix", matrix, .picture))
    }

    func run() throws {
        if BareNetworkOptions.isNetwork(store) { return try predict(bare.network(at: store)) }
        if let option = bare.used {
            throw ValidationError("\(option) is for a network's own file; a store knows how its pictures were prepared")
        }
        let opened = try Store.open(path: store)
        guard !opened.description.classes.isEmpty else {
            throw Failure("the network of \(store) has no classes, so it answers nothing that could be named")
        }
        guard images.isEmpty else {
            return try predict(
                StoredNetworkAnswers(
                    archive: ExplanationArchive(
                        store: opened, model: model, images: imagesFolder, keeps: false, toolVersion: Neurodex.version)))
        }
        let table = try confusion(opened)
        printListing(try AccuracyTable(shares: table.shares).rendered(as: output.format), besides: matrix)
        if table.shares.isEmpty {
            printNote("no image of the store has a label and an answer" + (condition == nil ? "" : " there"))
        }
        if let matrix {
            guard !table.shares.isEmpty else { return printNote("so no matrix was drawn") }
            try write(file(table, opened), to: matrix)
        }
    }

    func figure() throws -> FigureFile {
        let opened = try Store.open(path: store)
        return file(try confusion(opened), opened)
    }

    private func confusion(_ store: Store) throws -> ConfusionMatrix {
        var images = try store.images()
        if let condition {
            let kept = Set(try store.imageIDs(where: condition))
            images.removeAll { !kept.contains($0.id) }
            if images.isEmpty { try store.note(emptySelection: condition) }
        }
        return ConfusionMatrix(images, classes: store.description.classes)
    }

    private func file(_ table: ConfusionMatrix, _ store: Store) -> FigureFile {
        FigureFile(
            page: table.page(),
            provenance: Provenance(
                command: "predict", options: Spelling.option("--where", condition), operands: [self.store],
                model: store.description.model.sha256, toolVersion: Neurodex.version))
    }

    private func predict(_ network: some AnsweringNetwork) throws {
        guard !images.isEmpty else {
            throw ValidationError("name images or folders: only a store has answers that can be counted")
        }
        let names = try ChosenImages.expanded(images, in: network.store)
        let isListed = names.count == images.count
        let folders = network.store == nil ? Self.labels(of: names) : [:]
        let monitor = ExplanationMonitor()
        var (answers, omitted): ([PredictionTable.Prediction], [(String, String)]) = ([], [])
        for name in names where !monitor.isInterrupted {
            do {
                let (subject, standing) = try network.answer(on: name)
                let label = subject.stored?.label ?? folders[name].flatMap { standing.names.contains($0) ? $0 : nil }
                answers.append(PredictionTable.Prediction(subject, standing, label: label, count: count))
            } catch  where !isListed && Explained.isOfOneImage(error) {
                omitted.append((name, "\(error)"))
            }
            monitor.show(done: answers.count + omitted.count, of: names.count)
        }
        monitor.clear()
        printOut(try PredictionTable(predictions: answers).rendered(as: output.format))
        let judged = answers.compactMap(\.correct)
        if judged.count > 1 { printNote("right on \(judged.count { $0 }) of \(judged.count) labelled images") }
        if !omitted.isEmpty { printNote("not answered: \(omitted.count) of \(answers.count + omitted.count) images") }
        Remarks.gathered(omitted).forEach(printNote)
        guard !monitor.isInterrupted else {
            printNote("stopped after \(answers.count) of \(names.count) images")
            throw ExitCode.interrupted
        }
        if !omitted.isEmpty { throw ExitCode.someSkipped }
    }

    /// By the folders that files stand in, as `index` takes them.
    private static func labels(of files: [String]) -> [String: String] {
        let items = (try? Dataset(paths: files).items) ?? []
        return Dictionary(items.compactMap { item in item.label.map { (item.file, $0) } }) { first, _ in first }
    }
}

/// Classes with probabilities as they are listed.
struct PredictionTable: Printable {
    struct Prediction: Encodable {
        struct Candidate: Encodable {
            var rank: Int
            var index: Int
            var name: String?
            var probability: Double
            var score: Float
        }

        var image: String
        var label: String?
        /// Whether the first class is the label; none where there is no label, or it names no class.
        var correct: Bool?
        var classes: [Candidate]

        init(_ subject: Subject, _ standing: Standing, label: String?, count: Int) {
            (image, self.label) = (subject.name, label)
            correct = standing.isRight(label)
            classes = standing.order.prefix(count).enumerated().map { rank, index in
                Candidate(
                    rank: rank + 1, index: index, name: standing.names.indices.contains(index) ? standing.names[index] : nil,
                    probability: standing.probabilities[index], score: standing.scores[index])
            }
        }
    }

    var predictions: [Prediction]

    func encode(to encoder: any Encoder) throws { try predictions.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["image", "label", "rank", "class", "probability", "score"], shortened: ["image", "label", "class"],
            rows: predictions.flatMap { prediction in
                prediction.classes.map { candidate in
                    [
                        candidate.rank == 1 ? .text(prediction.image) : .text(""),
                        candidate.rank == 1 ? .optional(prediction.label) : .nothing, .value(candidate.rank),
                        .text(candidate.name ?? "\(candidate.index)"), .number(Standing.percent(candidate.probability)),
                        .value(candidate.score),
                    ]
                }
            })
    }

    var fields: [[String]] {
        [["image", "label", "correct", "rank", "index", "class", "probability", "score"]]
            + predictions.flatMap { prediction in
                prediction.classes.map {
                    [
                        prediction.image, prediction.label ?? "", prediction.correct.map { "\($0)" } ?? "", "\($0.rank)",
                        "\($0.index)",
                        $0.name ?? "", "\($0.probability)", "\($0.score)",
                    ]
                }
            }
    }
}

/// How often each label was answered right, as it is listed.
struct AccuracyTable: Printable {
    var shares: [ConfusionMatrix.Share]

    func encode(to encoder: any Encoder) throws { try shares.encode(to: encoder) }

    private func percent(_ right: Int?, _ images: Int) -> TextTable.Cell {
        right.map { .number(String(format: "%.1f %%", 100 * Double($0) / Double(max(images, 1)))) } ?? .nothing
    }

    var table: TextTable {
        let judged = shares.filter { $0.right != nil }
        let (all, right) = (judged.map(\.images).reduce(0, +), judged.compactMap(\.right).reduce(0, +))
        let total: [[TextTable.Cell]] =
            judged.count < 2 ? [] : [[.text("all"), .nothing, .value(all), .value(right), percent(right, all)]]
        return TextTable(
            columns: ["label", "split", "images", "right", "accuracy"], shortened: ["label"],
            rows: shares.map {
                [
                    .text($0.label), .optional($0.split), .value($0.images), $0.right.map { .value($0) } ?? .nothing,
                    percent($0.right, $0.images),
                ]
            } + total)
    }

    var fields: [[String]] {
        [["label", "split", "images", "right"]]
            + shares.map { [$0.label, $0.split ?? "", "\($0.images)", $0.right.map { "\($0)" } ?? ""] }
    }
}
