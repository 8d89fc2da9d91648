import ArgumentParser

/// `--format`, which everything that lists has.
struct FormatOption: ParsableArguments {
    enum Name: String, CaseIterable, ExpressibleByArgument {
        case table, json, csv
    }

    @Option(
        name: .customLong("format"),
        help: ArgumentHelp("table for people, json or csv for programs.", valueName: "table|json|csv"))
    var name: Name = .table

    @Flag(
        name: .customLong("csv-safe"),
        help: "With --format csv, for a spreadsheet: put an apostrophe before cells that it would take for formulas.")
    var isSafe = false

    func validate() throws {
        guard !isSafe || name == .csv else { throw ValidationError("--csv-safe marks cells of CSV; add --format csv") }
    }

    var format: OutputFormat {
        switch name {
        case .table: .table
        case .json: .json
        case .csv: csv
        }
    }

    /// As CSV, whatever is printed.
    var csv: OutputFormat { isSafe ? .safeCSV : .csv }
}
