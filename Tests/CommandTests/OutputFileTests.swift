import Foundation
import Images
import TestSupport
import Testing

/// Where pictures and arrays go: names that promise another kind of file are refused before any work, and `-` is standard output.
@Suite struct OutputFileTests {
    private let shop: Shop

    init() throws { shop = try Shop() }

    @Test(arguments: [
        (
            "top shop.sqlite conv4:3 --sheet x.jpg",
            "--sheet writes a PNG, SVG or PDF picture, and 'x.jpg' is named otherwise; name it x.png"
        ),
        ("similar shop.sqlite 7 --sheet x.webp", "--sheet writes a PNG, SVG or PDF picture, and 'x.webp'"),
        (
            "suspects shop.sqlite --sheet out/x",
            "--sheet writes a PNG, SVG or PDF picture, and 'out/x' is named otherwise; name it out/x.png"
        ),
        ("shortcuts shop.sqlite --sheet x.tiff", "--sheet writes a PNG, SVG or PDF picture"),
        ("diff shop.sqlite shop.sqlite --sheet x.jpeg", "--sheet writes a PNG, SVG or PDF picture"),
        (
            "neurons shop.sqlite conv4:3 -o x.eps",
            "-o writes a PNG, SVG or PDF picture, and 'x.eps' is named otherwise; name it x.png"
        ),
        ("cam shop.sqlite 7 -o x.jpg", "-o writes a PNG, SVG or PDF picture"),
        ("deconv shop.sqlite conv4:3 -o x.jpg", "-o writes a PNG, SVG or PDF picture"),
        ("ascend shop.sqlite class:cat -o x.jpg", "-o writes a PNG, SVG or PDF picture"),
        (
            "saliency shop.sqlite 7 --raw x.png",
            "--raw writes a NumPy array (.npy), and 'x.png' is named otherwise; name it x.npy"
        ),
        ("saliency shop.sqlite 7 8 --raw x.npy", "--raw names a folder here, which gets a file for each result; 'x.npy' is none"),
        ("cam shop.sqlite 7 --mask x.svg", "--mask writes a PNG picture"),
        ("cam shop.sqlite 7 8 --mask -", "--mask names a folder here"),
        ("deconv shop.sqlite conv4:3 --raw x.npy", "--raw names a folder here"),
        ("ascend shop.sqlite class:cat --raw x.txt", "--raw writes a NumPy array (.npy)"),
        ("top shop.sqlite conv4:3 --sheet photos", "--sheet names a file, and 'photos' is a folder; for example photos/out.png"),
        ("saliency shop.sqlite 7 -o - --raw -", "-o and --raw both write to '-'; name two files"),
    ])
    func namesOfOtherKindsAreRefused(_ line: String, _ words: String) throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: shop.path)
        let result = try Executable.run(line.split(separator: " ").map(String.init), in: shop.path)
        #expect(result.status == 64 && result.output.isEmpty && result.errors.contains(words), "\(line): \(result)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.path) == files)
    }

    @Test func aFolderThatIsNotThereIsNamedBeforeTheWork() throws {
        let result = try shop.run("top", "shop.sqlite", "conv4:3", "--sheet", "no/x.png")
        #expect(result.status == 1 && result.output.isEmpty, "\(result)")
        #expect(result.errors == "Error: cannot write 'no/x.png': there is no folder 'no'\n")
    }

    @Test(arguments: [
        "top shop.sqlite conv4:3 -k 2 --sheet", "similar shop.sqlite 7 -k 2 --sheet", "diff shop.sqlite shop.sqlite -k 1 --sheet",
        "neurons shop.sqlite conv4:3 -o", "cam shop.sqlite 7 -o", "cam shop.sqlite 7 --raw", "cam shop.sqlite 7 --mask",
        "deconv shop.sqlite conv4:3 -k 1 -o", "ascend shop.sqlite class:cat --steps 2 -o",
        "ascend shop.sqlite class:cat --steps 2 --raw",
    ])
    func aHyphenIsStandardOutput(_ line: String) throws {
        let ending = line.hasSuffix("--raw") ? "npy" : "png"
        let named = try Executable.shell("neurodex \(line) file.\(ending) > listing", in: shop.path)
        let piped = try Executable.shell("neurodex \(line) - > piped", in: shop.path)
        #expect(named.status == 0 && piped.status == 0, "\(line): \(named) \(piped)")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file("piped")))
        #expect(try bytes == Data(contentsOf: URL(fileURLWithPath: shop.folder.file("file.\(ending)"))) && bytes.count > 100)
        // The listing is not lost.
        let listing = try String(contentsOfFile: shop.folder.file("listing"), encoding: .utf8)
        #expect(listing.isEmpty || piped.errors.contains(listing), "\(piped)")
    }

    @Test func nothingBinaryGoesToATerminal() throws {
        for arguments in [["top", "shop.sqlite", "conv4:3", "--sheet", "-"], ["cam", "shop.sqlite", "7", "--raw", "-"]] {
            let terminal = try Terminal(arguments, in: shop.path)
            #expect(terminal.wait() == 64)
            let words = terminal.shown.replacingOccurrences(of: "\r\n", with: " ")
            #expect(words.contains("to standard output, which is a terminal; send it to a file or a program"), "\(words)")
        }
    }

    @Test func pipesAreNamedAsTheyAre() throws {
        let result = try Executable.shell(
            "mkfifo p; cat p > copy & neurodex top shop.sqlite conv4:3 -k 1 --sheet p && wait", in: shop.path)
        #expect(result.status == 0, "\(result)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: shop.folder.file("copy"))).starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }
}
