import ActivationStore
import ArgumentParser
import Indexing
import NeuralNetwork

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a store: every block, list and statistic, and a sample of activations computed anew.",
        discussion: """
            Example:

              neurodex verify shop.sqlite --sample 50

            Exit status 1 if anything is wrong, and a line for each finding.
            """)

    @Argument(help: "The store.")
    var store: String

    @Option(help: ArgumentHelp("Images to run through the network again; 0 for none.", valueName: "count"))
    var sample = 16

    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"))
    var model: String?

    func validate() throws {
        guard sample >= 0 else { throw ValidationError("--sample takes a count of 0 or more, not \(sample)") }
    }

    func run() throws {
        let opened = try Store.open(path: store)
        let checked = try opened.verify()
        var findings = checked.findings
        if checked.unlisted > 0 { findings.append("… and \(checked.unlisted) more") }
        var summary =
            "\(checked.images) images, \(checked.activationRows) blocks of activations, \(checked.statistics) statistics, \(checked.topEntries) list entries"
        if sample > 0, checked.images > 0 {
            let again = try Rederivation(of: opened, model: model).run(sample: sample)
            findings += again.findings
            summary += ", \(again.images) images computed anew (\(again.identical) of \(again.activations) maxima equal to the last bit)"
        }
        for finding in findings { printNote(finding) }
        guard findings.isEmpty else {
            printNote("\(store): \(findings.count) findings in \(summary)")
            throw ExitCode.failure
        }
        printOut("\(store): sound; checked \(summary)\n")
    }
}
