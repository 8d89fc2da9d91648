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
              neurodex predict petshop.onnx photos --classes labels.txt --matrix matrix.png

            IMAGES are paths or ids of the store, other files, or folders of them: the network is run on each. Without them the answers \
            that the store has are counted, by label and split. A network's own file needs no store; then --classes names its classes, and \
            pictures are prepared as for 'index'. With --matrix its answers are counted too, beside the labels of the folders or of --labels.
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

    @Option(
        help: ArgumentHelp("Count the answers, and draw labels against answers, a PNG, SVG or PDF.", valueName: "file"),
        completion: .file())
    var matrix: String?

    @OptionGroup var files: FilesOptions

    @OptionGroup var output: FormatOption

    @OptionGroup(title: "Without a store")
    var bare: BareNetworkOptions

    func validate() throws {
        guard count >= 1 else { throw ValidationError(QueryError.wrongCount(count).description) }
        guard images.isEmpty || condition == nil else {
            throw ValidationError("--where is about the answers that the store has; leave the images out")
        }
        try OutputFile.check(OutputFile("--matrix", matrix, .picture))
    }

    func run() throws {
        guard images.isEmpty, !BareNetworkOptions.isNetwork(store) else { return try answer(by: network()) }
        let opened = try opened()
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
        guard images.isEmpty, !BareNetworkOptions.isNetwork(store) else {
            let network = try network()
            let counted = try counted(by: network)
            guard !counted.run.isStopped else { throw ExitCode.interrupted }
            return try file(counted, network)
        }
        let opened = try opened()
        return file(try confusion(opened), opened)
    }

    /// A picture names the images that are in it.
    func passes() throws -> Int {
        if let folder = images.first(where: ChosenImages.isFolder) {
            throw Failure("\(folder) is a folder, and a picture of neurodex names each of its images")
        }
        return images.count
    }

    // MARK: Answers of the store

    private func opened() throws -> Store {
        if let option = bare.used {
            throw ValidationError("\(option) is for a network's own file; a store knows how its pictures were prepared")
        }
        let opened = try Store.open(path: store)
        if let first = opened.description.model.outputNames.first {
            throw Failure(
                "the network of \(store) answers with numbers, and no classes: 'neurodex top \(store) \"output:\(first)\"' ranks images by one, and '--target \"output:\(first)\"' explains it"
            )
        }
        guard !opened.description.classes.isEmpty else {
            throw Failure("the network of \(store) has no classes, so it answers nothing that could be named")
        }
        return opened
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

    // MARK: Answers of the network

    private func network() throws -> any AnsweringNetwork {
        if BareNetworkOptions.isNetwork(store) { return try bare.network(at: store) }
        return StoredNetworkAnswers(
            archive: try ExplanationArchive(
                store: try opened(), model: model, images: imagesFolder, keeps: false, toolVersion: Neurodex.version))
    }

    private func answer(by network: any AnsweringNetwork) throws {
        guard !images.isEmpty else {
            throw ValidationError("name images or folders: only a store has answers that can be counted")
        }
        let run: AnswerRun
        if let matrix {
            let counted = try counted(by: network)
            run = counted.run
            printListing(try AccuracyTable(shares: counted.table.shares).rendered(as: output.format), besides: matrix)
            if counted.table.shares.isEmpty {
                printNote("no image has a label, so no matrix was drawn; --labels says where labels come from")
            } else {
                if let first = counted.strangers.first {
                    printNote("without a label, and not counted: \(counted.strangers.count) images, such as \(first)")
                }
                try write(file(counted, network), to: matrix)
            }
        } else {
            var answers: [PredictionTable.Prediction] = []
            run = try AnswerRun(images, labels: bare.labels, by: network) { subject, standing, label, _ in
                answers.append(PredictionTable.Prediction(subject, standing, label: label, count: count))
            }
            printOut(try PredictionTable(predictions: answers).rendered(as: output.format))
            let judged = answers.compactMap(\.correct)
            if judged.count > 1 { printNote("right on \(judged.count { $0 }) of \(judged.count) labelled images") }
        }
        try run.report()
    }

    private struct Counted {
        var table: ConfusionMatrix
        var run: AnswerRun
        /// Without a label.
        var strangers: [String] = []
        var images: [(path: String, sha256: String)] = []
    }

    private func counted(by network: any AnsweringNetwork) throws -> Counted {
        let names = network.classNames
        guard !names.isEmpty else {
            throw ValidationError("--matrix sets labels against names of classes; say which these are with --classes FILE")
        }
        var answers: [(label: String, split: String?, answer: String)] = []
        var (strangers, used): ([String], [(String, String)]) = ([], [])
        let run = try AnswerRun(images, labels: bare.labels, by: network, isCounting: true) { subject, standing, label, split in
            used.append((subject.name, subject.digest.hexadecimal))
            guard let label else { return strangers.append(subject.name) }
            if let best = standing.order.first { answers.append((label, split, names[best])) }
        }
        return Counted(
            table: ConfusionMatrix(answers: answers, classes: names), run: run, strangers: strangers, images: used)
    }

    private func file(_ counted: Counted, _ network: any AnsweringNetwork) throws -> FigureFile {
        FigureFile(
            page: counted.table.page(),
            provenance: Provenance(
                command: "predict", options: try bare.arguments(of: network), operands: [store] + counted.run.names,
                model: network.digest, images: counted.images, toolVersion: Neurodex.version))
    }
}
