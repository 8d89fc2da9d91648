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

    /// The lines of a page's ```sh blocks, but those for make, which CI runs, and the installation, which `make dist-test` runs; and its
    /// ```python blocks, whole.
    private func commands(_ page: String) throws -> [String] {
        try text(page).matches(of: #/```(sh|python)\n([^`]+)```/#).flatMap { block -> [String] in
            let (language, lines) = (block.output.1, block.output.2)
            if language == "python" { return ["/usr/bin/python3 - <<'END'\n\(lines)END"] }
            return lines.split(separator: "\n").filter { !$0.hasPrefix("make ") && !$0.hasPrefix("pip install ") }.map(
                String.init)
        }
    }

    /// What `make extension` builds, without installing anything.
    private static let extensionBuild = Result {
        try Executable.shell("make -s -C '\(root)' .build/activation.so", in: root, timeout: 600)
    }

    @Test(arguments: pages) func commandsWork(_ page: String) throws { try run(page, in: try Self.folder()) }

    /// A reader who goes through all pages has one folder for them.
    @Test func pagesWorkOneAfterAnother() throws {
        let folder = try Self.folder()
        for page in Self.pages { try run(page, in: folder) }
    }

    private static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/fixtures", withDestinationPath: Fixtures.folder)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/.build", withDestinationPath: root + "/.build")
        return folder
    }

    private func run(_ page: String, in folder: TemporaryFolder) throws {
        let commands = try commands(page)
        #expect(!commands.isEmpty)
        if try text(page).contains("\nmake extension\n") {
            let built = try Self.extensionBuild.get()
            #expect(built.status == 0, "\(built)")
        }
        for command in commands {
            let result = try Executable.shell(command, in: folder.path)
            #expect(result.status == 0 && !result.isSignal, "\(page): \(command): \(result)")
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
