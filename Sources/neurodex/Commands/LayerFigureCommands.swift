import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import Search

/// `maps`: what every channel of a layer makes of one image.
struct MapsCommand: StoredFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "maps",
        abstract: "Draw the feature maps of a layer on an image.",
        discussion: """
            Example:

              neurodex maps shop.sqlite conv1 --image photos/cat/1.jpg -o maps.png

            A small picture a channel, under its number, all on one scale. LAYER:FIRST-LAST draws some of the channels.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "The layer, or some of its channels: conv4 or conv4:0-63.", completion: .layers)
    var layer: String

    @Option(help: ArgumentHelp("A path or an id of the store, or any other file.", valueName: "image"), completion: .images)
    var image: String

    @Option(
        name: [.customShort("o"), .customLong("out")], help: ArgumentHelp("The picture, a PNG, SVG or PDF.", valueName: "file"),
        completion: .file())
    var picture: String?

    @Option(
        help: ArgumentHelp("Write the maps as a NumPy file, [channels, height, width].", valueName: "file"), completion: .file())
    var raw: String?

    @OptionGroup var files: FilesOptions

    @OptionGroup var size: SizeOption

    func validate() throws { try OutputFile.check(OutputFile("-o", picture, .picture), OutputFile("--raw", raw, .array)) }

    func run() throws {
        guard picture != nil || raw != nil else { throw ValidationError("say where the maps go: -o FILE, or --raw FILE") }
        let (sheet, map, archive, subject) = try made()
        if let picture { try write(file(sheet, archive, subject), to: picture) }
        if let raw { try write(map.npy, to: raw) }
    }

    func figure() throws -> FigureFile {
        let (sheet, _, archive, subject) = try made()
        return file(sheet, archive, subject)
    }

    func passes() -> Int { 1 }

    private func made() throws -> (LayerSheet, ExplanationMap, ExplanationArchive, InputImage) {
        let archive = try files.archive(of: store)
        let (reference, channels) = try asked(archive.store.description)
        let subject = try archive.subject(image)
        let explainer = try archive.explainer()
        let layer = try explainer.layer(of: try Target("\(reference):\(channels.lowerBound)", in: archive.store.description))
        let values = try explainer.activations(of: layer, on: subject)
        guard layer.height * layer.width > 1 else {
            throw Failure("\(reference) has no map: it is one number a channel; 'neurodex profile' lists these")
        }
        let all = ExplanationMap(
            channelsLast: values, channels: layer.channels, height: layer.height, width: layer.width, isSigned: true)
        let area = layer.height * layer.width
        let map = ExplanationMap(
            channels: channels.count, height: layer.height, width: layer.width,
            values: Array(all.values[channels.lowerBound * area..<channels.upperBound * area]), isSigned: true)
        return (LayerSheet(maps: values, of: layer, channels: channels, on: subject), map, archive, subject)
    }

    /// The layer's name, and the channels.
    private func asked(_ description: StoreDescription) throws -> (String, Range<Int>) {
        if let whole = description.layers.first(where: { $0.name == layer }) { return (whole.name, 0..<whole.channels) }
        let parts = layer.split(separator: ":").map(String.init)
        let ends = parts.last?.split(separator: "-").compactMap { Int($0) } ?? []
        let name = parts.dropLast().joined(separator: ":")
        if ends.count == 2, let known = description.layers.first(where: { $0.name == name }) {
            guard ends[0] <= ends[1], ends[1] < known.channels else {
                throw ValidationError("\(layer): \(name) has the channels 0 to \(known.channels - 1)")
            }
            return (name, ends[0]..<ends[1] + 1)
        }
        // One channel, or a name that is not there, which this says.
        let reference = try NeuronReference(layer, in: description)
        let first = reference.neurons.lowerBound - reference.layer.firstNeuron
        return (reference.layer.name, first..<first + reference.neurons.count)
    }

    private func file(_ sheet: LayerSheet, _ archive: ExplanationArchive, _ subject: InputImage) -> FigureFile {
        let pixels = size.pixels(LayerSheet.defaultSize)
        return FigureFile(
            page: sheet.page(size: pixels),
            provenance: Provenance(
                command: "maps", options: Spelling.option("--image", image) + Spelling.option("--size", "\(pixels)"),
                operands: [store, layer], model: archive.store.description.model.sha256,
                images: [(subject.name, subject.digest.map { String(format: "%02x", $0) }.joined())],
                toolVersion: Neurodex.version))
    }
}

/// `filters`: what the first convolution looks for.
struct FiltersCommand: FigureCommand {
    static let configuration = CommandConfiguration(
        commandName: "filters",
        abstract: "Draw the filters of the first convolution.",
        discussion: """
            Example:

              neurodex filters shop.sqlite -o filters.png

            Only the first convolution weighs colours, and its filters can be seen as they are; what later ones look for, deconv, ascend and \
            top --sheet show.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Option(
        name: [.customShort("o"), .customLong("out")], help: ArgumentHelp("The picture, a PNG, SVG or PDF.", valueName: "file"),
        completion: .file())
    var picture: String?

    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"), completion: .file())
    var model: String?

    @OptionGroup var size: SizeOption

    func validate() throws { try OutputFile.check(OutputFile("-o", picture, .picture)) }

    func run() throws {
        guard let picture else { throw ValidationError("say where the filters go: -o FILE") }
        try write(try figure(), to: picture)
    }

    func figure() throws -> FigureFile {
        let archive = try ExplanationArchive(
            store: try Store.open(path: store), model: model, keeps: false, toolVersion: Neurodex.version)
        guard let filters = try archive.explainer().network.firstFilters else {
            throw Failure(
                "no convolution of the network reads the picture's own colours, so its filters cannot be seen as colours")
        }
        let pixels = size.pixels(LayerSheet.defaultSize)
        return FigureFile(
            page: FilterSheet(filters, order: archive.preprocessing.channels).page(size: pixels),
            provenance: Provenance(
                command: "filters", options: Spelling.option("--size", "\(pixels)"),
                operands: [store], model: archive.store.description.model.sha256, toolVersion: Neurodex.version))
    }
}
