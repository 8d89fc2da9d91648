import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search
import Support

struct AblateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ablate",
        abstract: "Switch neurons off, and see what it does to the answers; write the network without them.",
        discussion: """
            Examples:

              neurodex ablate shop.sqlite conv4:27 --where "label = 'fish'"
              neurodex ablate shop.sqlite conv4 --each --label fish
              neurodex ablate shop.sqlite conv4:27 -o pruned.onnx

            A neuron that goes along with a class need not be used for it: what it does shows when it is switched off. Its map then holds zero everywhere (or \
            with --to mean its mean over the images), and the network is run on from there. All named neurons are off together; with --each every one alone, \
            ranked by how much of the labels' probability its loss costs.

            -o writes an ONNX file in which the weights that make these neurons are zero and all else is as it was.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "LAYER:CHANNEL; with --each also LAYER, for all its neurons.", completion: .neurons)
    var neurons: [String]

    @Flag(help: "Switch off one neuron at a time, and rank them.")
    var each = false

    @Option(help: "What the maps of neurons that are off hold everywhere: zero, or their mean over the images.")
    var to = Ablation.Substitute.zero

    @Option(help: ArgumentHelp("Only images of this label.", valueName: "name"))
    var label: String?

    @Option(
        name: .customLong("where"),
        help: "Only images that meet this SQL condition on path, label, split, width, height, predicted, score, correct …")
    var condition: String?

    @Option(
        name: .customShort("k"),
        help: ArgumentHelp("List so many neurons of --each, or of the images whose answer changes.", valueName: "count"))
    var count = 10

    @Option(
        name: .customLong("sample"),
        help: ArgumentHelp("Take so many of the images, evenly through their order (default: all).", valueName: "count"))
    var sample: Int?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The network without these neurons, a new ONNX file.", valueName: "file"),
        completion: .file())
    var output: String?

    @OptionGroup var files: FilesOptions
    @OptionGroup var format: FormatOption

    func validate() throws {
        guard !neurons.isEmpty else { throw ValidationError("name the neurons to switch off: LAYER:CHANNEL") }
        guard count >= 1 else { throw ValidationError(QueryError.wrongCount(count).description) }
        guard sample ?? 1 >= 1 else { throw ValidationError("--sample takes at least one image, not \(sample ?? 0)") }
        guard output == nil || !each else {
            throw ValidationError("-o writes the network without all the named neurons; leave --each out")
        }
    }

    func run() throws {
        if let output { try NewModelFile.check(output) }
        let archive = try files.archive(of: store)
        let targets = try targets(in: archive.store.description)
        var images = try FoundImages(try images(archive), archive)
        let ablation = try Ablation(of: each ? targets.map { [$0] } : [targets], in: try archive.explainer())
        // What cannot be written is said before the network is run over all images.
        let silenced = try output.map { try silencedNetwork(targets, archive.store, ablation, to: $0) }
        let effects = try effects(
            of: ablation, on: &images, archive, sets: each ? targets.map(\.neuron) : [neurons.joined(separator: " ")])
        if each {
            printOut(try AblationRanking(effects, count: count).rendered(as: format.format))
        } else {
            let table = AblationTable(effects, neurons: targets.map(\.neuron), to: to.rawValue, count: count)
            printOut(try table.rendered(as: format.format))
            if format.format == .table, let changes = table.changes { printOut(changes) }
        }
        try report(effects, of: images)
        if let output, let silenced {
            try NewModelFile.write(silenced.bytes, to: output)
            printNote("\(output): the network with the weights of \(targets.map(\.neuron).joined(separator: ", ")) zero")
        }
        if effects.isInterrupted { throw ExitCode.interrupted }
        if !images.omitted.isEmpty { throw ExitCode.someSkipped }
    }

    private func targets(in description: StoreDescription) throws -> [Target] {
        var seen = Set<Target>()
        return try neurons.flatMap { name -> [Target] in
            let reference = try? NeuronReference(name, in: description)
            guard each, let reference, reference.neurons.count > 1 else { return [try Target(name, in: description)] }
            return try (0..<reference.layer.channels).map { try Target("\(reference.layer.name):\($0)", in: description) }
        }.filter { seen.insert($0).inserted }
    }

    private func images(_ archive: ExplanationArchive) throws -> [String] {
        let conditions = [condition, label.map { "label = \(Spelling.sql($0))" }].compactMap { $0 }
        var choice = ChoiceOptions()
        (choice.condition, choice.count) = (
            conditions.isEmpty ? nil : conditions.map { "(\($0))" }.joined(separator: " AND "), sample
        )
        if conditions.isEmpty { return try archive.store.images().map(\.path).spread(over: sample ?? .max) }
        let chosen = try choice.images([], in: archive.store, files: archive.files)
        return chosen.names
    }

    private func silencedNetwork(
        _ targets: [Target], _ store: Store, _ ablation: Ablation, to output: String
    ) throws -> SilencedNetwork {
        let (model, path) = (store.description.model, try store.modelPath(files.model))
        try NewModelFile.check(output, ofModelAt: path)
        return try SilencedNetwork(
            ofModelAt: path, output: model.output,
            inputSize: (model.inputHeight, model.inputWidth), inputs: Network.Options(store.description).inputs,
            neurons: targets.map { try ablation.neuron($0) })
    }

    /// Runs over the images; one that cannot be read is passed over.
    private func effects(
        of ablation: Ablation, on images: inout FoundImages, _ archive: ExplanationArchive, sets: [String]
    ) throws -> AblationEffects {
        var effects = AblationEffects(sets: sets, classes: archive.store.description.classes)
        let whole: Void? = try ExplanationMonitor().watch {
            try ablation.run(to: to, on: images.places.count, read: images.read) { index, outcome in
                if let outcome = try images.taken(outcome, index) { effects.add(outcome) }
            }
        }
        effects.isInterrupted = whole == nil
        return effects
    }

    private func report(_ effects: AblationEffects, of images: FoundImages) throws {
        try images.report()
        if effects.unlabelled > 0 {
            printNote(
                "\(effects.unlabelled) of \(effects.images) images have no label that is a class, such as \(effects.exampleUnlabelled); of them the class that the whole network answers is looked at"
            )
        }
        if effects.isInterrupted { printNote("stopped after \(effects.images) of \(images.count) images") }
    }
}
