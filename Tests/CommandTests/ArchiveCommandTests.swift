import Foundation
import TestSupport
import Testing

/// Archives from `index` to explanations, without unpacking them.
@Suite struct ArchiveCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("shards"), withIntermediateDirectories: true)
        for name in ["shard-000000.tar", "photos.zip", "bad.tar"] {
            try FileManager.default.copyItem(atPath: Fixtures.path("archives/" + name), toPath: folder.file("shards/" + name))
        }
    }

    private func run(_ arguments: String...) throws -> Executable.Result { try Executable.run(arguments, in: folder.path) }

    private func index(_ images: String...) throws -> Executable.Result {
        try Executable.run(
            [
                "index", "s.sqlite", "--model", Fixtures.path("petshop.onnx"), "--classes", Fixtures.path("petshop/labels.txt"),
                "--resize", "none",
            ] + images, in: folder.path)
    }

    @Test func allThatOpensImages() throws {
        #expect(try index("shards/shard-000000.tar", "shards/photos.zip").status == 0)
        let labels = try run(
            "sql", "s.sqlite", "--format", "csv", "SELECT path, label FROM image_info WHERE path LIKE '%tar%' ORDER BY path")
        #expect(labels.output.contains("shards/shard-000000.tar/000000.jpg,cat"), "\(labels)")
        #expect(labels.output.contains("shards/shard-000000.tar/000001.jpg,dog"), "\(labels)")
        // All is there already.
        let again = try run("index", "s.sqlite", "shards/shard-000000.tar", "shards/photos.zip")
        #expect(again.status == 0 && again.errors.contains("nothing to do, all 8 images were there already"), "\(again)")
        let sheet = try run("top", "s.sqlite", "conv4:3", "-k", "4", "--sheet", "top.png")
        #expect(sheet.status == 0 && !sheet.errors.contains("gone"), "\(sheet)")
        let saliency = try run(
            "saliency", "s.sqlite", "shards/photos.zip/test/cat/cat-21.jpg", "--target", "class:cat", "-o", "a.png")
        #expect(saliency.status == 0, "\(saliency)")
        let verified = try run("verify", "s.sqlite")
        #expect(verified.status == 0 && !verified.output.contains("not there"), "\(verified)")
        #expect(try run("index", "s.sqlite", "--thumbnails", "48", "shards/photos.zip").status == 0)
        // From another folder, by the store's own place.
        let elsewhere = try TemporaryFolder()
        let far = try Executable.run(
            ["top", folder.file("s.sqlite"), "conv4:3", "-k", "2", "--sheet", "far.png"], in: elsewhere.path)
        #expect(far.status == 0 && !far.errors.contains("thumbnail"), "\(far)")
    }

    @Test func aChangedArchiveIsFollowed() throws {
        #expect(try index("shards/shard-000000.tar").status == 0)
        try FileManager.default.removeItem(atPath: folder.file("shards/shard-000000.tar"))
        try FileManager.default.copyItem(
            atPath: Fixtures.path("archives/photos.tar"), toPath: folder.file("shards/shard-000000.tar"))
        let changed = try run("index", "s.sqlite", "shards/shard-000000.tar")
        #expect(changed.status == 0, "\(changed)")
        // Its pictures have other names now and the same bytes.
        #expect(changed.errors.contains("renamed"), "\(changed)")
    }

    @Test func whatIsRefusedIsCounted() throws {
        let made = try index("shards")
        #expect(made.status == 2 && made.errors.contains("8 files skipped"), "\(made)")
        #expect(made.errors.contains("shards/bad.tar/../outside.jpg: has a name in the archive that leads out of it"), "\(made)")
        #expect(try run("sql", "s.sqlite", "--format", "csv", "SELECT count(*) FROM image").output.contains("10"))
        // In the store, as other files that cannot be read; but what is there twice has the path of the one that is read.
        let skipped = try run("sql", "s.sqlite", "--format", "csv", "SELECT path, reason FROM skipped_image")
        #expect(skipped.output.contains("shards/bad.tar/link.jpg,\"is a link in the archive"), "\(skipped)")
        #expect(!skipped.output.contains("twice.jpg"), "\(skipped)")
        let before = try run("sql", "s.sqlite", "--format", "csv", "SELECT count(*) FROM skipped_image").output
        #expect(try index("shards").errors.contains("8 files skipped"))
        #expect(try run("sql", "s.sqlite", "--format", "csv", "SELECT count(*) FROM skipped_image").output == before)
    }
}
