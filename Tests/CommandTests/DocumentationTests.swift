import Foundation
import TestSupport
import Testing

/// Every command of the README and of docs/ works, and every page stands where others say it does.
@Suite struct DocumentationTests {
    static let root = URL(fileURLWithPath: Fixtures.folder).deletingLastPathComponent().path
    static let pages =
        ["README.md"]
        + ((try? FileManager.default.contentsOfDirectory(atPath: root + "/docs")) ?? []).filter { $0.hasSuffix(".md") }.sorted()
        .map { "docs/" + $0 }

    private func text(_ page: String) throws -> String { try String(contentsOfFile: Self.root + "/" + page, encoding: .utf8) }

    /// The lines of a page's ```sh blocks, but those for make, which CI runs.
    private func commands(_ page: String) throws -> [String] {
        var isInside = false
        return try text(page).split(separator: "\n", omittingEmptySubsequences: false).compactMap { line in
            if line.hasPrefix("```") {
                isInside = line == "```sh"
                return nil
            }
            return isInside && !line.isEmpty && !line.hasPrefix("make ") ? String(line) : nil
        }
    }

    @Test(arguments: pages) func commandsWork(_ page: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/fixtures", withDestinationPath: Fixtures.folder)
        let commands = try commands(page)
        #expect(!commands.isEmpty)
        for command in commands {
            let result = try Executable.shell(command, in: folder.path)
            #expect(result.status == 0 && !result.isSignal, "\(command): \(result)")
        }
    }

    @Test(arguments: pages) func linksLead(_ page: String) throws {
        let folder = (Self.root + "/" + page as NSString).deletingLastPathComponent
        for link in try text(page).matches(of: #/\]\(([^)]+)\)/#).map({ String($0.1) }) where !link.contains("://") {
            #expect(FileManager.default.fileExists(atPath: folder + "/" + link), "\(page) links to \(link)")
        }
    }

    /// The two commands of the README are targets of the Makefile, and CI runs both.
    @Test func makeTargetsAreThere() throws {
        let makefile = try text("Makefile")
        let script = try text(".ci/run")
        for target in ["demo", "test"] {
            #expect(try text("README.md").contains("\nmake \(target)\n"))
            #expect(makefile.contains("\n\(target):"))
            #expect(script.contains("\nmake \(target)\n"))
        }
    }
}
