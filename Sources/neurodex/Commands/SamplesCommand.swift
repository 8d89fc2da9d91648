import ActivationStore
import ArgumentParser
import Search

/// Every question's samples as lines of a shell: for tests that ask a program of another build everything.
struct SamplesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "samples", abstract: "Print a command for each kind of question.", shouldDisplay: false)

    @Argument(help: "The store, which needs images with labels.", completion: .file())
    var store: String

    func run() throws {
        let ground = try SampleGround(try Store.open(path: store))
        for query in Neurodex.questions { printLines(query, ground) }
    }

    private func printLines<Q: Query>(_: Q.Type, _ ground: SampleGround) {
        for sample in Q.samples(ground) {
            printOut(
                Spelling.line(Spelling.command(Q.name, options: sample.options, operands: [store] + sample.operands)) + "\n")
        }
    }
}
