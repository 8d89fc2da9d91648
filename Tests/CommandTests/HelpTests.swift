import Foundation
import TestSupport
import Testing

/// Every command has an example in its help, and the example does what it says.
@Suite struct HelpTests {
    static let commands = [
        "index", "info", "layers", "top", "similar", "profile", "neurons", "contrast", "suspects", "shortcuts", "sql",
    ]
    /// Those whose examples name pictures that the test shop has not; their pages in docs/ are run instead.
    static let explainers = [
        "saliency", "occlusion", "cam", "deconv", "ascend", "explanations", "verify", "walkthrough", "relabel", "remove",
        "compact", "merge", "diff", "preprocessing", "predict", "maps", "filters",
    ]

    @Test func helpListsEveryCommand() throws {
        let shop = try Shop(withStore: false)
        let help = try shop.run("--help")
        #expect(help.status == 0)
        #expect(help.errors.isEmpty)
        for command in Self.commands + Self.explainers { #expect(help.output.contains("\n  \(command) ")) }
        #expect(try shop.run("--version").output == "0.2.0\n")
    }

    @Test(arguments: commands) func examplesWork(command: String) throws {
        let shop = try Shop(withStore: command != "index")
        let help = try shop.run("help", command)
        #expect(help.status == 0)
        let examples = help.output.split(separator: "\n").filter { $0.hasPrefix("  neurodex ") }.map(String.init)
        #expect(!examples.isEmpty)
        // A store as the example's model wants it; the pet shop's own preprocessing is not of its matter.
        for example in examples {
            let result = try Executable.shell(example, in: shop.path)
            #expect(result.status == 0, "\(example): \(result)")
        }
    }

    @Test func everyOptionIsExplained() throws {
        let shop = try Shop(withStore: false)
        for command in Self.commands {
            let help = try shop.run("help", command).output
            #expect(!help.contains("--block"))
            for line in help.split(separator: "\n") { #expect(line.count <= 160, "\(command): \(line)") }
        }
    }
}
