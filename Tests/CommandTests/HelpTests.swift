import Foundation
import Search
import TestSupport
import Testing

/// Every command has an example in its help, and the example does what it says.
@Suite struct HelpTests {
    static let commands = ["index", "info", "layers"] + queries.map { $0.name }
    /// Those whose examples name pictures that the test shop has not; their pages in docs/ are run instead.
    static let explainers = [
        "saliency", "occlusion", "cam", "deconv", "ascend", "explanations", "verify", "walkthrough", "relabel", "remove",
        "compact", "merge", "diff", "preprocessing", "predict", "maps", "filters", "explain", "card", "report",
        "attributes", "detect", "attention",
    ]

    @Test func helpListsEveryCommand() throws {
        let shop = try Shop(withStore: false)
        let help = try shop.run("--help")
        #expect(help.status == 0)
        #expect(help.errors.isEmpty)
        for command in Self.commands + Self.explainers { #expect(help.output.contains("\n  \(command) ")) }
        #expect(try shop.run("--version").output == "0.9.0\n")
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

    /// Behind every option and argument stand words, on its line or the next.
    @Test(arguments: commands + explainers) func everyOptionIsExplained(command: String) throws {
        let shop = try Shop(withStore: false)
        let help = try shop.run("help", command).output
        let lines = help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var looked = 0
        let row = #/  (?:<[^>]*>(?: \.\.\.)?|-[-\w]+(?:, -[-\w]+)*(?: <[^>]*>)?)(.*)/#
        for (index, line) in lines.enumerated() {
            guard let match = line.wholeMatch(of: row) else { continue }
            // An option that leaves no room has its words on the next line.
            let next = index + 1 < lines.count && lines[index + 1].hasPrefix("          ") ? lines[index + 1] : ""
            let words = (match.output.1 + next).drop { $0 == " " }
            #expect(!words.isEmpty && !words.hasPrefix("(default"), "\(command): \(line)")
            looked += 1
        }
        #expect(looked > 1, "\(command)")
        #expect(!help.contains("--block"))
        for line in lines where !line.hasPrefix("USAGE:") { #expect(line.count <= 160, "\(command): \(line)") }
    }
}
