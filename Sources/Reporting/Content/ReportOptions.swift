public import ActivationStore
public import ArgumentParser
import Explanations
import Search
import Support

/// What a report is to be of: the options of `report`, which the report names and `verify` reads again.
public struct ReportOptions: ParsableArguments {
    @Option(help: "Its title (default: the network's name).")
    public var title: String?

    @Option(help: ArgumentHelp("Who made it.", valueName: "name"))
    public var by: String?

    @Option(name: .customLong("for"), help: ArgumentHelp("Whom it is for.", valueName: "name"))
    public var recipient: String?

    @Option(
        help: ArgumentHelp(
            "Count accuracy by this column or SQL expression too; may be repeated (default: split).", valueName: "column"))
    public var group: [String] = []

    @Option(
        help: ArgumentHelp(
            "A table of more columns for --group: file, and others such as camera, site or age (without --group: all of them).",
            valueName: "csv"),
        completion: .file(extensions: ["csv", "tsv"]))
    public var groups: String?

    @Option(
        help: ArgumentHelp("The store of the network before this one: say what changed.", valueName: "store"),
        completion: .file(extensions: ["sqlite"]))
    public var beside: String?

    @Option(
        help: ArgumentHelp("A table of boxes around the things, for the pointing game.", valueName: "file"),
        completion: .file(extensions: ["csv"]))
    public var truth: String?

    @Option(
        help: ArgumentHelp(
            "With --truth: a mark that may be a shortcut, by the prefix of its columns (tag for tag_x0 …) and what it "
                + "is; may be repeated.",
            valueName: "prefix=name"))
    public var mark: [String] = []

    @Option(help: "Of what is drawn at random.")
    public var seed = 0

    @Option(help: ArgumentHelp("How many images drawn at random are explained.", valueName: "count"))
    public var sample = 6

    @Option(help: ArgumentHelp("How many of the worst and of the best answers are explained, each.", valueName: "count"))
    public var extremes = 3

    @Option(help: ArgumentHelp("How many of the explained images have their maps checked (default: all).", valueName: "count"))
    public var checks: Int?

    @Option(help: ArgumentHelp("Neurons are shown for so many classes, those with most images.", valueName: "count"))
    public var classes = 10

    public init() {}

    public func validate() throws {
        for (name, value) in [("--sample", sample), ("--extremes", extremes), ("--checks", checks ?? 0), ("--classes", classes)]
        where !(0...1000).contains(value) {
            throw ValidationError("\(name) takes a count from 0 to 1000, not \(value)")
        }
        guard mark.isEmpty || truth != nil else { throw ValidationError("--mark names columns of the table that --truth names") }
    }

    /// About how many times a report runs the network, forward or back, on inputs as large as 224 × 224; smaller ones count for less.
    public func passes(of model: ModelRecord, images: Int) throws -> Int {
        let passes = try ExplanationsSection.passes(self, model, images: images)
        let (pixels, common) = (max(model.inputHeight, 1).saturated(times: max(model.inputWidth, 1)), 224 * 224)
        return passes.saturated(times: pixels) / common
    }

    /// Prefixes of columns, and what they are of.
    var marks: [(prefix: String, name: String)] {
        mark.map { text in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            return (parts.first ?? "", parts.last ?? "")
        }
    }

    /// As arguments, defaults spelt out.
    public var arguments: [String] {
        Spelling.option("--title", title) + Spelling.option("--by", by) + Spelling.option("--for", recipient)
            + Spelling.option("--group", group) + Spelling.option("--groups", groups) + Spelling.option("--beside", beside)
            + Spelling.option("--truth", truth)
            + Spelling.option("--mark", mark) + Spelling.option("--seed", "\(seed)") + Spelling.option("--sample", "\(sample)")
            + Spelling.option("--extremes", "\(extremes)") + Spelling.option("--checks", checks.map { "\($0)" })
            + Spelling.option("--classes", "\(classes)")
    }
}
