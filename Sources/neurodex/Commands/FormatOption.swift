import ArgumentParser

/// `--format`, which everything that lists has.
struct FormatOption: ParsableArguments {
    @Option(help: ArgumentHelp("table for people, json or csv for programs.", valueName: "table|json|csv"))
    var format: OutputFormat = .table
}

extension OutputFormat: ExpressibleByArgument {}
