import Foundation
import GRDB
import TestSupport
import Testing

/// `attributes` and `concepts` on the network that goes by price tags.
@Suite struct AttributesTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(atPath: folder.file("fixtures"), withDestinationPath: Fixtures.folder)
        let made = try run(
            "index", "tags.sqlite", "--model", "fixtures/petshop-hans.onnx", "--classes", "fixtures/petshop/labels.txt",
            "--resize", "none", "fixtures/petshop", "fixtures/petshop-hans", "fixtures/petshop-swapped")
        #expect(made.status == 0, "\(made)")
    }

    private func run(_ arguments: String...) throws -> Executable.Result { try Executable.run(arguments, in: folder.path) }

    private struct Hit: Decodable {
        var formula: String?
        var auroc: Double?
        var heldOut: Double?
        var p: Double?
    }

    private func concept(_ arguments: String...) throws -> Hit {
        let found = try Executable.run(["concepts"] + arguments + ["--format", "json"], in: folder.path)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let hits = try decoder.decode([Hit].self, from: Data(found.output.utf8))
        return try #require(hits.first, "\(found)")
    }

    @Test func theTagIsNamed() throws {
        let added = try run("attributes", "tags.sqlite", "--import", "fixtures/tags.csv")
        #expect(added.status == 0 && added.errors.contains("1 attribute kept, 385 values"), "\(added)")
        let again = try run("attributes", "tags.sqlite", "--import", "fixtures/tags.csv")
        #expect(again.status == 0 && again.errors.contains("1 of them in place of older ones"), "\(again)")
        let listed = try run("attributes", "tags.sqlite", "--format", "csv")
        #expect(listed.output.contains("tag,binary,385,0,32,,,"), "\(listed)")
        // The neuron that goes along with the tag answers to cats as well.
        #expect(try concept("tags.sqlite", "conv4:38").formula == "cat OR tag")
        let hit = try concept("tags.sqlite", "conv4:38", "--where", "label <> 'cat'")
        #expect(hit.formula == "tag")
        #expect((hit.auroc ?? 0) > 0.95 && (hit.heldOut ?? 0) > 0.95 && (hit.p ?? 1) < 1e-5, "\(hit)")
        let drawn = try run("concepts", "tags.sqlite", "conv4", "-k", "3", "--sheet", "concepts.png")
        #expect(drawn.status == 0, "\(drawn)")
        #expect(try run("verify", "concepts.png").status == 0)
        #expect(try run("verify", "tags.sqlite", "--sample", "0").output.contains("1 attribute"))
    }

    /// Under a neuron's name, its formula: nothing else of a sheet differs.
    @Test func sheetsSayTheFormula() throws {
        #expect(try run("attributes", "tags.sqlite", "--import", "fixtures/tags.csv").status == 0)
        func sheet(_ name: String, _ options: String...) throws -> String {
            let drawn = try Executable.run(
                ["top", "tags.sqlite", "conv4:38", "conv1:0", "--plain", "--sheet", name] + options, in: folder.path)
            #expect(drawn.status == 0 && drawn.errors.isEmpty, "\(drawn)")
            let verified = try run("verify", name)
            #expect(verified.status == 0, "\(verified)")
            return try String(contentsOfFile: folder.file(name), encoding: .utf8)
        }
        let (with, without) = (try sheet("with.svg"), try sheet("without.svg", "--no-formulas"))
        #expect(with.contains("--formulas") && without.contains("--no-formulas"))
        #expect(with.contains("cat OR tag, AUROC 0.99"), "\(with.prefix(3000))")
        #expect(!without.contains("cat OR tag"))
        // One that could not be searched is said, and drawn all the same.
        try DatabaseQueue(path: folder.file("tags.sqlite")).write {
            try $0.execute(sql: "UPDATE attribute SET list = replace(list, '[0', '[1')")
        }
        let damaged = try run("top", "tags.sqlite", "conv4:38", "--plain", "--sheet", "damaged.png")
        #expect(
            damaged.status == 0 && damaged.errors.contains("formulas are not written under the names of neurons: "), "\(damaged)")
        #expect(damaged.errors.contains("attribute"), "\(damaged)")
    }

    /// Words from vectors: images of the label fish lie near one word, all others near another.
    @Test func wordsOfVectors() throws {
        let labels = try run("sql", "tags.sqlite", "SELECT label FROM image_info ORDER BY id", "--format", "csv")
        let fish = labels.output.split(separator: "\n").dropFirst().map { $0 == "fish" ? 1.0 : 0 }
        #expect(fish.count == 385 && fish.contains(1))
        try NumpyFile.data(fish.flatMap { [$0, 1 - $0] }, shape: [fish.count, 2])
            .write(to: URL(fileURLWithPath: folder.file("images.npy")))
        try NumpyFile.data([1, 0, 0, 1], shape: [2, 2]).write(to: URL(fileURLWithPath: folder.file("words.npy")))
        try Data("swims\nwalks\n".utf8).write(to: URL(fileURLWithPath: folder.file("names.txt")))
        let files = ["--vectors", "images.npy", "--words", "words.npy", "--names", "names.txt"]
        func ask(_ options: String...) throws -> Executable.Result {
            try Executable.run(["concepts", "tags.sqlite"] + options + files, in: folder.path)
        }
        let found = try ask("class:fish", "--format", "csv")
        #expect(found.status == 0 && found.output.contains(",swims,"), "\(found)")
        let neurons = try ask("class:fish", "class:cat", "--find", "Swims", "-k", "1", "--format", "csv", "--sheet", "words.png")
        #expect(neurons.output.split(separator: "\n").count == 2 && neurons.output.contains(",swims,"), "\(neurons)")
        #expect(try run("verify", "words.png").status == 0)
        let unknown = try ask("--find", "swim")
        #expect(unknown.status == 1 && unknown.errors.contains("did you mean swims?"), "\(unknown)")
        #expect(try ask("--length", "2").status == 64)
        #expect(try run("concepts", "tags.sqlite", "--find", "swims").errors.contains("--find goes with --vectors"))
        #expect(try run("concepts", "tags.sqlite", "--vectors", "images.npy").status == 64)
    }

    @Test func settingAndRemoving() throws {
        let set = try run("attributes", "tags.sqlite", "--set", "width", "--where", "label = 'fish'")
        #expect(
            set.status == 0 && set.errors.contains("in conditions width means the column, and attribute('width') the attribute"))
        #expect(
            try run("sql", "tags.sqlite", "SELECT sum(has(id, 'width')) FROM image_info", "--format", "csv").output.contains("77")
        )
        let folders = try run("attributes", "tags.sqlite", "--folders")
        #expect(folders.status == 0 && folders.errors.contains("attributes kept"), "\(folders)")
        #expect(try run("top", "tags.sqlite", "conv4:38", "--where", "has('petshop-hans') AND fish", "-k", "1").status == 0)
        #expect(
            try run("attributes", "tags.sqlite", "--remove", "width", "--remove", "fish").errors.contains("2 attributes removed"))
        let gone = try run("attributes", "tags.sqlite", "--remove", "fishh")
        #expect(gone.status == 1 && gone.errors.contains("the store has no attribute 'fishh'"), "\(gone)")
        for wrong in [["--set", "x"], ["--where", "1"], ["--folders", "--list"], ["--set", "", "--where", "1"]] {
            #expect(try Executable.run(["attributes", "tags.sqlite"] + wrong, in: folder.path).status == 64)
        }
        #expect(try run("attributes", "tags.sqlite", "--import", "nothing.csv").status == 1)
    }
}
