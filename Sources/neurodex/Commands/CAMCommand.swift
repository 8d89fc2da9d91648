import ActivationStore
import ArgumentParser
import Explanations
import Search
import Support

/// `cam`: a map, or with `fit` the last layer that a network without global average pooling needs for one.
struct CAMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: ClassActivationMap.name,
        abstract: ClassActivationMap.abstract,
        usage: "neurodex cam STORE IMAGES… [options]\nneurodex cam fit STORE",
        discussion: """
            Examples:

              neurodex cam shop.sqlite photos/cat/1.jpg -o where.png
              neurodex cam fit shop.sqlite

            All options of the map: neurodex cam map --help. A network that ends in global average pooling has exact maps; for another 'cam fit' \
            trains a last layer on the means in the store; without it, Grad-CAM is shown, and said to be.
            """,
        subcommands: [ExplainCommand<ClassActivationMap>.self, CAMFitCommand.self],
        defaultSubcommand: ExplainCommand<ClassActivationMap>.self)
}

struct CAMFitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit",
        abstract: "Train a last layer on the means in the store, for class activation maps of any network.",
        discussion: """
            Example:

              neurodex cam fit shop.sqlite

            Multinomial logistic regression on the spatial means of a layer, to convergence; the network itself is not run. Images of the split 'val' choose the \
            penalty, those of 'test' judge, all others train. The store keeps it, and 'cam' uses it from then on.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Option(
        help: ArgumentHelp("Whose means (default: the layer that feeds the network's classifier).", valueName: "layer"),
        completion: .layers)
    var layer: String?

    @Option(help: ArgumentHelp("Of the choice of held-out images where the store has no split 'val'.", valueName: "number"))
    var seed: UInt64 = 0

    @Flag(help: "Fit it and say how well it does, and keep nothing.")
    var dryRun = false

    @OptionGroup var output: FormatOption

    func run() throws {
        let store = try Store.open(path: store)
        let head = try CAMHead(fitting: store, layer: layer, seed: seed)
        if !dryRun { try store.keep(head) }
        printOut(try CAMFitTable(head: head).rendered(as: output.format))
        print(try CAMHead.remarks(fitting: store))
        if dryRun { printNote("nothing was written; without --dry-run the store keeps this layer") }
    }
}

struct CAMFitTable: Printable {
    var head: CAMHead

    private struct Entry: Encodable {
        var layer: String
        var classes: Int
        var channels: Int
        var l2: Double
        var trained: Int
        var judged: Int
        var judgedOn: String
        var accuracy: Double?
        var networkAccuracy: Double?

        enum CodingKeys: String, CodingKey {
            case layer, classes, channels, l2, trained, judged
            case judgedOn = "judged_on"
            case accuracy
            case networkAccuracy = "network_accuracy"
        }

        /// Every key is there, the accuracies as null where nothing was judged.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(layer, forKey: .layer)
            try container.encode(classes, forKey: .classes)
            try container.encode(channels, forKey: .channels)
            try container.encode(l2, forKey: .l2)
            try container.encode(trained, forKey: .trained)
            try container.encode(judged, forKey: .judged)
            try container.encode(judgedOn, forKey: .judgedOn)
            try container.encode(accuracy, forKey: .accuracy)
            try container.encode(networkAccuracy, forKey: .networkAccuracy)
        }
    }

    private var accuracy: Double? { head.judged > 0 ? head.accuracy : nil }
    private var networkAccuracy: Double? { head.judged > 0 ? head.networkAccuracy : nil }

    func encode(to encoder: any Encoder) throws {
        try Entry(
            layer: head.layer, classes: head.classes.count, channels: head.channels, l2: head.l2, trained: head.trained,
            judged: head.judged, judgedOn: head.judgedOn, accuracy: accuracy, networkAccuracy: networkAccuracy
        ).encode(to: encoder)
    }

    var table: TextTable {
        TextTable(
            columns: ["layer", "classes", "channels", "trained on", "judged on", "right", "the network's own"],
            rows: [
                [
                    .text(head.layer), .value(head.classes.count), .value(head.channels), .value(head.trained),
                    .text("\(head.judged) (\(head.judgedOn))"), .text(Self.percent(accuracy)),
                    .text(Self.percent(networkAccuracy)),
                ]
            ])
    }

    var fields: [[String]] {
        [
            ["layer", "classes", "channels", "l2", "trained", "judged", "judged_on", "accuracy", "network_accuracy"],
            [
                head.layer, "\(head.classes.count)", "\(head.channels)", "\(head.l2)", "\(head.trained)", "\(head.judged)",
                head.judgedOn,
                accuracy.map { "\($0)" } ?? "", networkAccuracy.map { "\($0)" } ?? "",
            ],
        ]
    }

    private static func percent(_ share: Double?) -> String {
        share.map { "\(($0 * 1000).rounded() / 10) %" } ?? "not known"
    }
}
