import Foundation
import Search
import Support

/// A report as the card that model hubs show: Markdown under a head of YAML.
public struct ModelCard {
    let content: ReportContent
    /// The network's name.
    let model: String
    /// Of the labelled images.
    let accuracy: Double?

    /// Rows of a table in a card; report.json has all.
    private static let rows = 25

    public init(_ content: ReportContent, model: String, accuracy: Double?) {
        (self.content, self.model, self.accuracy) = (content, model, accuracy)
    }

    public var text: String {
        var lines = head + ["", "# \(Self.escaped(content.facts.title))", ""]
        lines += content.findings.map { "- **\($0.level.word)** \(Self.escaped($0.text))" } + [""]
        for section in content.sections { lines += self.section(section) }
        lines += [
            "---", "",
            "Made by neurodex \(content.facts.toolVersion) on \(content.facts.date): "
                + "`\(Spelling.line(["neurodex"] + content.facts.arguments).replacing("`", with: "'"))`",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    /// As Hugging Face's model index has it.
    private var head: [String] {
        var lines = ["---", "library_name: onnx", "pipeline_tag: image-classification", "tags:", "- onnx", "- neurodex"]
        guard let accuracy else { return lines + ["---"] }
        lines += [
            "model-index:", "- name: \(Self.quoted(model))", "  results:", "  - task:", "      type: image-classification",
            "    dataset:", "      name: \(Self.quoted("the images of this report"))",
            "      type: \(Self.quoted("imagefolder"))", "    metrics:",
            "    - type: accuracy", "      value: \(accuracy)", "---",
        ]
        return lines
    }

    private func section(_ section: ReportSection) -> [String] {
        var lines = ["## \(Self.escaped(section.title))", "", "*\(Self.escaped(section.explanation))*", ""]
        for gap in section.gaps { lines += ["> **Missing.** \(Self.escaped(gap))", ""] }
        for block in section.blocks { lines += body(of: block) + [""] }
        return lines
    }

    private func body(of block: Block) -> [String] {
        switch block.content {
        case .text(let text): [Self.escaped(text)]
        case .list(let items): items.map { "- \(Self.escaped($0))" }
        case .fields(let fields): fields.map { "- **\(Self.escaped($0.name))**: [to be completed: \(Self.escaped($0.hint))]" }
        case .gallery(let gallery):
            ["**\(Self.escaped(gallery.caption))** (pictures are in the HTML report)", ""]
                + gallery.rows.filter { !$0.title.isEmpty }.map { "- \(Self.escaped($0.title)) \(Self.escaped($0.note ?? ""))" }
        case .table(let table): self.table(table)
        }
    }

    private func table(_ table: ReportTable) -> [String] {
        let columns = table.shown.columns.map { $0.isEmpty ? " " : Self.escaped($0) }
        func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        let rows = table.shown.rows.prefix(Self.rows).map { cells in
            line(
                cells.map { cell in
                    switch cell {
                    case .text(let text), .number(let text): Self.escaped(text)
                    case .nothing: "–"
                    }
                })
        }
        let left = table.fields.count - 1 - rows.count
        return ["**\(Self.escaped(table.caption))**", "", line(columns), line(columns.map { _ in "---" })] + rows
            + (left > 0 ? ["", "\(left) more rows are in report.json."] : [])
    }

    /// What Markdown or HTML would act upon stays text.
    static func escaped(_ text: String) -> String {
        text.shown().reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case "\\", "`", "*", "_", "[", "]", "|", "#": result += "\\\(character)"
            default: result.append(character)
            }
        }
    }

    /// A text of YAML.
    private static func quoted(_ text: String) -> String {
        "\"" + text.shown().replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
