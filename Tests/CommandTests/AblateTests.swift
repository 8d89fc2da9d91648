import Foundation
import TestSupport
import Testing

/// The network that goes by price tags, without the neuron that sees them.
@Suite struct AblateTests {
    private let shop: Shop

    init() throws { shop = try Shop.ofHans("petshop-hans") }

    private struct Report: Decodable {
        struct Row: Decodable {
            var label: String?
            var images: Int
            var rightBefore: Int
            var rightAfter: Int
            var changed: Int
            var probabilityBefore: Double
            var probabilityAfter: Double
        }
        struct Flip: Decodable {
            var image: String
            var before: String
            var after: String
        }
        var neurons: [String]
        var to: String
        var labels: [Row]
        var all: Row
        var changed: [Flip]
    }

    private func report<Value: Decodable>(_ type: Value.Type, _ arguments: [String]) throws -> Value {
        let result = try Executable.run(["ablate", "hans.sqlite"] + arguments + ["--format", "json"], in: shop.path)
        #expect(result.status == 0, "\(result)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(result.output.utf8))
    }

    /// What `ablate` says is what the file that it writes does.
    @Test func theWrittenNetworkAnswersSo() throws {
        let neurons = [38, 36, 22, 41, 7, 60, 12, 28, 58, 18, 50, 52, 55, 8, 46, 30, 45, 13].map { "conv4:\($0)" }
        let found = try report(Report.self, neurons + ["-o", "pruned.onnx"])
        #expect(found.neurons == neurons && found.to == "zero" && found.all.images == 60)
        let most = try #require(found.labels.first)
        #expect(most.probabilityAfter < most.probabilityBefore - 0.1 && most.changed > 0)
        #expect(found.labels.reduce(0) { $0 + $1.changed } == found.changed.count && found.all.changed == found.changed.count)
        let made = try shop.run(
            "index", "after.sqlite", "--model", "pruned.onnx", "--classes", "labels.txt", "--resize", "none", "petshop-hans")
        #expect(
            made.status == 0 && (made.output + made.errors).contains("network right on \(found.all.rightAfter) of 60"), "\(made)")
        let off = try shop.run(
            "sql", "after.sqlite", "SELECT max(value) AS m FROM activation WHERE layer = 'conv4' AND channel = 38", "--format",
            "csv")
        #expect(off.output == "m\n0.0\n" || off.output == "m\n0\n", "\(off)")
        // Only its weights have changed.
        let files = try ["petshop-hans.onnx", "pruned.onnx"].map {
            try Data(contentsOf: URL(fileURLWithPath: shop.folder.file($0)))
        }
        #expect(files[0].count == files[1].count && files[0] != files[1])
        #expect(
            try Executable.run(["ablate", "hans.sqlite", "conv4:38", "-o", "pruned.onnx"], in: shop.path).errors.contains(
                "is not overwritten"))
    }

    private struct Ranked: Decodable {
        var rank: Int
        var neuron: String
        var images: Int
        var probabilityAfter: Double
    }

    /// Each one alone is as when it is asked for alone.
    @Test func eachIsRankedByWhatItsLossCosts() throws {
        let found = try report([Ranked].self, ["conv4", "--each", "--label", "fish", "-k", "64"])
        #expect(found.count == 64 && found.allSatisfy { $0.images == 12 } && Set(found.map(\.neuron)).count == 64)
        #expect(found.map(\.probabilityAfter) == found.map(\.probabilityAfter).sorted())
        let alone = try report(Report.self, [found[0].neuron, "--where", "label = 'fish'"])
        #expect(alone.all.probabilityAfter == found[0].probabilityAfter)
    }

    @Test func theMeanIsLessThanNothing() throws {
        let (zero, mean) = (try report(Report.self, ["conv4:38"]), try report(Report.self, ["conv4:38", "--to", "mean"]))
        #expect(mean.to == "mean" && mean.all.probabilityBefore == zero.all.probabilityBefore)
        #expect(mean.all.probabilityAfter != zero.all.probabilityAfter)
    }

    @Test func whatCannotBeDoneIsSaid() throws {
        func refusal(_ arguments: String..., status: Int32 = 1) throws -> String {
            let result = try Executable.run(["ablate", "hans.sqlite"] + arguments, in: shop.path)
            #expect(result.status == status && result.output.isEmpty, "\(result)")
            return result.errors
        }
        #expect(try refusal("class:fish").contains("is a class score"))
        #expect(try refusal("conv4").contains("names all neurons of a layer"))
        #expect(try refusal("conv4:999").contains("999"))
        #expect(try refusal("conv4:1@mean").contains("switched off as a whole: conv4:1"))
        #expect(try refusal("conv4:1", "--label", "fisch").contains("no image"))
        #expect(try refusal("conv4:1", "--each", "-o", "x.onnx", status: 64).contains("leave --each out"))
        #expect(try refusal("conv4:1", "-o", "nowhere/x.onnx").contains("there is no folder"))
    }

    /// A changed copy of a network whose weights stand in a file beside it works nowhere else, and is not written elsewhere.
    @Test func weightsBesideTheModelStayInReach() throws {
        let model = try #require(ProtoMessage(Array(try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("petshop.onnx"))))))
        var (outer, moved) = (model, Data())
        let graph = try #require(model.messages(7).first)
        var changed = graph
        for (index, field) in graph.fields.enumerated() where field.number == 5 {
            guard case .bytes(let bytes) = field.value, var tensor = ProtoMessage(bytes), let raw = tensor.bytes(9).first else {
                continue
            }
            tensor.fields.removeAll { $0.number == 9 }
            for (key, value) in [("location", "beside"), ("offset", "\(moved.count)"), ("length", "\(raw.count)")] {
                var entry = ProtoMessage()
                entry.add(1, key)
                entry.add(2, value)
                tensor.add(13, entry)
            }
            tensor.add(14, 1)
            moved += raw
            changed.fields[index].value = .bytes(tensor.bytes)
        }
        #expect(moved.count > 10_000)
        let place = try #require(outer.fields.firstIndex { $0.number == 7 })
        outer.fields[place].value = .bytes(changed.bytes)
        let folder = shop.folder.file("split")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try Data(outer.bytes).write(to: URL(fileURLWithPath: folder + "/m.onnx"))
        try moved.write(to: URL(fileURLWithPath: folder + "/beside"))
        let made = try shop.run(
            "index", "split.sqlite", "--model", "split/m.onnx", "--classes", "labels.txt", "--resize", "none", "--layers", "*",
            "petshop-hans")
        #expect(made.status == 0, "\(made)")
        for arguments in [
            ["ablate", "split.sqlite", "conv4:3"],
            ["repair", "split.sqlite", "--by", "id % 2", "--train", "id < 40", "--judge", "id >= 40"],
        ] {
            let refused = try Executable.run(arguments + ["-o", "pruned.onnx"], in: shop.path)
            #expect(refused.status == 1 && refused.errors.contains("works in its folder only"), "\(refused)")
            #expect(!FileManager.default.fileExists(atPath: shop.folder.file("pruned.onnx")))
        }
        let written = try shop.run("ablate", "split.sqlite", "conv4:3", "-o", "split/pruned.onnx")
        #expect(written.status == 0, "\(written)")
        #expect(
            try shop.run("predict", "split/pruned.onnx", "petshop-hans", "--classes", "labels.txt", "--resize", "none").status
                == 0)
    }

    @Test func imagesThatAreGoneAreCounted() throws {
        try FileManager.default.removeItem(atPath: shop.folder.file("petshop-hans"))
        try FileManager.default.copyItem(atPath: Fixtures.path("petshop-hans"), toPath: shop.folder.file("petshop-hans"))
        try FileManager.default.removeItem(atPath: shop.folder.file("petshop-hans/test/fish/fish-01.jpg"))
        let result = try shop.run("ablate", "hans.sqlite", "conv4:38")
        #expect(
            result.status == 2 && result.errors.contains("not looked at: 1 of 60") && result.errors.contains("fish-01.jpg"),
            "\(result)")
    }
}
