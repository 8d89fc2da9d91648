import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Reporting
import Search
import Support

/// `report`: a document of what is known of a network, to be filed and checked.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write a report of the network that can be printed, filed and checked.",
        discussion: """
            Examples:

              neurodex report shop.sqlite -o report.html
              neurodex report shop.sqlite -o folder/ --by "A. Turing" --for "The board" --group split --beside old.sqlite
              neurodex report shop.sqlite --format model-card -o README.md

            One page that loads nothing, or a folder with the same page, its pictures, JSON, a model card and every table as CSV. It has the \
            identity of everything, data, accuracy with intervals, calibration, groups, errors, shortcuts, neurons, explanations of images drawn at random, \
            changes, what was not tested, and fields for people. 'neurodex verify FILE' makes all of it again and compares.
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case html, json, folder
        case modelCard = "model-card"
    }

    @Argument(help: "The store.", completion: .file())
    var store: String

    @OptionGroup var options: ReportOptions

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("The file, whose ending says what it is, or a folder.", valueName: "file"), completion: .file())
    var out: String

    @Option(help: ArgumentHelp("html, json, model-card or folder (default: by the name's ending).", valueName: "format"))
    var format: Format?

    @OptionGroup var files: FilesOptions

    private var chosen: Format {
        if let format { return format }
        if out.hasSuffix("/") { return .folder }
        return switch (out as NSString).pathExtension.lowercased() {
        case "html", "htm": .html
        case "json": .json
        case "md": .modelCard
        default: .folder
        }
    }

    func validate() throws {
        guard !out.isEmpty else { throw ValidationError("-o takes the name of a file or a folder") }
    }

    func run() throws {
        let made = try ReportRun(store: store, options: options, model: files.model, images: files.images)
        let content = try made.content(made.facts())
        switch chosen {
        case .html: try neurodex.write(try ReportPage(content).data(), to: out)
        case .json: try neurodex.write(try ReportJSON(content).data(), to: out)
        case .modelCard: try neurodex.write(Data(made.card(content).text.utf8), to: out)
        case .folder: try writeFolder(try ReportFolder(content, card: made.card(content)))
        }
        for section in content.sections {
            for gap in section.gaps { printNote("\(section.title): \(gap)") }
        }
        let alarms = content.findings.filter { $0.level == .alarm }
        printNote(
            "\(out): \(content.sections.count) sections, \(content.pictures.count) pictures\(alarms.isEmpty ? "" : "; look at:")")
        for alarm in alarms { printNote("  " + alarm.text) }
        if !content.isWhole { throw ExitCode.someSkipped }
    }

    private func writeFolder(_ folder: ReportFolder) throws {
        let root = out.hasSuffix("/") ? String(out.dropLast()) : out
        try makeFolder(root)
        for (name, data) in folder.files.sorted(by: { $0.key < $1.key }) {
            let parent = (name as NSString).deletingLastPathComponent
            if !parent.isEmpty { try makeFolder(root + "/" + parent) }
            try neurodex.write(data, to: root + "/" + name)
        }
    }
}

/// A store with its network and images, ready to be reported on.
struct ReportRun {
    private let store: Store
    private let options: ReportOptions
    private let archive: ExplanationArchive
    private let images: String?

    init(store path: String, options: ReportOptions, model: String?, images: String?) throws {
        store = try Store.open(path: path)
        self.options = options
        self.images = images
        archive = try ExplanationArchive(
            store: store, model: model, images: images, keeps: false, toolVersion: Neurodex.version)
    }

    /// Of a report that is made now.
    func facts() -> ReportFacts {
        ReportFacts(
            title: options.title ?? store.description.model.name, by: options.by, recipient: options.recipient,
            date: ISO8601DateFormatter().string(from: Date()), host: ProcessInfo.processInfo.hostName,
            toolVersion: Neurodex.version,
            arguments: Spelling.command("report", options: options.arguments, operands: [store.path]))
    }

    func content(_ facts: ReportFacts) throws -> ReportContent {
        try ReportMaker(store, archive, images: images, options).make(facts)
    }

    func card(_ content: ReportContent) -> ModelCard {
        let all = try? AccuracyQuery(by: []).run(in: store).first?.accuracy?.share
        return ModelCard(content, model: store.description.model.name, accuracy: all ?? nil)
    }
}

extension ReportCheck {
    /// What is done without asking, some minutes of a large network: the report may be a stranger's.
    private static let mostPasses = 20_000

    /// Makes the report again, and says what agrees.
    /// - Parameter allows: asked before what takes more than ``mostPasses`` passes of a network of 224 × 224 pixels.
    /// - Returns: the status of the program.
    func run(path: String, store: String?, model: String?, images: String?, allows: (Int) -> Bool) throws -> ExitCode {
        guard facts.arguments.first == "report", let operand = facts.arguments.last,
            let options = try? ReportOptions.parse(Array(facts.arguments.dropFirst().dropLast()).filter { $0 != "--" })
        else {
            throw Failure(
                "\(path) was made by '\(NamedArguments(facts.arguments, of: path).line)', which this version of neurodex "
                    + "does not know"
            )
        }
        let file = store ?? operand
        guard FileManager.default.fileExists(atPath: file) else {
            throw Failure("\(path) was made from the store \(file), which is not there; say where it is with --store")
        }
        try NamedArguments(facts.arguments, of: path).refusePipes()
        let opened = try Store.open(path: file)
        let passes = try options.passes(of: opened.description.model, images: opened.imageCount())
        guard passes <= Self.mostPasses || allows(passes) else {
            throw Failure("\(path) takes some \(passes) passes of the network to make again; if that is meant, say --yes")
        }
        let again = try ReportRun(store: file, options: options, model: model, images: images)
        let content = try again.content(facts)
        let outcome = try outcome(content, card: again.card(content))
        if facts.toolVersion != Neurodex.version {
            printNote("made by neurodex \(facts.toolVersion), and again by \(Neurodex.version)")
        }
        for line in outcome.agree { printOut("the same: \(line)\n".shown(keeping: "\n")) }
        for line in outcome.notMade { printNote("cannot be made now: \(line)") }
        for line in outcome.differ { printNote("differs: \(line)") }
        guard outcome.differ.isEmpty else {
            printNote("\(path): not what its own command makes now")
            return .failure
        }
        guard outcome.notMade.isEmpty else { return .someSkipped }
        printOut(
            "\(path): made again, the same in every number and picture; dates and names of people are the report's own\n".shown(
                keeping: "\n"))
        return .success
    }
}
