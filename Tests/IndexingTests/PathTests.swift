import Foundation
import Support
import TestSupport
import Testing

/// Paths as bytes, as text, and as places.
@Suite struct PathTests {
    @Test func everyPathHasOneText() {
        let paths: [([UInt8], String)] = [
            (Array("photos/cat.jpg".utf8), "photos/cat.jpg"), (Array("e\u{301}".utf8), "e\u{301}"),
            ([0x63, 0xE9, 0x2E, 0x6A], "c\\xE9.j"), ([0xC3], "\\xC3"), ([0xC3, 0xC3, 0xA9, 0xFF], "\\xC3é\\xFF"),
            (Array("a\\xE9".utf8), "a\\x5CxE9"), (Array("a\\x5CxE9".utf8), "a\\x5Cx5CxE9"), (Array("a\\xe9".utf8), "a\\xe9"),
            (Array("a\\x41".utf8), "a\\x41"), (Array("\\".utf8), "\\"), ([], ""), ([0xED, 0xA0, 0x80], "\\xED\\xA0\\x80"),
            ([0x5C, 0x78, 0xE9], "\\x\\xE9"),
        ]
        for (bytes, text) in paths {
            #expect(ExactString(PathText.text(of: bytes)) == ExactString(text), "\(bytes)")
            #expect(PathText.bytes(of: text) == bytes, "\(text)")
        }
        var random = SeededGenerator(seed: 4)
        let alphabet: [UInt8] = [0x5C, 0x78, 0x45, 0x39, 0x35, 0x43, 0xC3, 0xA9, 0xE9, 0x2F, 0x61]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...8, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            #expect(PathText.bytes(of: PathText.text(of: bytes)) == bytes)
        }
    }

    @Test func stringsOfOtherBytesAreOthers() {
        #expect("\u{E9}" == "e\u{301}" && ExactString("\u{E9}") != ExactString("e\u{301}"))
        #expect(Set(["\u{E9}", "e\u{301}", "\u{C5}", "\u{212B}"].map { ExactString($0) }).count == 4)
        #expect(ExactString("a") < ExactString("b") && ExactString("Z") < ExactString("a"))
    }

    @Test func places() {
        #expect(RealPaths.plain("/a/./b//c/../d/") == "/a/b/d")
        #expect(RealPaths.plain("../a/../../b") == "../../b" && RealPaths.plain("a/..") == "." && RealPaths.plain("/..") == "/")
        #expect(RealPaths.relative("/a/b/c.jpg", from: "/a/d") == "../b/c.jpg")
        #expect(RealPaths.relative("/a/b", from: "/a/b") == "." && RealPaths.relative("/a", from: "/b") == nil)
        #expect(
            RealPaths.split("/a") == ("/", "a") && RealPaths.split("a") == (".", "a") && RealPaths.split("a/b/c") == ("a/b", "c"))
    }

    @Test func realPaths() throws {
        let folder = try TemporaryFolder()
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder.file("a/b"), withIntermediateDirectories: true)
        try Data([1]).write(to: URL(fileURLWithPath: folder.file("a/b/f")))
        try manager.createSymbolicLink(atPath: folder.file("l"), withDestinationPath: "a/b")
        try manager.createSymbolicLink(atPath: folder.file("m"), withDestinationPath: "l/f")
        try manager.createSymbolicLink(atPath: folder.file("gone"), withDestinationPath: "nowhere")
        let reals = RealPaths(from: folder.path)
        let file = ExactString(try #require(RealPaths.real(folder.file("a/b/f"))))
        for path in ["a/b/f", "./a//b/f", "l/f", "m", "a/b/../b/f", "l/../b/f", folder.file("m")] {
            #expect(reals.real(path) == file, "\(path)")
        }
        #expect(reals.real("gone").text.hasSuffix("/gone") && reals.real("a/none/../x").text.hasSuffix("/a/x"))
    }

    @Test(arguments: [
        ("a", ""), ("", ""), ("/", "/"), ("a/", ""), ("/a", "/"), ("//a", "/"), ("a/b", "a"), ("a//b//", "a"), ("/a/b", "/a"),
        ("é", ""), ("./é", "."), ("a/b/c.png", "a/b"),
    ])
    func theFolderOfAPath(_ path: String, _ folder: String) {
        #expect(RealPaths.folder(of: path) == folder)
    }
}
