import ActivationStore
import Foundation
import TestSupport
import Testing

/// Labels, splits and names of classes, given, corrected and judged by the commands.
@Suite struct LabelTests {
    private let shop: Shop

    init() throws { shop = try Shop(withStore: false) }

    @discardableResult
    private func shell(_ line: String, status: Int32 = 0, location: SourceLocation = #_sourceLocation) throws -> String {
        let result = try Executable.shell(line, in: shop.path)
        #expect(result.status == status, "\(line): \(result)", sourceLocation: location)
        return result.errors
    }

    private func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: shop.folder.file(name)))
    }

    /// Copies a few of the pet shop's pictures.
    private func makePets() throws {
        try shell(
            """
            for split in train val; do for pet in cat dog; do mkdir -p pets/$split/$pet
            cp $(ls photos/$split/$pet/*.jpg | head -4) pets/$split/$pet; done; done
            """)
    }

    /// Label and split of each image, by the name of its file; and the names of splits and labels.
    private func labels(_ store: String) throws -> Set<String> {
        Set(try Store.open(path: shop.folder.file(store)).images().map { "\($0.label ?? "-")/\($0.split ?? "-")" })
    }

    @Test func labelsOfFoldersHoweverTheyAreNamed() throws {
        try makePets()
        let index = "neurodex index s.sqlite --model \(Fixtures.path("petshop.onnx")) --resize none"
        let all: Set = ["cat/train", "dog/train", "cat/val", "dog/val"]
        for (folder, images, wanted) in [
            (".", "pets", all), (".", "pets/*", all), ("pets", ".", all), ("pets", "*", all), (".", "./pets/*/*/", all),
            (".", "pets/*/*/*.jpg", all), (".", "'\(shop.path)/pets'", all), (".", "'\(shop.path)'/pets/*/*", all),
            ("pets/train", "cat dog", ["cat/-", "dog/-"]), (".", "pets/train", ["cat/train", "dog/train"]),
            (".", "pets/train/cat", ["cat/train"]), ("pets", "val/dog/*.jpg", ["dog/val"]),
            ("pets/val/dog", "*.jpg", ["dog/val"]), ("pets/val/dog", ".", ["dog/val"]),
            ("pets/val", "../train/cat", ["cat/train"]),
        ] as [(String, String, Set<String>)] {
            try shell("cd \(folder) && \(index) \(images) && mv s.sqlite '\(shop.path)/found.sqlite'")
            #expect(try labels("found.sqlite") == wanted, "index \(images) in \(folder)")
        }
        try shell("mkdir flat flat/test && cp pets/val/cat/* flat && cp pets/val/dog/* flat/test")
        let flat = try shell("\(index) flat/*.jpg")
        #expect(flat.contains("all 4 images have the label 'flat', which is the folder that they stand in"), "\(flat)")
        let split = try shell("rm s.sqlite; \(index) flat")
        let reason = "4 of 8 images stand right in the folder of a split, or in a shard, and have no label, such as 'flat/test/"
        #expect(split.contains(reason), "\(split)")
        #expect(try labels("s.sqlite") == ["flat/-", "-/test"])
    }

    /// A table that names files from the root on is of the images of a store, whichever folder it is used in.
    @Test func fullNamesAreUsedInAnyFolder() throws {
        try makePets()
        try shell("neurodex index s.sqlite --model \(Fixtures.path("petshop.onnx")) --resize none pets/val/cat")
        try shell(
            """
            { echo file,label; for pet in pets/val/cat/*; do echo "'\(shop.path)'/$pet,tiger" | tr -d "'"; done; } > full.csv
            mkdir other && cd other && neurodex relabel ../s.sqlite --labels ../full.csv
            """)
        #expect(try labels("s.sqlite") == ["tiger/val"])
    }

    @Test func labelsAreCorrected() throws {
        try makePets()
        try shell("neurodex index s.sqlite --model petshop.onnx --classes labels.txt --resize none pets")
        let paths = try Store.open(path: shop.folder.file("s.sqlite")).images().map(\.path)
        let table = "file,label,split\n\(paths[0]),kat,\n\(paths[1]),dog,test\n\(paths[2]),,\n\(paths[3]),cat,\n"
        try write(table, "corrected.csv")
        let before = try StoreDump(shop.folder.file("s.sqlite"))
        let dry = try shell("neurodex relabel s.sqlite --labels corrected.csv --dry-run")
        #expect(dry.contains("s.sqlite: 3 of 16 images would get another label or split; nothing was written"), "\(dry)")
        #expect(try StoreDump(shop.folder.file("s.sqlite")) == before)
        let said = try shell("neurodex index s.sqlite --labels corrected.csv pets")
        for line in [
            "corrected.csv names 4 of 16 images; it says nothing of '\(paths[4])'",
            "2 labels changed: \(paths[0]) from 'cat' to 'kat', \(paths[1]) from 'cat' to 'dog'",
            "1 label removed: \(paths[2]) was 'cat'", "1 split changed: \(paths[1]) from 'train' to 'test'",
            "16 were there already", "warning: 1 of 3 labels (1 of 15 images) is no class's name, such as 'kat'",
        ] { #expect(said.contains(line), "\(said)") }
        #expect(try shell("neurodex index s.sqlite --labels corrected.csv pets").contains("nothing to do, all 16 images"))
        let store = try Store.open(path: shop.folder.file("s.sqlite"))
        #expect(try store.images().prefix(5).map(\.label) == ["kat", "dog", nil, "cat", "dog"])
        #expect(try store.verify().findings == [])
        try shell("neurodex relabel s.sqlite --from-folders")
        #expect(try labels("s.sqlite") == ["cat/train", "dog/train", "cat/val", "dog/val"])
        #expect(try shell("neurodex relabel s.sqlite --from-folders").contains("nothing to do"))
        try shell("neurodex relabel s.sqlite --labels none")
        #expect(try labels("s.sqlite") == ["-/train", "-/val"])
        #expect(try shell("neurodex relabel s.sqlite", status: 64).contains("say what is to be other"))
        let gone = try shell("neurodex relabel s.sqlite --labels gone.csv", status: 1)
        #expect(gone.contains("cannot read the labels in 'gone.csv'"))
    }

    @Test func aLaterRunGoesByTheSameSource() throws {
        try makePets()
        try shell("mkdir more && cp pets/val/dog/* more")
        try write("file,label\n" + "pets/train/cat,x\n", "none.csv")
        let names = try FileManager.default.subpathsOfDirectory(atPath: shop.folder.file("pets")).filter { $0.hasSuffix("jpg") }
        try write("file,label\n" + names.map { "pets/\($0),pet\n" }.joined(), "table.csv")
        try shell("neurodex index s.sqlite --model petshop.onnx --resize none --labels table.csv pets/train")
        try shell("mkdir away && cd away && neurodex index ../s.sqlite --model ../petshop.onnx '\(shop.path)/pets/val'")
        #expect(try Store.open(path: shop.folder.file("s.sqlite")).images().map(\.label) == Array(repeating: "pet", count: 16))
        try shell("rm table.csv")
        let said = try shell("neurodex index s.sqlite more")
        #expect(said.contains("images that are new get no label"), "\(said)")
        #expect(said.contains("table.csv': there is no such file"), "\(said)")
        #expect(try Store.open(path: shop.folder.file("s.sqlite")).images().last?.label == nil)
        try shell("neurodex index s.sqlite more --labels folders")
        #expect(try Store.open(path: shop.folder.file("s.sqlite")).images().last?.label == "more")
    }

    /// A table that is read again names images of before, which are none of this run's; that is not worth saying.
    @Test func rowsOfImagesOfBeforeAreNotSaidAgain() throws {
        try makePets()
        let names = try FileManager.default.subpathsOfDirectory(atPath: shop.folder.file("pets")).filter { $0.hasSuffix("jpg") }
        try write("file,label\n" + names.map { "pets/\($0),pet\n" }.joined(), "table.csv")
        let first = try shell("neurodex index s.sqlite --model petshop.onnx --resize none --labels table.csv pets/train")
        #expect(first.contains("8 rows of table.csv name no image"), "\(first)")
        let second = try shell("neurodex index s.sqlite pets/val")
        #expect(!second.contains("name no image") && second.contains("8 images in"), "\(second)")
    }

    /// Whatever moment it is ended at, a store has the old labels or the new ones, and is sound.
    @Test func relabellingIsKilledAtAnyMoment() throws {
        try shell("neurodex index s.sqlite --model petshop.onnx --resize none photos")
        let names = try Store.open(path: shop.folder.file("s.sqlite")).images().map(\.path)
        try write("file,label,split\n" + names.map { "\($0),pet,test\n" }.joined(), "table.csv")
        let (old, arguments) = (try StoreDump(shop.folder.file("s.sqlite")), ["relabel", "t.sqlite", "--labels", "table.csv"])
        try shell("cp s.sqlite t.sqlite")
        let start = Date()
        #expect(try Executable.run(arguments, in: shop.path).status == 0)
        let seconds = Date().timeIntervalSince(start)
        let new = try StoreDump(shop.folder.file("t.sqlite"))
        #expect(new != old)
        for moment in 0..<8 {
            try shell("cp s.sqlite t.sqlite")
            let running = try Executable.Running(Executable.path, arguments, in: shop.path)
            usleep(UInt32(seconds * Double(moment) / 8 * 1e6))
            running.send(SIGKILL)
            _ = try running.wait()
            #expect(try shell("neurodex verify t.sqlite --sample 0").isEmpty)
            let found = try StoreDump(shop.folder.file("t.sqlite"))
            #expect(found == old || found == new, "killed after \(moment) eighths of \(seconds) s")
        }
    }

    /// What was corrected stays with an image whose file changes, or gets another name in its folder.
    @Test func correctionsStayWithFiles() throws {
        try makePets()
        try shell("neurodex index s.sqlite --model petshop.onnx --resize none pets")
        let paths = try Store.open(path: shop.folder.file("s.sqlite")).images().map(\.path)
        try write("file,label\n\(paths[0]),a\n\(paths[1]),b\n\(paths[2]),c\n", "corrected.csv")
        try shell("neurodex relabel s.sqlite --labels corrected.csv")
        try shell(
            "cp photos/test/fish/*01.jpg \(paths[0]); mv \(paths[1]) pets/train/cat/tom.jpg; mv \(paths[2]) pets/train/dog/rex.jpg"
        )
        try shell("neurodex index s.sqlite pets")
        let store = try Store.open(path: shop.folder.file("s.sqlite"))
        let found = [paths[0], "pets/train/cat/tom.jpg", "pets/train/dog/rex.jpg"]
        #expect(try found.map { try store.image(path: $0)?.label } == ["a", "b", "dog"])
    }

    @Test func classesAreNamedLater() throws {
        try makePets()
        let first = try shell("neurodex index s.sqlite --model petshop.onnx --resize none pets")
        #expect(first.contains("the names of the network's 5 classes are not known; --classes names them"), "\(first)")
        #expect(first.contains("pictures: not resized → crop 96, ImageNet mean"), "\(first)")
        let named = try shell("neurodex index s.sqlite --classes labels.txt pets")
        #expect(named.contains("5 names of classes changed: 0 from none to 'cat'"), "\(named)")
        #expect(named.contains("network right on 16 of 16 (100.0 %)"), "\(named)")
        try shell("sort -r labels.txt > other.txt")
        let other = try shell("neurodex relabel s.sqlite --classes other.txt")
        #expect(other.contains("names of classes changed: 0 from 'cat' to "), "\(other)")
        #expect(other.contains("network right on 0 of 16 (0.0 %)"), "\(other)")
        let fewer = try shell("head -3 labels.txt > few.txt; neurodex relabel s.sqlite --classes few.txt", status: 1)
        #expect(fewer.contains("'few.txt' has 3 class names, but the network has 5 outputs"), "\(fewer)")
        try shell("neurodex relabel s.sqlite --classes labels.txt && neurodex verify s.sqlite")
    }
}
