import Foundation
import SwiftCSV
import TestSupport
import Testing

/// Files that are not what they should be: a line for each, no crash, and the run goes on.
@Suite struct AwkwardFilesTests {
    private let folder: TemporaryFolder
    private let model = Fixtures.path("petshop.onnx")

    init() throws { folder = try TemporaryFolder() }

    private func rows(_ sql: String) throws -> [[String: Any]] {
        let result = try Executable.run(["sql", "a.sqlite", sql, "--format", "json"], in: folder.path)
        #expect(result.status == 0, "\(result)")
        return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
    }

    @Test func fixtures() throws {
        let result = try Executable.run(["index", "a.sqlite", "--model", model, Fixtures.path("awkward")], in: folder.path)
        #expect(result.status == 2, "\(result)")
        #expect(result.errors.contains("3 files skipped"))
        let skipped = try rows("SELECT path, reason FROM skipped_image ORDER BY path")
        let reasons = Dictionary(
            uniqueKeysWithValues: skipped.map {
                (($0["path"] as? NSString)?.lastPathComponent ?? "", $0["reason"] as? String ?? "")
            })
        #expect(Set(reasons.keys) == ["empty.jpg", "page.jpg", "truncated.jpg"])
        #expect(reasons["empty.jpg"]?.contains("is empty (0 bytes)") == true)
        #expect(reasons["page.jpg"]?.contains("HTML") == true)
        #expect(reasons["truncated.jpg"]?.contains("truncated") == true)
        #expect(try rows("SELECT count(*) AS n FROM image").first?["n"] as? Int == 7)
        // A second run does not read them again, and says the same.
        let again = try Executable.run(["index", "a.sqlite", Fixtures.path("awkward")], in: folder.path)
        #expect(again.status == 2)
        #expect(again.errors.contains("3 files skipped"))
        #expect(try Executable.run(["verify", "a.sqlite"], in: folder.path).status == 0)
    }

    @Test(.enabled(if: Shared.has("real/images-awkward/expected.csv"), "needs real/images-awkward of the shared test data"))
    func sharedImages() throws {
        let expected = try CSV<Named>(url: URL(fileURLWithPath: Shared.path("real/images-awkward/expected.csv")))
        // Memory is limited to 1.5 GB, so that a header that promises more is seen to be refused first.
        let line =
            "ulimit -v 1500000; exec neurodex index a.sqlite --jobs 2 --model \(model) \(Shared.path("real/images-awkward"))"
        let result = try Executable.shell(line, in: folder.path)
        #expect(result.status == 2, "\(result)")
        let read = Set(try rows("SELECT path FROM image").compactMap { $0["path"] as? String })
        let skipped = Set(try rows("SELECT path FROM skipped_image").compactMap { $0["path"] as? String })
        #expect(result.errors.contains("\(skipped.count) files skipped"))
        for row in expected.rows {
            guard let file = row["file"], let peer = row["peer"] else { continue }
            let path = Shared.path("real/images-awkward/" + file)
            let isForeign = peer.hasPrefix("Pillow OK: PPM ")
            if peer.hasPrefix("Pillow OK"), !isForeign {
                #expect(read.contains(path), "\(file) should be read: \(peer)")
            } else {
                #expect(skipped.contains(path), "\(file) should be refused: \(peer)")
            }
        }
        #expect(read.count + skipped.count == expected.rows.count)
    }

