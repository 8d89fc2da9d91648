import Foundation
import TestSupport
import Testing

/// What holds of the sources themselves, as CONTRIBUTING.md and docs/architecture.md say.
struct SourceRulesTests {
    private static let sources = URL(fileURLWithPath: Fixtures.folder).deletingLastPathComponent().appending(path: "Sources")

    /// Swift files of `Sources`, by their path there.
    private static func files() throws -> [(path: String, lines: [Substring])] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: sources.path).filter { $0.hasSuffix(".swift") }.sorted()
        return try names.map { name in
            let text = try String(contentsOf: sources.appending(path: name), encoding: .utf8)
            return (name, text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }

    /// The library that a store is read with is known to `ActivationStore` alone: others ask a `Snapshot`.
    @Test func onlyTheStoreKnowsItsLibrary() throws {
        let files = try Self.files()
        #expect(files.count > 400)
        let importing = files.filter { $0.lines.contains { $0.split(separator: " ").suffix(2) == ["import", "GRDB"] } }.map(
            \.path)
        #expect(!importing.isEmpty)
        #expect(importing.filter { !$0.hasPrefix("ActivationStore/") } == [])
    }
}
