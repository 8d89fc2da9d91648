import Foundation
import GRDB
import TestSupport

/// Networks, pictures, lists and paths that are broken or made to break what reads them: what can be done is done, and all else is said.
final class HostileFiles {
    private let bench: Bench
    private var tally: Tally { bench.tally }

    init(_ bench: Bench) { self.bench = bench }

    func run() throws {
        try Fixtures.copyPictures(count: 12, in: bench.file("photos"))
        try FileManager.default.copyItem(atPath: bench.fixtures + "/petshop.onnx", toPath: bench.file("good.onnx"))
        try special()
        var tries = 0
        while !bench.isOver, tries < bench.count {
            switch tries % 4 {
            case 0, 1: try network()
            case 2: try picture()
            default: try list()
            }
            tries += 1
        }
    }

    private func index(_ network: String = "good.onnx", _ photos: [String] = ["photos"], _ more: [String] = []) throws
        -> Bench.Ended
    {
        for end in ["", "-journal", "-writing"] { try? FileManager.default.removeItem(atPath: bench.file("s.sqlite" + end)) }
        return try bench.run(["index", "s.sqlite", "--model", network, "--resize", "none"] + photos + more)
    }

    private func check(_ ended: Bench.Ended, _ what: String) {
        tally.add("hostile files")
        _ = bench.isDecent(ended, what)
    }

