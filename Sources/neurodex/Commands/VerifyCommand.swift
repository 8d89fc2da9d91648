import ActivationStore
import ArgumentParser
import Foundation
import Indexing
import NeuralNetwork
import Reporting
import Support

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a store, or make a picture or a report of neurodex again and compare.",
        discussion: """
            Examples:

              neurodex verify shop.sqlite --sample 50
              neurodex verify why.png
              neurodex verify report.html

            Of a store it checks every block, list, statistic and kept explanation, and computes a sample of the activations anew. A picture says in its \
            text chunks what made it; it is made again from that and compared, pixel by pixel; so is a report, text by text and picture by picture. Exit status 1 if anything is wrong, and a line for \
            each finding; 2 if the store is sound, but files of the sample have gone or have changed since they were indexed. Where the \
            arguments in a picture or a report ask for much work, it asks first, or wants --yes.
            """)

    @Argument(help: "The store, a picture, or a report: a page or a folder.", completion: .file())
    var file: String

    @Option(
        help: ArgumentHelp("With a picture or a report: where its store is now (default: where it was).", valueName: "file"),
        completion: .file())
    var store: String?

    @Option(help: ArgumentHelp("Images to run through the network again; 0 for none.", valueName: "count"))
    var sample = 16

    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"), completion: .file())
    var model: String?

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var imagesFolder: String?

    @Flag(help: "With a picture or a report: make it again however long that takes.")
    var yes = false

    func validate() throws {
        guard sample >= 0 else { throw ValidationError("--sample takes a count of 0 or more, not \(sample)") }
    }

    func run() throws {
        if let figure = try FigureCheck(path: file) { return try check(figure) }
        if let report = ReportCheck(path: file) {
            let status = try report.run(
                path: file, store: store, model: model, images: imagesFolder, allows: yes ? { _ in true } : Self.asks)
            guard status == .success else { throw status }
            return
        }
        guard store == nil || access(file, F_OK) == 0 else {
            throw Failure("\(file): there is no such file; name a picture that neurodex drew")
        }
        guard store == nil else { throw ValidationError("--store says where a picture's store is; \(file) is no PNG") }
        do {
            try checkStore()
        } catch StoreError.missing(let path, let nearest) {
            let advice = nearest.isEmpty ? "; name a store, or a picture that neurodex drew" : Suggestion.clause(nearest)
            throw Failure("\(path): there is no such file\(advice)")
        }
    }

    private func check(_ figure: FigureCheck) throws {
        let findings = try figure.findings(
            store: store, model: model, images: imagesFolder, allows: yes ? { _ in true } : Self.asks)
        for finding in findings { printNote(finding) }
        guard findings.isEmpty else {
            printNote("\(file): not what '\(figure.line)' makes now")
            throw ExitCode.failure
        }
        printOut("\(file): made again, the same \(figure.sameness): \(figure.line)".shown() + "\n")
    }

    /// Whether the user, where there is one, wants made again what takes so many passes of the network.
    private static func asks(_ passes: Int) -> Bool {
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return false }
        printError("this takes some \(passes) passes of the network to make again; go on? [y/N] ")
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }

    /// What came of computing some images anew.
    private struct Recomputed {
        var findings = 0
        var obstacles = 0
        var missing: [String] = []
        var isInterrupted = false
        /// Behind the summary of what was checked.
        var summary = ""
    }

    private func checkStore() throws {
        let opened = try Store.open(path: file, mapsPages: false)
        let checked = try opened.verify()
        for finding in checked.findings { printNote(finding) }
        if checked.unlisted > 0 { printNote("… and \(checked.unlisted) more") }
        let recomputed = sample > 0 && checked.images > 0 ? try recompute(opened) : Recomputed()
        let summary = Self.summary(checked) + recomputed.summary
        let (missing, obstacles) = (recomputed.missing, recomputed.obstacles)
        if !missing.isEmpty {
            printNote(
                "not computed anew: \(DatasetError.imagesMissing(paths: missing, of: min(sample, checked.images))), or leave them out with --sample 0"
            )
        }
        let count = checked.findings.count + checked.unlisted + recomputed.findings
        guard count == 0 else {
            printNote("\(file): \(count) \(count == 1 ? "finding" : "findings") in \(summary)")
            throw ExitCode.failure
        }
        let extent = recomputed.isInterrupted ? " as far as it was checked" : ""
        printOut("\(file): sound\(extent); checked \(summary)".shown() + "\n")
        if recomputed.isInterrupted { throw ExitCode.interrupted }
        guard obstacles == 0 else {
            printNote(
                "\(obstacles) \(obstacles == 1 ? "image" : "images") of the sample could not be computed anew: the store is not to blame, but the files are not what was indexed"
            )
            throw ExitCode.someSkipped
        }
        if !missing.isEmpty { throw ExitCode.someSkipped }
    }

    private func recompute(_ opened: Store) throws -> Recomputed {
        let interruption = Interruption()
        let again = try Rederivation(of: opened, model: model, images: imagesFolder).run(sample: sample) {
            interruption.isRequested
        }
        let isInterrupted = interruption.isRequested
        for finding in again.findings + again.obstacles { printNote(finding) }
        return Recomputed(
            findings: again.findings.count, obstacles: again.obstacles.count, missing: again.missing,
            isInterrupted: isInterrupted,
            summary:
                ", \(again.images) images computed anew (\(again.identical) of \(again.activations) maxima equal to the last bit)"
        )
    }

    private static func summary(_ checked: Verification) -> String {
        "\(checked.images) images, \(checked.activationRows) blocks of activations, \(checked.statistics) statistics, \(checked.topEntries) list entries"
            + (checked.explanations > 0 ? ", \(checked.explanations) explanations" : "")
            + (checked.thumbnails > 0 ? ", \(checked.thumbnails) thumbnails" : "")
            + (checked.attributes > 0 ? ", \(checked.attributes) \(checked.attributes == 1 ? "attribute" : "attributes")" : "")
    }
}
