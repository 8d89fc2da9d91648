public import Foundation

/// A report for programs; docs/report.schema.json says what is in it.
public struct ReportJSON: Encodable {
    let content: ReportContent

    public init(_ content: ReportContent) { self.content = content }

    /// Of the form; it grows where a reader of an older one would misread.
    static let format = 1

    enum CodingKeys: String, CodingKey {
        case format, facts, whole, findings, sections
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.format, forKey: .format)
        try container.encode(content.facts, forKey: .facts)
        try container.encode(content.isWhole, forKey: .whole)
        try container.encode(content.findings, forKey: .findings)
        try container.encode(content.sections, forKey: .sections)
    }

    /// The same content always gives the same bytes.
    public func data() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try encoder.encode(self) + Data("\n".utf8)
    }
}
