import ActivationStore
import Explorer
import Foundation
import TestSupport
import Testing
import neurodex

/// A store that is looked at where its images are not.
@Suite struct ThumbnailCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for (name, target) in [("petshop.onnx", "petshop.onnx"), ("labels.txt", "petshop/labels.txt")] {
            try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: Fixtures.path(target))
        }
        try FileManager.default.copyItem(atPath: Fixtures.path("petshop/test"), toPath: folder.file("photos"))
    }

    private func run(_ arguments: String...) throws -> Executable.Result {
        try Executable.run(arguments, in: folder.path)
    }

    private func index(_ options: String...) throws -> Executable.Result {
        try Executable.run(
            ["index", "shop.sqlite", "--model", "petshop.onnx", "--classes", "labels.txt", "--resize", "none", "photos"]
                + options,
            in: folder.path)
    }

    @Test func whetherTheyAreKeptIsSaid() throws {
        let plain = try index()
        #expect(plain.errors.contains("no thumbnails are kept: they would be some "), "\(plain)")
        #expect(plain.errors.contains("more than a tenth; --thumbnails 160 keeps them"))
        #expect(try !run("info", "shop.sqlite").output.contains("thumbnails"))
        let later = try run("index", "shop.sqlite", "--thumbnails", "48", "photos")
        #expect(later.status == 0 && later.errors.contains("thumbnails made of images that were there"), "\(later)")
        #expect(try run("info", "shop.sqlite").output.contains("of all images"))
        // The same command again has nothing to do; without the option it is as in the store.
        #expect(try !run("index", "shop.sqlite", "--thumbnails", "48", "photos").errors.contains("made"))
        #expect(try !run("index", "shop.sqlite", "photos").errors.contains("thumbnail"))
        let forgotten = try run("index", "shop.sqlite", "--thumbnails", "0", "photos")
        #expect(forgotten.errors.contains("thumbnails were forgotten; compact gives their room back"))
        #expect(try run("compact", "shop.sqlite").errors.contains("given back"))
        let wrong = try run("index", "shop.sqlite", "--thumbnails", "7", "photos")
        #expect(wrong.status == 64)
        #expect(wrong.errors.contains("--thumbnails takes 0 for none, or 16 to 1024 pixels, not 7"))
    }

    @Test func sheetsAreDrawnOfThemWhereTheFilesHaveGone() throws {
        #expect(try index("--thumbnails", "160").status == 0)
        let before = try run("top", "shop.sqlite", "conv4:3", "-k", "4", "--sheet", "before.png")
        #expect(before.status == 0 && !before.errors.contains("thumbnail"))
        try FileManager.default.moveItem(atPath: folder.file("photos"), toPath: folder.file("moved"))
        let after = try run("top", "shop.sqlite", "conv4:3", "-k", "4", "--sheet", "after.png")
        #expect(after.status == 0, "\(after)")
        #expect(
            after.errors.contains(
                "4 of 4 pictures are the store's thumbnails, as their files have gone or changed, such as photos/"))
        // A thumbnail is not what was drawn: the sheet cannot be compared.
        let verified = try run("verify", "before.png")
        #expect(verified.status == 1 && verified.errors.contains("4 of 4 images have gone or changed"), "\(verified)")
        #expect(try run("verify", "before.png", "--images", "moved").status == 0)
        #expect(
            try !run("top", "shop.sqlite", "conv4:3", "-k", "4", "--sheet", "x.png", "--images", "moved").errors.contains("thumb")
        )
    }

    @Test func pagesShowThemAndSaySo() throws {
        #expect(try index("--thumbnails", "160").status == 0)
        let store = try Store.open(path: folder.file("shop.sqlite"))
        func ask(_ target: String, _ explorer: Explorer) -> Response {
            explorer.respond(to: Request(target, headers: ["host": "127.0.0.1:8117"]))
        }
        let there = try Explorer(store, commands: ServeCommand.commands, port: 8117)
        let original = ask("/picture/7?size=96&layer=conv4&y=2&x=2", there)
        #expect(original.status == .ok)
        #expect(!String(decoding: ask("/image/7", there).body, as: UTF8.self).contains("thumbnail"))
        try FileManager.default.removeItem(atPath: folder.file("photos"))
        let gone = try Explorer(store, commands: ServeCommand.commands, port: 8117)
        let thumbnail = ask("/picture/7?size=96&layer=conv4&y=2&x=2", gone)
        #expect(thumbnail.status == .ok && thumbnail.headers["ETag"] != original.headers["ETag"])
        // So are the pictures of a row of neurons; of an image with neither file nor thumbnail there is none.
        #expect(ask("/strip?layer=conv4&cells=7.2.2,8.0.0", gone).status == .ok)
        for page in ["/image/7", "/neuron/conv4:3", "/layer/conv4"] {
            #expect(
                String(decoding: ask(page, gone).body, as: UTF8.self).contains(
                    "shown from the store&#39;s thumbnails of 160 pixels"))
        }
    }
}