    /// A part of a file changed, cut away, repeated, or made of anything.
    private func broken(_ bytes: Data) -> (Data, String) {
        var bytes = Array(bytes)
        let place = Int.random(in: 0..<max(bytes.count, 1), using: &bench.random)
        switch Int.random(in: 0..<6, using: &bench.random) {
        case 0:
            bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &bench.random)
            return (Data(bytes), "a bit of byte \(place) flipped")
        case 1: return (Data(bytes[..<place]), "cut to \(place) bytes")
        case 2:
            // Where formats tell of lengths.
            let early = place % min(bytes.count, 600)
            for offset in early..<min(early + 4, bytes.count) { bytes[offset] = 0xFF }
            return (Data(bytes), "bytes from \(early) are FF")
        case 3:
            let end = min(place + 64, bytes.count)
            bytes.insert(contentsOf: bytes[place..<end], at: place)
            return (Data(bytes), "64 bytes from \(place) are there twice")
        case 4:
            bytes.removeSubrange(place..<min(place + 16, bytes.count))
            return (Data(bytes), "16 bytes from \(place) are gone")
        default:
            for offset in place..<min(place + 200, bytes.count) { bytes[offset] = .random(in: 0...255, using: &bench.random) }
            return (Data(bytes), "200 bytes from \(place) are anything")
        }
    }

    private func network() throws {
        let (bytes, what) = broken(try Data(contentsOf: URL(fileURLWithPath: bench.file("good.onnx"))))
        try bytes.write(to: URL(fileURLWithPath: bench.file("bad.onnx")))
        check(try index("bad.onnx"), "a network, \(what)")
    }

    private static let pictures = ["test/cat/cat-43.jpg", "test/fish/fish-07.webp", "test/dog/dog-31.jpg"]

    private func picture() throws {
        let names = try FileManager.default.subpathsOfDirectory(atPath: bench.fixtures + "/petshop")
            .filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") || $0.hasSuffix(".webp") }.sorted()
        guard let name = names.randomElement(using: &bench.random) else { return }
        let (bytes, what) = broken(try Data(contentsOf: URL(fileURLWithPath: bench.fixtures + "/petshop/" + name)))
        try? FileManager.default.removeItem(atPath: bench.file("broken"))
        try FileManager.default.createDirectory(atPath: bench.file("broken"), withIntermediateDirectories: true)
        try bytes.write(to: URL(fileURLWithPath: bench.file("broken/" + (name as NSString).lastPathComponent)))
        check(try index("good.onnx", ["photos", "broken"]), "\(name), \(what)")
    }

    private func list() throws {
        let rows = [
            "file,label\n", "photos/train/cat/0-cat-01.jpg,cat\n", "\"unclosed\n", ",,,,\n",
            String(repeating: "a", count: 300_000) + "\n",
            "\u{0},\u{1}\n", "\u{FEFF}file;label\n", "\"a\"\"b\",c\n", "path\n", "\n\n\n", "cat\n", "'; DROP TABLE image; --\n",
            "é\u{301},ß\r\n",
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...6, using: &bench.random) { text += rows.randomElement(using: &bench.random) ?? "" }
        var bytes = Data(text.utf8)
        if Bool.random(using: &bench.random) { bytes.append(contentsOf: [0xFF, 0xFE, 0x80]) }
        try bytes.write(to: URL(fileURLWithPath: bench.file("list.csv")))
        let option = Bool.random(using: &bench.random) ? "--labels" : "--classes"
        check(try index("good.onnx", ["photos"], [option, "list.csv"]), "\(option) \(text.prefix(60).debugDescription)")
    }

    /// Files that are none, names that are hard, and stores that point at them.
    private func special() throws {
        let manager = FileManager.default
        mkfifo(bench.file("pipe"), 0o644)
        symlink("loop", bench.file("loop"))
        try manager.createDirectory(atPath: bench.file("folder.onnx"), withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: bench.file("empty.onnx")))
        for path in [
            "/dev/zero", "/dev/null", "loop", "folder.onnx", "empty.onnx", "no/such.onnx", String(repeating: "n", count: 5000),
            "/proc/self/mem", "/dev/full",
        ] {
            check(try index(path), "the network \(path.prefix(40))")
            check(try index("good.onnx", [path]), "the picture \(path.prefix(40))")
            check(try bench.run(["info", path]), "the store \(path.prefix(40))")
            check(try bench.run(["top", path, "conv1"]), "the store \(path.prefix(40))")
            check(try index("good.onnx", ["photos"], ["--labels", path]), "the labels \(path.prefix(40))")
            check(try index("good.onnx", ["photos"], ["--classes", path]), "the classes \(path.prefix(40))")
        }
        check(try bench.run(["info", "pipe"]), "the store pipe")
        check(try index("good.onnx", ["pipe"]), "the picture pipe")
        // Hard names.
        let names = [
            "a\nb", "-k", "--help.jpg", "é", "e\u{301}", "'; DROP TABLE image; --", "%s%n", "\u{1B}[31m",
            String(repeating: "x", count: 250), "*", "a b", "\\", "\"", "\u{202E}gpj",
        ]
        let source =
            bench.fixtures + "/petshop/"
            + (Self.pictures.first { manager.fileExists(atPath: bench.fixtures + "/petshop/" + $0) } ?? "")
        try manager.createDirectory(atPath: bench.file("hard"), withIntermediateDirectories: true)
        for name in names { try manager.copyItem(atPath: source, toPath: bench.file("hard/" + name.prefix(245) + ".jpg")) }
        check(try index("good.onnx", ["hard"]), "hard names")
        for command in [
            ["info", "s.sqlite"], ["top", "s.sqlite", "conv4:1", "-k", "20"], ["verify", "s.sqlite"],
            ["top", "s.sqlite", "conv4:1", "--sheet", "t.png"],
        ] {
            check(try bench.run(command), "hard names: \(command.joined(separator: " "))")
        }
        for name in names {
            check(try bench.run(["profile", "s.sqlite", "--", name]), "profile of \(name.debugDescription)")
            check(try bench.run(["top", "s.sqlite", "conv4:1", "--where", name]), "--where \(name.debugDescription)")
        }
        try pointers()
    }

    /// A store whose network and pictures are said to be what nobody should open.
    private func pointers() throws {
        for path in ["/dev/zero", bench.file("pipe"), "/", bench.file("loop"), "/dev/full"] {
            check(try index(), "a store")
            try change("UPDATE model SET path = '\(path)'; UPDATE image SET path = '\(path)' WHERE id = 1")
            for command in [
                ["verify", "s.sqlite"], ["saliency", "s.sqlite", "2", "-o", "x.png"],
                ["saliency", "s.sqlite", "1", "-o", "x.png"],
                ["index", "s.sqlite", "photos"], ["top", "s.sqlite", "conv4:1", "--sheet", "x.png"],
                ["ascend", "s.sqlite", "conv4:1", "-o", "x.png"],
            ] {
                check(try bench.run(command), "a store of \(path): \(command.joined(separator: " "))")
            }
        }
    }

    private func change(_ sql: String) throws {
        let database = try DatabaseQueue(path: bench.file("s.sqlite"))
        try database.write { try $0.execute(sql: sql) }
        try database.close()
        try reseal(bench.file("s.sqlite"))
    }
}
