import Foundation
import Search
import Support

/// What a picture says of how it was made, in the text chunks of its PNG: enough to make it again.
public struct Provenance: Equatable, Sendable {
    /// The arguments of `neurodex` that make the same picture, defaults spelt out, without the file it is written to.
    public var arguments: [String]
    /// SHA-256 of the network.
    public var model: String
    /// Paths and SHA-256 of the images in it.
    public var images: [(path: String, sha256: String)]
    /// What its numbers are, by name.
    public var facts: [(name: String, value: String)]
    public var toolVersion: String

    /// - Parameters:
    ///   - options: of the command, before what it is about.
    ///   - operands: the store, and what else it takes without a name.
    public init(
        command: String, options: [String], operands: [String], model: String, images: [(path: String, sha256: String)] = [],
        facts: [(name: String, value: String)] = [], toolVersion: String
    ) {
        arguments = Spelling.command(command, options: options, operands: operands)
        (self.model, self.images, self.facts) = (model, images, facts)
        self.toolVersion = toolVersion
    }

    /// Of a picture of explanations.
    public init(
        command: String, options: [String], operands: [String], model: String, of explanations: [Explanation], toolVersion: String
    ) {
        var images: [(path: String, sha256: String)] = []
        for explanation in explanations
        where images.last.map({ ExactString($0.path) }) != ExactString(explanation.image) {
            images.append((explanation.image, explanation.imageSHA256.hexadecimal))
        }
        let checks = explanations.compactMap(\.checks)
        self.init(
            command: command, options: options, operands: operands, model: model, images: images,
            facts: [
                ("targets", explanations.map(\.target.text).joined(separator: "\n")),
                ("values", explanations.map { "\($0.value)" }.joined(separator: "\n")),
            ] + (checks.isEmpty ? [] : [(Self.checksFact, Self.text(of: checks))]),
            toolVersion: toolVersion)
    }

    /// Keywords and texts.
    public var text: [(String, String)] {
        let images = images.map { "\($0.sha256) \($0.path)" }.joined(separator: "\n")
        return [
            ("Software", "neurodex \(toolVersion)"), (Self.argumentsKey, Self.json(arguments)), ("neurodex:model", model),
        ] + (images.isEmpty ? [] : [("neurodex:images", images)]) + facts.map { ("neurodex:\($0.name)", $0.value) }
    }

    /// The arguments that a picture's texts name; nil where they name none.
    public static func arguments(in text: [(keyword: String, text: String)]) -> [String]? {
        guard let json = text.first(where: { $0.keyword == argumentsKey })?.text else { return nil }
        return try? JSONDecoder().decode([String].self, from: Data(json.utf8))
    }

    /// Whether a picture says what its maps were checked for: one that has checks and does not is of their first rule.
    public static func namesChecks(_ text: [(keyword: String, text: String)]) -> Bool {
        text.contains { $0.keyword == "neurodex:\(checksFact)" }
    }

    private static func text(of checks: [MapChecks]) -> String {
        checks.map { "rule \($0.rule): \($0.verdict)" }.joined(separator: "\n")
    }

    private static let checksFact = "checks"
    private static let argumentsKey = "neurodex:arguments"

    private static func json(_ strings: [String]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(strings)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }

    public static func == (a: Provenance, b: Provenance) -> Bool { a.text.elementsEqual(b.text) { $0 == $1 } }
}
