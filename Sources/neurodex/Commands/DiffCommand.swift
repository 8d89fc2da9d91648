import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Search
import Support

struct DiffCommand: FigureCommand {
    static let configuration = CommandConfiguration(
        commandName: DiffQuery.name,
        abstract: DiffQuery.abstract,
        usage: "neurodex diff <a> <b> [<options>]",
        discussion: """
            Examples:

              neurodex diff monday.sqlite tuesday.sqlite
              neurodex diff monday.sqlite tuesday.sqlite --layer conv4 --top -k 3 --sheet changed.png
              neurodex diff monday.sqlite tuesday.sqlite --predictions
              neurodex diff resnet.sqlite squeezenet.sqlite --match layer4=fire9 --by assignment

            Both stores are of the same image files; others are left out and counted. A neuron of A is compared with its partner in B by \
            Spearman's rank correlation ρ over these images. Drift is 1 − ρ: 0 where both rank the images alike, 1 where they have \
            nothing to do with each other. Shift is how far the mean moved, in standard deviations of the neuron in A. A channel died if it is 0 on \
            every image in B and was not in A. Neurons come by drift, the largest first; those that died or woke, or have no ρ, stand apart. Checkpoints of one training: --by index.
            """)

    /// What is listed, instead of everything in short.
    enum Listing: String, EnumerableFlag {
        case layers, top, predictions

        static func help(for value: Listing) -> ArgumentHelp? {
            switch value {
            case .layers: "List the layers alone."
            case .top: "List the images that came to and went from the strongest of the most changed neurons."
            case .predictions: "List the images whose predicted class changed: broken ones first, then mended ones, then others."
            }
        }
    }

    @Argument(help: ArgumentHelp("The store of one network.", valueName: "a"), completion: .file())
    var store: String

    @Argument(help: "The store of the other, over the same images.", completion: .file())
    var b: String

    @OptionGroup var query: DiffQuery

    @Flag var listing: Listing?

    @OptionGroup var output: FormatOption

    @Option(
        help: ArgumentHelp(
            "Draw the strongest images of the neurons listed, in both stores, on a contact sheet, a PNG.", valueName: "file"),
        completion: .file())
    var sheet: String?

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var imagesFolder: String?

    @OptionGroup var size: SizeOption
    @OptionGroup var shading: ShadeOption

    func validate() throws {
        do {
            try query.check()
        } catch let error as QueryError {
            throw ValidationError(error.description)
        }
    }

    func run() throws {
        try OutputFile.check(OutputFile("--sheet", sheet, .picture))
        guard size.given == nil || sheet != nil else {
            throw ValidationError("--size says how large --sheet draws; name the sheet with --sheet FILE")
        }
        let (one, other) = (try Store.open(path: store), try Store.open(path: b))
        let diff = try query.run(from: one, to: other, withImages: listing == .top || sheet != nil)
        printListing(try listed(diff), besides: sheet)
        if let listing { print(diff.remarks(listing)) }
        guard let path = sheet else { return }
        let sheet = try DiffSheet(a: one, b: other, images: imagesFolder, diff: diff, size: size.given, shade: shading.shade)
            .drawn()
        try sheet.refuseEmpty()
        try write(figure(of: sheet, one, other), to: path)
        try sheet.reportMissing()
    }

    private func listed(_ diff: Diff) throws -> String {
        switch listing {
        case .layers: try LayerDiffTable(layers: diff.layers).rendered(as: output.format)
        case .top: try MovedImagesTable(neurons: diff.neurons).rendered(as: output.format)
        case .predictions: try PredictionDiffTable(changes: diff.predictions.changes).rendered(as: output.format)
        case nil: try DiffReport(diff: diff).report(as: output.format)
        }
    }

    func figure() throws -> FigureFile {
        let (one, other) = (try Store.open(path: store), try Store.open(path: b))
        let diff = try query.run(from: one, to: other, withImages: true)
        let sheet = try DiffSheet(a: one, b: other, images: imagesFolder, diff: diff, size: size.given, shade: shading.shade)
            .drawn()
        try sheet.refuseGaps()
        return figure(of: sheet, one, other)
    }

    private func figure(of sheet: Sheet, _ one: Store, _ other: Store) -> FigureFile {
        sheet.figure(
            command: Self._commandName,
            options: query.options + shading.arguments(of: sheet) + Spelling.option("--size", size.given.map { "\($0)" }),
            operands: [store, b], model: one.description.model.sha256,
            facts: [("other-model", other.description.model.sha256)])
    }
}

extension Diff {
    /// Why a list is empty.
    fileprivate func remarks(_ listing: DiffCommand.Listing) -> [Remark] {
        let compared = "\(images.compared) images"
        switch listing {
        case .layers: return []
        case .top where neurons.isEmpty:
            return [
                .nothing(lookedAt: compared, because: "no neuron that lives in both stores has a correlation to be ranked by")
            ]
        case .top where neurons.allSatisfy { $0.came.isEmpty && $0.went.isEmpty }:
            return [
                .nothing(
                    lookedAt: "the \(neurons.count) most changed neurons",
                    because: "no image came to their strongest, and none went")
            ]
        case .predictions where predictions.compared == 0:
            return [.nothing(lookedAt: compared, because: "the stores hold no predictions of them to compare")]
        case .predictions where predictions.changes.isEmpty:
            return [.nothing(lookedAt: "\(predictions.compared) predictions", because: "none changed")]
        default: return []
        }
    }
}
