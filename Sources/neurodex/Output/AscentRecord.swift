import ActivationStore
import Explanations
import Foundation

/// What made a picture by ascent, and how it went: for the PNG's text chunks and `--json`.
struct AscentRecord: Encodable {
    var version = Neurodex.version
    var model: String
    var objective: String
    var style: String
    var parameters: [String: String]
    /// The objective on the pictures, without penalties, before the first step and after the last.
    var first: [Double]
    var last: [Double]
    var steps: Int
    var endedEarly: Bool
    /// The objective less its penalties at every step.
    var curve: [Double]

    private enum CodingKeys: String, CodingKey {
        case version, model, objective, style, parameters, first, last, steps
        case endedEarly = "ended_early"
        case curve
    }

    private let list: [(name: String, value: String)]

    init(
        _ objective: Objective, _ settings: AscentSettings, _ style: AscentStyle, _ result: Ascent.Result,
        _ description: StoreDescription
    ) {
        model = description.model.sha256
        self.objective = objective.text
        self.style = style.rawValue
        list = settings.parameters
        parameters = Dictionary(uniqueKeysWithValues: settings.parameters.map { ($0.name, $0.value) })
        first = result.first
        last = result.last
        steps = result.curve.count
        endedEarly = result.endedEarly
        curve = result.curve
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    var text: [(String, String)] {
        [
            ("Software", "neurodex \(version)"),
            ("neurodex:command", "ascend"),
            ("neurodex:model", model),
            ("neurodex:target", objective),
            ("neurodex:style", style),
            ("neurodex:parameters", list.map { "\($0.name)=\($0.value)" }.joined(separator: " ")),
            ("neurodex:first", Self.numbers(first)),
            ("neurodex:last", Self.numbers(last)),
            ("neurodex:objective", Self.numbers(curve)),
        ]
    }

    /// One line for people.
    var summary: String {
        "\(objective): from \(Self.numbers(first)) to \(Self.numbers(last)) in \(steps) steps"
            + (endedEarly ? "; it rose no more" : "")
    }

    private static func numbers(_ values: [Double]) -> String {
        values.map { String(format: "%.6g", $0) }.joined(separator: " ")
    }
}
