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
        for finding in checked.findings { printNote(finding) }
        if checked.unlisted > 0 { printNote("… and \(checked.unlisted) more") }
        var count = checked.findings.count + checked.unlisted
        var summary =
            "\(checked.images) images, \(checked.activationRows) blocks of activations, \(checked.statistics) statistics, \(checked.topEntries) list entries"
        if sample > 0, checked.images > 0 {
            let again = try Rederivation(of: opened, model: model).run(sample: sample)
            for finding in again.findings { printNote(finding) }
            count += again.findings.count
            summary +=
                ", \(again.images) images computed anew (\(again.identical) of \(again.activations) maxima equal to the last bit)"
        }
        guard count == 0 else {
            printNote("\(store): \(count) \(count == 1 ? "finding" : "findings") in \(summary)")
            throw ExitCode.failure
        }
        printOut("\(store): sound; checked \(summary)\n")
    }
}
