import ActivationStore
import Foundation
import GRDB
import TestSupport
import Testing

/// Which file is which image: by whatever path it is named, from whatever folder, and after it has moved.
@Suite struct ImageFilesTests {
    private let folder: TemporaryFolder
    private let model = Fixtures.path("petshop.onnx")
    private let manager = FileManager.default

    /// work/photos with two cats and two dogs.
    init() throws {
        folder = try TemporaryFolder()
        for name in ["cat/cat-31", "cat/cat-32", "dog/dog-31", "dog/dog-32"] {
            try copy("petshop/test/\(name).jpg", "work/photos/\(name).jpg")
        }
    }

    private func copy(_ fixture: String, _ name: String) throws {
        let place = folder.file(name)
        try manager.createDirectory(
            atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try manager.copyItem(atPath: Fixtures.path(fixture), toPath: place)
    }

    private func run(_ arguments: String..., in place: String = "work") throws -> Executable.Result {
        try Executable.run(arguments, in: folder.file(place))
    }

    @discardableResult
    private func index(_ arguments: String..., in place: String = "work") throws -> Executable.Result {
        let result = try Executable.run(
            ["index"] + arguments + ["--model", model, "--resize", "none", "--jobs", "1"], in: folder.file(place))
        #expect(result.status == 0, "\(arguments): \(result)")
        return result
    }

    /// Paths, in the order of the ids.
    private func paths(_ store: String, in place: String = "work", of table: String = "image") throws -> [String] {
        let result = try run("sql", store, "SELECT path FROM \(table) ORDER BY 1", "--format", "json", in: place)
        #expect(result.status == 0, "\(result)")
        let rows = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: String]])
        return rows.compactMap { $0["path"] }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private let four = [
        "photos/cat/cat-31.jpg", "photos/cat/cat-32.jpg", "photos/dog/dog-31.jpg", "photos/dog/dog-32.jpg",
    ]

    @Test func aFileIsOneImageByWhateverPath() throws {
        try manager.createSymbolicLink(atPath: folder.file("work/linked"), withDestinationPath: "photos")
        try manager.createSymbolicLink(atPath: folder.file("work/one.jpg"), withDestinationPath: "photos/dog/dog-32.jpg")
        let all = [
            "photos", folder.file("work/photos"), "../work/photos", "photos/../photos/cat", "linked", "one.jpg",
            "linked/cat/cat-31.jpg",
        ]
        let first = try Executable.run(
            ["index", "a.sqlite"] + all + ["--model", model, "--resize", "none"], in: folder.file("work"))
        #expect(first.status == 0 && first.errors.contains("4 images in"), "\(first)")
        #expect(first.errors.contains("16 paths lead to files that are there by another one, and count once"), "\(first)")
        #expect(try paths("a.sqlite") == four)
        // One after the other, and from other folders.
        try index("b.sqlite", "photos")
        for path in all { #expect(try index("b.sqlite", path).errors.contains("nothing to do"), "\(path)") }
        #expect(try index("../b.sqlite", "dog", in: "work/photos").errors.contains("nothing to do"))
        #expect(try paths("b.sqlite") == four)
        // A link that was indexed first is the file.
        try index("c.sqlite", "one.jpg")
        #expect(try index("c.sqlite", "photos/dog").errors.contains("1 were there already"))
        #expect(try paths("c.sqlite") == ["one.jpg", "photos/dog/dog-31.jpg"])
    }

    @Test func newFilesFromAnotherFolderGetPathsThatLeadToThem() throws {
        try index("a.sqlite", "photos/cat")
        try copy("petshop/test/fish/fish-31.jpg", "other/photos/cat/cat-31.jpg")
        // A file of the same relative path elsewhere is another image.
        let more = try index("../work/a.sqlite", "photos/cat", "../work/photos/dog", in: "other")
        #expect(more.errors.contains("3 images in"), "\(more)")
        #expect(try paths("a.sqlite").suffix(4) == four[...] && paths("a.sqlite").count == 5)
        #expect(try paths("a.sqlite")[0].hasSuffix("/other/photos/cat/cat-31.jpg"))
        let checked = try run("verify", "a.sqlite")
        #expect(checked.status == 0 && checked.output.contains("5 images computed anew"), "\(checked)")
        #expect(try run("verify", "../work/a.sqlite", in: "other").status == 0)
    }

    @Test func copiesAreKeptAndSaid() throws {
        try copy("petshop/test/cat/cat-31.jpg", "work/photos/tom.jpg")
        try copy("petshop/test/cat/cat-31.jpg", "work/photos/tim.jpg")
        let made = try index("a.sqlite", "photos")
        #expect(made.errors.contains("6 images in"))
        #expect(
            made.errors.contains(
                "2 images are copies of others, byte for byte, and are kept, such as photos/tim.jpg of photos/cat/cat-31.jpg"),
            "\(made)")
        #expect(try !index("b.sqlite", "photos/dog").errors.contains("byte for byte"))
    }

    @Test func imagesAreFoundWhereverTheStoreIsAskedAndAfterBothHaveMoved() throws {
        try index("a.sqlite", "photos")
        try index("b.sqlite", folder.file("work/photos"))
        try manager.createDirectory(atPath: folder.file("empty"), withIntermediateDirectories: true)
        for store in ["a.sqlite", "b.sqlite"] {
            let asked = try run("top", "../work/" + store, "conv4:3", "-k", "4", "--sheet", "s.png", in: "empty")
            #expect(asked.status == 0 && asked.errors.isEmpty, "\(asked)")
            #expect(try run("remove", "../work/" + store, "--missing", in: "empty").errors.contains("0 images removed, 4 left"))
        }
        try manager.moveItem(atPath: folder.file("work"), toPath: folder.file("disk"))
        for place in ["disk", "empty"] {
            for store in ["a.sqlite", "b.sqlite"] {
                let path = place == "disk" ? store : "../disk/" + store
                let checked = try run("verify", path, in: place)
                #expect(checked.status == 0 && checked.output.contains("4 images computed anew"), "\(place) \(store): \(checked)")
                #expect(try run("saliency", path, "cat-31.jpg", "-o", "why.png", in: place).status == 0)
            }
        }
        // Absolute paths follow, and relative ones are as they were.
        #expect(try index("a.sqlite", "photos", in: "disk").errors.contains("nothing to do"))
        #expect(try paths("a.sqlite", in: "disk") == four)
        #expect(try index("b.sqlite", folder.file("disk/photos"), in: "disk").errors.contains("4 renamed"))
        #expect(try paths("b.sqlite", in: "disk").allSatisfy { $0.hasPrefix(folder.file("disk/photos")) })
        // The store alone.
        try manager.moveItem(atPath: folder.file("disk/a.sqlite"), toPath: folder.file("empty/a.sqlite"))
        #expect(try run("verify", "a.sqlite", in: "empty").status == 0)
    }

    /// As neurodex 0.1 made it.
    private func forgetOrigin(_ store: String) throws {
        let database = try DatabaseQueue(path: folder.file(store))
        try database.write {
            try $0.execute(sql: "DELETE FROM meta WHERE key IN ('images_folder', 'store_folders')")
            try StoreDescription.insertChecksum($0)
        }
        try database.close()
    }

    @Test func storesThatDoNotSayWherePathsStart() throws {
        try index("a.sqlite", "photos")
        try forgetOrigin("work/a.sqlite")
        #expect(try run("verify", "a.sqlite").status == 0)
        // Beside the store.
        #expect(try run("verify", "work/a.sqlite", in: ".").status == 0)
        #expect(try index("work/a.sqlite", "work/photos", in: ".").errors.contains("nothing to do"))
        #expect(try paths("a.sqlite") == four)
        // By content alone.
        try forgetOrigin("work/a.sqlite")
        try manager.createDirectory(atPath: folder.file("empty"), withIntermediateDirectories: true)
        try manager.moveItem(atPath: folder.file("work/a.sqlite"), toPath: folder.file("empty/a.sqlite"))
        #expect(try index("a.sqlite", "../work/photos", in: "empty").errors.contains("4 renamed"))
        #expect(try paths("a.sqlite", in: "empty") == four.map { "../work/" + $0 })
    }

    @Test func imagesThatHaveMovedAreNamed() throws {
        try index("a.sqlite", "photos")
        let drawn = try run("top", "a.sqlite", "conv4:3", "-k", "4", "--sheet", "s.png")
        #expect(drawn.status == 0)
        #expect(try run("deconv", "a.sqlite", "conv4:3", "-k", "3", "-o", "d.png").status == 0)
        try manager.createDirectory(atPath: folder.file("disk"), withIntermediateDirectories: true)
        try manager.moveItem(atPath: folder.file("work/photos"), toPath: folder.file("disk/pictures"))
        let needy = [
            ["top", "a.sqlite", "conv4:3", "-k", "4", "--sheet", "t.png"],
            ["deconv", "a.sqlite", "conv4:3", "-k", "4", "-o", "t.png"],
            ["saliency", "a.sqlite", "0", "1", "-o", "t.png"], ["similar", "a.sqlite", "0", "--sheet", "t.png"],
            ["verify", "s.png"], ["verify", "d.png"],
        ]
        for command in needy {
            let lost = try Executable.run(command, in: folder.file("work"))
            #expect(lost.status == 1 && lost.errors.contains("photos/"), "\(command): \(lost)")
            #expect(lost.errors.contains("--images FOLDER"), "\(command): \(lost)")
            #expect(!manager.fileExists(atPath: folder.file("work/t.png")))
            let found = try Executable.run(command + ["--images", "../disk/pictures"], in: folder.file("work"))
            #expect(found.status == 0, "\(command): \(found)")
            try? manager.removeItem(atPath: folder.file("work/t.png"))
        }
        let lost = try run("verify", "a.sqlite")
        #expect(lost.status == 2 && lost.output.contains("sound"), "\(lost)")
        #expect(lost.errors.contains("4 of 4 images are not there any more, such as photos/cat/cat-31.jpg"), "\(lost)")
        #expect(try run("verify", "a.sqlite", "--sample", "0").status == 0)
        #expect(try run("verify", "a.sqlite", "--images", "../disk").output.contains("4 images computed anew"))
        #expect(try run("verify", "a.sqlite", "--images", "nowhere").errors.contains("there is no file or folder 'nowhere'"))
        // By name and content, where no end of the path fits; another file of that name is none.
        try manager.moveItem(atPath: folder.file("disk/pictures/cat/cat-31.jpg"), toPath: folder.file("disk/pictures/cat-31.jpg"))
        try copy("petshop/test/dog/dog-33.jpg", "disk/aaa/cat-31.jpg")
        #expect(try run("verify", "a.sqlite", "--images", "../disk").output.contains("4 images computed anew"))
        // One alone is left out of the sheet, and said.
        try manager.moveItem(atPath: folder.file("disk/pictures"), toPath: folder.file("work/photos"))
        let most = try run("top", "a.sqlite", "conv4:3", "-k", "4", "--sheet", "t.png")
        #expect(
            most.status == 2 && most.errors.contains("1 of 4 images have gone or changed, such as photos/cat/cat-31.jpg"),
            "\(most)")
        #expect(manager.fileExists(atPath: folder.file("work/t.png")))
    }

    @Test func missingImagesAreRemovedWithCare() throws {
        for number in 33...39 { try copy("petshop/test/cat/cat-\(number).jpg", "work/photos/cat/cat-\(number).jpg") }
        try index("a.sqlite", "photos")
        try manager.removeItem(atPath: folder.file("work/photos/cat/cat-31.jpg"))
        let dry = try run("remove", "a.sqlite", "--missing", "--dry-run")
        #expect(dry.status == 0 && dry.errors.contains("would be removed: photos/cat/cat-31.jpg"), "\(dry)")
        #expect(dry.errors.contains("1 image would be removed, 10 left; nothing was changed"), "\(dry)")
        #expect(try paths("a.sqlite").count == 11)
        #expect(try run("remove", "a.sqlite", "--missing").errors.contains("1 image removed, 10 left"))
        try manager.moveItem(atPath: folder.file("work/photos/dog"), toPath: folder.file("work/dogs"))
        let refused = try run("remove", "a.sqlite", "--missing")
        #expect(refused.status == 1 && refused.errors.contains("2 of 10 images are missing, more than a tenth"), "\(refused)")
        #expect(refused.errors.contains("photos/dog/dog-31.jpg") && refused.errors.contains("--yes"), "\(refused)")
        #expect(try paths("a.sqlite").count == 10)
        #expect(try run("remove", "a.sqlite", "--missing", "--images", "dogs").errors.contains("0 images removed, 10 left"))
        #expect(try run("remove", "a.sqlite", "--missing", "--yes").errors.contains("2 images removed, 8 left"))
        // By any path, also of a file that has gone.
        try manager.removeItem(atPath: folder.file("work/photos/cat/cat-39.jpg"))
        for (path, left) in [("../photos/cat/cat-38.jpg", 7), (folder.file("work/photos/cat/cat-39.jpg"), 6)] {
            let removed = try run("remove", "../a.sqlite", path, in: "work/dogs")
            #expect(removed.errors.contains("1 image removed, \(left) left"), "\(removed)")
        }
        #expect(
            try run("remove", "a.sqlite", "photos/cat/nothing.jpg").errors.contains(
                "the store has no image photos/cat/nothing.jpg"))
        let compacting = try run("compact", "a.sqlite", "--dry-run")
        #expect(compacting.errors.contains("the room of 5 images would be given back"), "\(compacting)")
        #expect(try run("info", "a.sqlite").output.contains("removed"))
    }

    @Test func whatWouldBeDone() throws {
        let none = try run("index", "a.sqlite", "--dry-run", "photos")
        #expect(
            none.status == 0 && none.errors.contains("4 images would be added, 0 replaced and 0 renamed, 0 are there"), "\(none)")
        #expect(!manager.fileExists(atPath: folder.file("work/a.sqlite")))
        try index("a.sqlite", "photos")
        try copy("petshop/test/cat/cat-33.jpg", "work/photos/cat/cat-33.jpg")
        try manager.removeItem(atPath: folder.file("work/photos/dog/dog-32.jpg"))
        try copy("petshop/test/dog/dog-34.jpg", "work/photos/dog/dog-32.jpg")
        try manager.moveItem(atPath: folder.file("work/photos/dog/dog-31.jpg"), toPath: folder.file("work/photos/dog/rex.jpg"))
        let before = try StoreDump(folder.file("work/a.sqlite"))
        let some = try run("index", "a.sqlite", "--dry-run", "photos")
        #expect(some.errors.contains("1 images would be added, 1 replaced and 1 renamed, 2 are there already"), "\(some)")
        #expect(some.errors.contains("changed, would be run anew: photos/dog/dog-32.jpg"), "\(some)")
        #expect(try StoreDump(folder.file("work/a.sqlite")) == before)
        #expect(try run("cam", "a.sqlite", "0").status == 0)
        let explanations = try run("explanations", "a.sqlite", "--remove", "--all", "--dry-run")
        #expect(explanations.errors.contains("1 explanation would be removed"), "\(explanations)")
        #expect(try run("explanations", "a.sqlite", "--remove", "--all").errors.hasPrefix("1 explanation removed"))
    }

    @Test func partsThatShareFiles() throws {
        try index("a.sqlite", "photos/cat", "photos/dog/dog-31.jpg")
        try manager.createSymbolicLink(atPath: folder.file("linked"), withDestinationPath: "work/photos/dog")
        try index("work/b.sqlite", "linked", in: ".")
        let dry = try run("merge", "all.sqlite", "a.sqlite", "b.sqlite", "--dry-run")
        #expect(dry.status == 0 && dry.errors.contains("would be 4 images of 2 parts"), "\(dry)")
        #expect(!manager.fileExists(atPath: folder.file("work/all.sqlite")))
        let merged = try run("merge", "all.sqlite", "a.sqlite", "b.sqlite")
        #expect(merged.status == 0 && merged.errors.contains("1 file is in more than one part and count"), "\(merged)")
        #expect(merged.errors.contains("4 images of 2 parts"))
        let found = try paths("all.sqlite")
        #expect(found.count == 4 && found.contains("photos/dog/dog-31.jpg") && found.contains(folder.file("linked/dog-32.jpg")))
        #expect(try run("verify", "all.sqlite").output.contains("4 images computed anew"))
        #expect(try run("verify", "work/all.sqlite", in: ".").output.contains("4 images computed anew"))
    }

    /// é, ü and Å of one character or two, and a syllable of Hangul of one or three: names that Swift's strings take for equal.
    @Test func namesAreBytes() throws {
        let pairs = [
            ("\u{E9}", "e\u{301}"), ("\u{FC}", "u\u{308}"), ("\u{C5}", "\u{212B}"), ("\u{D55C}", "\u{1112}\u{1161}\u{11AB}"),
        ]
        let cats = (31...38).map { "petshop/test/cat/cat-\($0).jpg" }
        for (index, pair) in pairs.enumerated() {
            try copy(cats[2 * index], "work/names/\(pair.0).jpg")
            try copy(cats[2 * index + 1], "work/names/\(pair.1).jpg")
        }
        try copy("petshop/test/dog/dog-31.jpg", "work/names/caf\u{E9}/1.jpg")
        try copy("petshop/test/dog/dog-32.jpg", "work/names/cafe\u{301}/1.jpg")
        let made = try index("a.sqlite", "names")
        #expect(made.errors.contains("10 images in"), "\(made)")
        #expect(Set(try paths("a.sqlite").map { Data($0.utf8) }).count == 10)
        #expect(try index("a.sqlite", "names").errors.contains("all 10 images were there already"))
        let checked = try run("verify", "a.sqlite")
        #expect(checked.status == 0 && checked.output.contains("10 images computed anew"), "\(checked)")
        // Each stands for its own file when one of a pair changes.
        try manager.removeItem(atPath: folder.file("work/names/e\u{301}.jpg"))
        try copy("petshop/test/fish/fish-31.jpg", "work/names/e\u{301}.jpg")
        #expect(try index("a.sqlite", "names").errors.contains("1 images in"))
        #expect(try paths("a.sqlite").count == 10)
        #expect(try run("merge", "b.sqlite", "a.sqlite").errors.contains("10 images of 1 part"))
    }

    @Test func namesThatAreNotText() throws {
        let source = Fixtures.path("petshop/test")
        let made = try Executable.shell(
            """
            mkdir -p "$(printf 'bytes/d\\351')" && cp '\(source)/cat/cat-31.jpg' "$(printf 'bytes/caf\\351.jpg')" \
            && cp '\(source)/cat/cat-32.jpg' "$(printf 'bytes/caf\\350.jpg')" && cp '\(source)/cat/cat-33.jpg' "$(printf 'bytes/d\\351/1.jpg')" \
            && cp '\(source)/cat/cat-34.jpg' 'bytes/a\\xE9.jpg' && cp '\(source)/cat/cat-35.jpg' 'bytes/b\\c.jpg' \
            && neurodex index a.sqlite --model '\(model)' --resize none bytes \
            && neurodex index b.sqlite --model '\(model)' --resize none "$(printf 'bytes/caf\\351.jpg')" "$(printf 'bytes/d\\351')" 'bytes/a\\xE9.jpg'
            """, in: folder.file("work"))
        #expect(made.status == 0 && made.errors.contains("5 images in") && made.errors.contains("3 images in"), "\(made)")
        #expect(
            try paths("a.sqlite") == [
                "bytes/a\\x5CxE9.jpg", "bytes/b\\c.jpg", "bytes/caf\\xE8.jpg", "bytes/caf\\xE9.jpg", "bytes/d\\xE9/1.jpg",
            ])
        #expect(try paths("b.sqlite") == ["bytes/a\\x5CxE9.jpg", "bytes/caf\\xE9.jpg", "bytes/d\\xE9/1.jpg"])
        for store in ["a.sqlite", "b.sqlite"] { #expect(try run("verify", store).status == 0, "\(store)") }
        #expect(try run("saliency", "a.sqlite", "bytes/caf\\xE9.jpg", "-o", "s.png").status == 0)
        #expect(try run("verify", "s.png").status == 0)
        #expect(try run("top", "a.sqlite", "conv4:3", "-k", "5", "--sheet", "t.png").status == 0)
        #expect(try index("a.sqlite", "bytes").errors.contains("all 5 images were there already"))
    }
}
