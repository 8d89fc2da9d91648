public import Foundation
import Support

/// A report as a folder: the page with its pictures beside it, JSON, the model card, every table as CSV, and the SHA-256 of all of them.
public struct ReportFolder {
    /// Bytes by path within the folder.
    public let files: [String: Data]

    private static let sumsFile = "SHA256SUMS"

    public init(_ content: ReportContent, card: ModelCard) throws {
        var files: [String: Data] = [
            "report.html": try ReportPage(content, pictures: .files).data(),
            "report.json": try ReportJSON(content).data(), "model-card.md": Data(card.text.utf8),
        ]
        for (name, data) in content.pictures { files["\(ReportPage.pictureFolder)/\(name)"] = data }
        for section in content.sections {
            for block in section.blocks {
                if case .table(let table) = block.content {
                    files["tables/\(block.id).csv"] = Data(table.fields.map { csvLine($0) }.joined().utf8)
                }
            }
        }
        files[Self.sumsFile] = Self.sums(files)
        self.files = files
    }

    /// The SHA-256 of every file, but for the one that they stand in.
    static func sums(_ files: [String: Data]) -> Data {
        let names = files.keys.filter { $0 != sumsFile }.sorted()
        let lines = names.map { "\(Data(SHA256.hash(data: files[$0] ?? Data())).hexadecimal)  \($0)\n" }
        return Data(lines.joined().utf8)
    }
}
