import Foundation

/// What made a picture by ascent, and how it went.
public struct AscentRecord: Codable, Equatable, Sendable {
    public var version: String
    /// SHA-256 of the network.
    public var model: String
    public var objective: String
    public var style: String
    /// Every parameter, by the name of its option.
    public var parameters: [String: String]
    /// The objective on the pictures, without penalties, before the first step and after the last.
    public var first: [Double]
    public var last: [Double]
    public var steps: Int
    public var endedEarly: Bool
    /// The objective less its penalties at every step.
    public var curve: [Double]

    private enum CodingKeys: String, CodingKey {
        case version, model, objective, style, parameters, first, last, steps
        case endedEarly = "ended_early"
        case curve
    }

    init(
        _ objective: Objective, _ settings: AscentSettings, _ style: AscentStyle, _ result: Ascent.Result, model: String,
        version: String
    ) {
        self.version = version
        self.model = model
        self.objective = objective.text
        self.style = style.rawValue
        parameters = Dictionary(uniqueKeysWithValues: settings.parameters.map { ($0.name, $0.value) })
        first = result.first
        last = result.last
        steps = result.curve.count
        endedEarly = result.endedEarly
        curve = result.curve
    }

    /// One line of JSON, its keys sorted.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// For the texts of a picture.
    public var facts: [(name: String, value: String)] {
        [
            ("target", objective), ("first", Self.numbers(first)), ("last", Self.numbers(last)),
            ("objective", Self.numbers(curve)),
        ]
    }

    /// How it was made, in a line for figures.
    public var caption: String {
        "gradient ascent, \(style)" + (parameters["steps"].map { ", \($0) steps" } ?? ", \(steps) steps")
            + (parameters["l2"].flatMap { Double($0) == 0 ? nil : ", λ = \($0)" } ?? "")
            + (parameters["seed"].map { ", seed \($0)" } ?? "")
    }

    /// One line for people.
    public var summary: String {
        "\(objective): from \(Self.numbers(first)) to \(Self.numbers(last)) in \(steps) steps"
            + (endedEarly ? "; it rose no more" : "")
    }

    private static func numbers(_ values: [Double]) -> String {
        values.map { String(format: "%.6g", $0) }.joined(separator: " ")
    }
}
