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

    /// A function fits on a screen.
    @Test func functionsAreShort() throws {
        let long = try Self.files().flatMap { file in
            Self.functions(in: file.lines).filter { $0.lines > Self.mostLines }.map { "\(file.path): \($0.name)" }
        }
        #expect(long == [])
        let text =
            "struct A {\n    func one() {\n        a()\n    }\n\n    init(\n        b: Int\n    ) {\n    }\n    func c()\n}\n"
        let found = Self.functions(in: text.split(separator: "\n", omittingEmptySubsequences: false))
        #expect(found.map(\.name) == ["one", "init"] && found.map(\.lines) == [3, 4])
    }

    private static let mostLines = 45

    /// Those that have a body of several lines, from the line of the name to that of the last bracket.
    private static func functions(in lines: [Substring]) -> [(name: String, lines: Int)] {
        let start =
            #/^(?<indent> *)(?:@\w+(?:\([^)]*\))? )*(?:\w+(?:\(\w+\))? )*?(?:func (?<name>[^ (<]+)|(?<other>init|deinit|subscript)\b)/#
        // To look for these first is much quicker.
        let names = ["func ", "init", "subscript"]
        return lines.indices.compactMap { first in
            guard names.contains(where: { lines[first].contains($0) }), let match = lines[first].prefixMatch(of: start),
                !lines[first].hasSuffix("}")
            else { return nil }
            let indent = String(match.output.indent)
            // What comes first: the function's last line, or one that is outside of it.
            let end = lines[(first + 1)...].firstIndex { line in
                line.hasPrefix(indent + "}") || !line.isEmpty && !line.hasPrefix(indent)
                    || line.hasPrefix(indent) && !line.hasPrefix(indent + " ") && !line.hasPrefix(indent + ")")
                        && !line.hasPrefix(indent + "{")
            }
            guard let end, lines[end].hasPrefix(indent + "}") else { return nil }
            return (String(match.output.name ?? match.output.other ?? ""), end - first + 1)
        }
    }
}