    @Test func oddNames() throws {
        let manager = FileManager.default
        let cat = Fixtures.path("petshop/test/cat/cat-31.jpg")
        try manager.createDirectory(atPath: folder.file("photos/träin set/a, \"b\""), withIntermediateDirectories: true)
        for name in ["with space é.jpg", "träin set/a, \"b\"/'quoted'.jpg", "no-extension", ".hidden.jpg"] {
            try manager.copyItem(atPath: cat, toPath: folder.file("photos/" + name))
        }
        try manager.createSymbolicLink(atPath: folder.file("photos/loop"), withDestinationPath: folder.file("photos"))
        try manager.createSymbolicLink(
            atPath: folder.file("photos/linked"), withDestinationPath: Fixtures.path("petshop/val/dog"))
        try manager.createSymbolicLink(atPath: folder.file("photos/gone.jpg"), withDestinationPath: "nowhere.jpg")
        try Data("file,label\n".utf8).write(to: URL(fileURLWithPath: folder.file("photos/labels.csv")))
        mkfifo(folder.file("photos/pipe.jpg"), 0o644)
        try manager.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: "photos")
        let result = try Executable.run(
            ["index", "a.sqlite", "--model", model, "photos", "./photos//", "photos/no-extension", "link/with space é.jpg"],
            in: folder.path, timeout: 30)
        #expect(result.status == 2, "\(result)")
        #expect(result.errors.contains("skipped photos/gone.jpg: cannot be read: No such file or directory"))
        let images = try rows("SELECT path, label FROM image_info")
        let labels = Dictionary(uniqueKeysWithValues: images.map { ($0["path"] as? String ?? "", $0["label"] as? String) })
        // A path through a link is another path of the same file.
        #expect(labels.count == 13)
        #expect(labels["photos/träin set/a, \"b\"/'quoted'.jpg"] == "a, \"b\"")
        #expect(labels["photos/linked/dog-21.jpg"] == "dog" || labels["photos/linked/dog-21.jpg"] == "linked")
        #expect(labels.keys.contains("photos/no-extension"))
        #expect(!labels.keys.contains("link/with space é.jpg"))
        #expect(!labels.keys.contains { $0.contains("hidden") || $0.contains("loop") })
    }

    @Test func picturesThatChangedOrMovedAreFollowed() throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder.file("photos/cat"), withIntermediateDirectories: true)
        for name in ["cat-31", "cat-32", "cat-33"] {
            try manager.copyItem(
                atPath: Fixtures.path("petshop/test/cat/\(name).jpg"), toPath: folder.file("photos/cat/\(name).jpg"))
        }
        func index(_ store: String) throws -> Executable.Result {
            try Executable.run(["index", store, "--model", model, "photos"], in: folder.path)
        }
        #expect(try index("a.sqlite").status == 0)
        try manager.removeItem(atPath: folder.file("photos/cat/cat-31.jpg"))
        try manager.copyItem(atPath: Fixtures.path("petshop/test/dog/dog-31.jpg"), toPath: folder.file("photos/cat/cat-31.jpg"))
        try manager.createDirectory(atPath: folder.file("photos/tom"), withIntermediateDirectories: true)
        try manager.moveItem(atPath: folder.file("photos/cat/cat-33.jpg"), toPath: folder.file("photos/tom/cat-33.jpg"))
        let again = try index("a.sqlite")
        #expect(again.status == 0, "\(again)")
        #expect(again.errors.contains("changed since it was indexed, run anew: photos/cat/cat-31.jpg"))
        #expect(again.errors.contains("renamed: photos/cat/cat-33.jpg is now photos/tom/cat-33.jpg"))
        #expect(again.errors.contains("1 images in") && again.errors.contains("1 of them changed, 1 renamed"))
        let checked = try Executable.run(["verify", "a.sqlite"], in: folder.path)
        #expect(checked.status == 0, "\(checked)")
        #expect(try index("a.sqlite").errors.contains("nothing to do, all 3 images were there already"))
        // Answers are those of a store that never knew what was.
        #expect(try index("b.sqlite").status == 0)
        func top(_ store: String) throws -> [String] {
            try Executable.run(["top", store, "conv4", "-k", "5", "--format", "csv"], in: folder.path).output
                .split(separator: "\n").map { line in
                    // All but the id and the rank of ties, which depend on it.
                    let cells = line.split(separator: ",")
                    return [cells[0], cells[1], cells[3], cells[5], cells[6]].joined(separator: ",")
                }.sorted()
        }
        #expect(try top("a.sqlite") == top("b.sqlite"))
        #expect(try Executable.run(["info", "a.sqlite"], in: folder.path).output.contains("compact makes them quick again"))
        #expect(try Executable.run(["compact", "a.sqlite"], in: folder.path).status == 0)
        #expect(try top("a.sqlite") == top("b.sqlite"))
        #expect(try Executable.run(["verify", "a.sqlite"], in: folder.path).status == 0)
        #expect(try Executable.run(["compact", "a.sqlite"], in: folder.path).errors.contains("nothing to do"))
    }
}
