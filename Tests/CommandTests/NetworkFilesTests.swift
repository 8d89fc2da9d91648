import Foundation
import TestSupport
import Testing

/// Networks as people have them, from the file to explanations: odd names, several outputs, no classes, free sizes, bytes, channels last.
@Suite struct NetworkFilesTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("photos"), withDestinationPath: Fixtures.path("petshop/val"))
        try Data("file,label\n".utf8).write(to: URL(fileURLWithPath: folder.file("labels.csv")))
    }

    private static let photo = "photos/cat/cat-21.jpg"

    private func write(_ model: ModelBuilder, _ outputs: [String], as name: String = "m.onnx") throws {
        try Data(model.bytes(outputs: outputs)).write(to: URL(fileURLWithPath: folder.file(name)))
    }

    private func run(_ arguments: String...) throws -> Executable.Result { try Executable.run(arguments, in: folder.path) }

    /// Runs, and expects to be refused with all of `words` and no crash.
    private func expectRefused(_ words: [String], _ arguments: String..., location: SourceLocation = #_sourceLocation) throws {
        let result = try Executable.run(arguments, in: folder.path)
        #expect(!result.isSignal && [1, 64].contains(result.status), "\(arguments): \(result)", sourceLocation: location)
        for word in words { #expect(result.errors.contains(word), "\(arguments): \(result)", sourceLocation: location) }
    }

    private func expectDone(_ arguments: String..., location: SourceLocation = #_sourceLocation) throws -> String {
        let result = try Executable.run(arguments, in: folder.path)
        #expect(result.status == 0 && !result.isSignal, "\(arguments): \(result)", sourceLocation: location)
        return result.output
    }

    private func weights(_ count: Int, seed: UInt64) -> [Float] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Float.random(in: -0.5...0.5, using: &random) }
    }

    /// A convolution of stride 4 with the given names of weights and nodes, ReLU, and what `head` makes of it.
    private func model(
        input: [Int?] = [nil, 3, 32, 48], type: Int = 1, name: String = "conv", head: (inout ModelBuilder, String) -> [String]
    ) throws -> ModelBuilder {
        var model = ModelBuilder(input: input, type: type)
        let channels = input[3] == 3 ? 3 : input[1] ?? 3
        _ = model.weight("w", [4, channels, 5, 5], weights(4 * channels * 25, seed: 1))
        _ = model.weight("fc", [4, 3], weights(12, seed: 2))
        var image = "image"
        if type != 1 { image = model.node("Cast", [image], ["to": 1]) }
        if input[3] == 3 { image = model.node("Transpose", [image], ["perm": [0, 3, 1, 2]]) }
        let conv = model.node("Conv", [image, "w"], ["strides": [4, 4]], name: name, outputs: ["map"])
        let outputs = head(&model, model.node("Relu", [conv], outputs: ["rectified"]))
        try write(model, outputs)
        return model
    }

    private func classifier(input: [Int?] = [nil, 3, 32, 48], type: Int = 1, name: String = "conv") throws {
        _ = try model(input: input, type: type, name: name) { model, map in
            let flat = model.node("Flatten", [model.node("GlobalAveragePool", [map], name: "pool")])
            return [model.node("MatMul", [flat, "fc"], name: "scores")]
        }
    }

    /// A network of two heads: a store keeps both, and the first is the answer.
    @Test func aStoreKeepsSeveralOutputs() throws {
        _ = try model { model, map in
            let flat = model.node("Flatten", [model.node("GlobalAveragePool", [map], name: "pool")])
            _ = model.weight("years", [4, 1], weights(4, seed: 3))
            let kind = model.node("MatMul", [flat, "fc"], name: "species")
            let age = model.node("MatMul", [flat, "years"], name: "age")
            return [model.node("Softmax", [kind], outputs: ["kind"]), model.node("Sigmoid", [age], outputs: ["old"])]
        }
        _ = try expectDone("index", "one.sqlite", "--model", "m.onnx", "photos/cat")
        #expect(try !expectDone("layers", "one.sqlite", "--format", "csv").contains("\nage,"))
        _ = try expectDone("index", "s.sqlite", "--model", "m.onnx", "--output", "kind", "--output", "old", "photos/cat")
        let layers = try expectDone("layers", "s.sqlite", "--format", "csv").split(separator: "\n").map(String.init)
        #expect(layers.contains { $0.hasPrefix("species,") && $0.hasSuffix(",true") })
        // Before its sigmoid, and no class.
        #expect(layers.contains { $0.hasPrefix("age,") && $0.hasSuffix(",false") && $0.contains(",MatMul,1,1,1,") })
        #expect(
            try expectDone("layers", "m.onnx", "--output", "kind", "--output", "old", "--format", "csv") == layers.joined(
                separator: "\n") + "\n")
        #expect(try expectDone("info", "s.sqlite").contains("other outputs"))
        // The store knows them: more images, and questions of both.
        _ = try expectDone("index", "s.sqlite", "photos")
        #expect(try expectDone("top", "s.sqlite", "age:0", "-k", "3", "--format", "csv").split(separator: "\n").count == 4)
        _ = try expectDone("saliency", "s.sqlite", Self.photo, "--target", "age:0", "-o", "age.png")
        // Only one of them is asked of a store that has both, and the other way round.
        try expectRefused(["outputs", "old"], "index", "s.sqlite", "--output", "kind", "photos")
        try expectRefused(["outputs", "old"], "index", "one.sqlite", "--output", "kind", "--output", "old", "photos")
        try expectRefused(
            ["nothing", "kind", "old"], "index", "t.sqlite", "--model", "m.onnx", "--output", "kind", "--output", "nothing",
            "photos")
        try expectRefused(["2 outputs", "index"], "predict", "m.onnx", Self.photo, "--output", "kind", "--output", "old")
    }

    @Test(arguments: ["it's", "two words", "Größe/層", "a\"b", "conv:1", "class:cat", "-k", "x,y", "100%_*?[", "a@mean"])
    func oddNames(_ name: String) throws {
        try classifier(name: name)
        _ = try expectDone("index", "s.sqlite", "--model", "m.onnx", "photos/cat")
        let layers = try expectDone("layers", "s.sqlite", "--format", "json")
        let list = try #require(try JSONSerialization.jsonObject(with: Data(layers.utf8)) as? [[String: Any]])
        #expect(list.compactMap { $0["layer"] as? String } == [name, "pool", "scores"])
        // Under its own name everywhere: a list, a picture, SQL, an explanation.
        let top = try expectDone("top", "s.sqlite", "-k", "2", "--format", "json", "--sheet", "top.png", "--", "\(name):3")
        let found = try #require(try JSONSerialization.jsonObject(with: Data(top.utf8)) as? [[String: Any]])
        #expect(found.count == 2 && found.allSatisfy { $0["layer"] as? String == name && $0["channel"] as? Int == 3 })
        let csv = try expectDone("top", "s.sqlite", "-k", "1", "--format", "csv", "--", "\(name):3")
        #expect(
            csv.contains(name.contains("\"") || name.contains(",") ? "\"\(name.replacing("\"", with: "\"\""))\"," : "\n\(name),"))
        let quoted = name.replacing("'", with: "''")
        let sql = try expectDone(
            "sql", "s.sqlite", "SELECT channels FROM layer WHERE name = '\(quoted)'", "--format", "csv"
        )
        #expect(sql == "channels\n4\n", "\(sql)")
        _ = try expectDone(
            "saliency", "s.sqlite", Self.photo, "--target=\(name):3", "-o", "saliency.png")
        _ = try expectDone("verify", "saliency.png")
    }

    @Test func aFileWhoseNodesShareANameOrHaveNone() throws {
        _ = try model(name: "") { model, map in
            var value = map
            for (type, name) in [("MaxPool", "twice"), ("MaxPool", "twice"), ("MaxPool", "")] {
                value = model.node(type, [value], ["kernel_shape": [2, 2]], name: name)
            }
            return [model.node("MatMul", [model.node("Flatten", [model.node("GlobalAveragePool", [value])]), "fc"])]
        }
        let names = try expectDone("layers", "m.onnx", "--format", "csv").split(separator: "\n").dropFirst()
            .map { String($0.split(separator: ",")[0]) }
        #expect(Array(names.prefix(3)) == ["map", "twice", "twice.2"] && Set(names).count == names.count, "\(names)")
    }

    @Test func severalOutputs() throws {
        _ = try model { model, map in
            let flat = model.node("Flatten", [model.node("GlobalAveragePool", [map], name: "pool")])
            let first = model.node("MatMul", [flat, "fc"], name: "colour", outputs: ["colour scores"])
            _ = model.weight("other", [4, 2], weights(8, seed: 7))
            return [first, model.node("MatMul", [flat, "other"], name: "shape", outputs: ["shape_scores"])]
        }
        try expectRefused(
            ["no output 'shape_score'", "shape_scores"], "index", "s.sqlite", "--model", "m.onnx", "--output", "shape_score",
            "photos/cat")
        #expect(try expectDone("layers", "m.onnx").contains("colour"))
        #expect(try expectDone("layers", "m.onnx", "--output", "shape_scores").contains("shape (class scores)") == false)
        _ = try expectDone("index", "s.sqlite", "--model", "m.onnx", "--output", "shape_scores", "photos/cat")
        // Kept: for more images, for explanations, for images from outside; another output is another store.
        _ = try expectDone("index", "s.sqlite", "photos/cat", "photos/dog")
        #expect(try expectDone("info", "s.sqlite").contains("shape_scores"))
        _ = try expectDone("saliency", "s.sqlite", Self.photo, "--target", "class:1", "-o", "why.png")
        _ = try expectDone("ascend", "s.sqlite", "class:1", "--steps", "2", "-o", "wants.png")
        _ = try expectDone("profile", "s.sqlite", Fixtures.path("petshop/test/fish/fish-33.webp"))
        try expectRefused(["class"], "top", "s.sqlite", "class:2")
        try expectRefused(["output", "shape_scores"], "index", "s.sqlite", "--output", "colour scores", "photos/cat")
        // The first is the default, and may be named.
        _ = try expectDone("index", "t.sqlite", "--model", "m.onnx", "photos/cat")
        _ = try expectDone("index", "t.sqlite", "--output", "colour scores", "photos/cat")
    }

    @Test func featuresWithoutClasses() throws {
        _ = try model { model, map in
            let sum = model.node("Add", [map, map], name: "sum")
            return [model.node("Flatten", [model.node("GlobalAveragePool", [sum], name: "features")])]
        }
        _ = try expectDone("index", "s.sqlite", "--model", "m.onnx", "photos/cat", "photos/dog")
        #expect(try !expectDone("layers", "s.sqlite").contains("class scores"))
        #expect(try expectDone("top", "s.sqlite", "features:2", "-k", "1").contains("features"))
        _ = try expectDone("similar", "s.sqlite", Self.photo, "--layer", "features")
        _ = try expectDone("neurons", "s.sqlite")
        _ = try expectDone("saliency", "s.sqlite", Self.photo, "--target", "features:2", "-o", "a.png")
        _ = try expectDone(
            "occlusion", "s.sqlite", Self.photo, "--target", "features:2", "--window", "16", "--stride", "16", "-o", "b.png")
        _ = try expectDone("cam", "s.sqlite", Self.photo, "--target", "features:2", "-o", "c.png")
        for command in ["saliency", "occlusion", "cam"] {
            try expectRefused(["no class scores", "--target LAYER:CHANNEL"], command, "s.sqlite", Self.photo, "-o", "d.png")
        }
        try expectRefused(["class:1 names a class", "LAYER:CHANNEL"], "top", "s.sqlite", "class:1")
        try expectRefused(["class:1 names a class"], "saliency", "s.sqlite", Self.photo, "--target", "class:1", "-o", "d.png")
        #expect(
            try expectDone("sql", "s.sqlite", "SELECT count(predicted_class_id) AS n FROM image", "--format", "csv") == "n\n0\n")
        // Whoever knows better says so, either way; and the store keeps it.
        _ = try expectDone("index", "t.sqlite", "--model", "m.onnx", "--classes", names(4), "photos/cat")
        #expect(try expectDone("top", "t.sqlite", "class:c2", "-k", "1").contains("features"))
        try classifier()
        _ = try expectDone("index", "u.sqlite", "--model", "m.onnx", "--classes", "none", "photos/cat")
        _ = try expectDone("index", "u.sqlite", "photos/cat", "photos/dog")
        try expectRefused(["class:1 names a class"], "top", "u.sqlite", "class:1")
        try expectRefused(["no class scores"], "saliency", "u.sqlite", Self.photo, "-o", "d.png")
    }

    private func names(_ count: Int) throws -> String {
        let path = folder.file("names.txt")
        try Data((0..<count).map { "c\($0)\n" }.joined().utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func aNetworkThatAnswersWithAPicture() throws {
        _ = try model { model, map in
            _ = model.weight("out", [2, 4, 1, 1], weights(8, seed: 4))
            return [model.node("Sigmoid", [model.node("Conv", [map, "out"], name: "picture")])]
        }
        _ = try expectDone("index", "s.sqlite", "--model", "m.onnx", "photos/cat")
        #expect(try !expectDone("layers", "s.sqlite").contains("class scores"))
        _ = try expectDone("top", "s.sqlite", "picture:1", "-k", "1", "--sheet", "a.png")
        _ = try expectDone("saliency", "s.sqlite", Self.photo, "--target", "picture:1@2,3", "-o", "b.png")
        try expectRefused(["class:0 names a class"], "top", "s.sqlite", "class:0")
        try expectRefused(["no class scores"], "occlusion", "s.sqlite", Self.photo, "-o", "d.png")
        try expectRefused(
            ["answers with a map of 7×11"], "index", "t.sqlite", "--model", "m.onnx", "--classes", names(2), "photos/cat")
    }

    @Test func picturesOfAnySize() throws {
        try classifier(input: [nil, 3, nil, nil])
        try expectRefused(["any size", "--input-size HEIGHTxWIDTH"], "index", "s.sqlite", "--model", "m.onnx", "photos/cat")
        try expectRefused(["--input-size"], "layers", "m.onnx")
        #expect(try expectDone("layers", "m.onnx", "--input-size", "33").contains("8×8"))
        for size in ["0x5", "x", "5x5x5", "-3", "5x"] {
            try expectRefused(["input-size"], "index", "s.sqlite", "--model", "m.onnx", "--input-size=\(size)", "photos/cat")
        }
        func input(_ store: String, _ arguments: String...) throws -> String {
            let result = try Executable.run(["index", store, "--model", "m.onnx", "photos/cat"] + arguments, in: folder.path)
            #expect(result.status == 0, "\(result)")
            return try expectDone("info", store).split(separator: "\n").first { $0.hasPrefix("input") }.map(String.init) ?? ""
        }
        #expect(try input("a.sqlite", "--input-size", "40x64").contains("3×40×64"))
        #expect(try input("b.sqlite", "--input-size", "48").contains("3×48×48"))
        // The store's for whatever comes later.
        _ = try expectDone("index", "a.sqlite", "photos/dog")
        _ = try expectDone("occlusion", "a.sqlite", Self.photo, "--window", "16", "--stride", "16", "-o", "a.png")
        try expectRefused(["input size", "3×41×64", "3×40×64"], "index", "a.sqlite", "--input-size", "41x64", "photos/dog")
        // Where the recipe makes pictures of one size, that.
        #expect(try input("c.sqlite", "--resize", "40x64").contains("3×40×64"))
        #expect(try input("d.sqlite", "--preprocess", "caffe").contains("3×224×224"))
    }

    @Test func bytesWithTheirChannelsLast() throws {
        let answers = try [1, 2].map { type in
            try classifier(input: [nil, 32, 48, 3], type: type)
            let store = "s\(type).sqlite"
            _ = try expectDone(
                "index", store, "--model", "m.onnx", "--preprocess", type == 1 ? "raw" : "plain", "photos/cat")
            _ = try expectDone("saliency", store, Self.photo, "--target", "class:1", "--raw", "\(store).npy")
            return try expectDone("top", store, "conv", "scores", "-k", "3", "--format", "csv")
        }
        #expect(answers[0] == answers[1])
        let maps = try [1, 2].map { try NPYArray(contentsOf: folder.file("s\($0).sqlite.npy")) }
        #expect(maps[0].shape == [3, 32, 48] && maps[0].floats == maps[1].floats)
        try expectRefused(["as bytes", "--std"], "index", "t.sqlite", "--model", "m.onnx", "--std", "1,1,1", "photos/cat")
    }

    @Test func greyPicturesThatAreNotSquare() throws {
        try classifier(input: [nil, 1, 24, 60])
        _ = try expectDone("index", "s.sqlite", "--model", "m.onnx", "photos/cat")
        #expect(try expectDone("info", "s.sqlite").contains("1×24×60"))
        _ = try expectDone("saliency", "s.sqlite", Self.photo, "--target", "class:1", "--raw", "a.npy")
        #expect(try NPYArray(contentsOf: folder.file("a.npy")).shape.suffix(2) == [24, 60])
        try expectRefused(
            ["--channels rgb makes 3 channels"], "index", "t.sqlite", "--model", "m.onnx", "--channels", "rgb", "photos/cat")
    }

    /// `layers` takes networks of any number of channels as `index` does, which says of pictures that only arrays have so many.
    @Test func layersTakesWhatIndexTakes() throws {
        for channels in [2, 4, 5] {
            var model = ModelBuilder(input: [1, channels, 8, 8])
            try write(model, [model.node("GlobalMaxPool", ["image"])])
            #expect(try expectDone("layers", "m.onnx").contains("\(channels)"))
            let made = try run("index", "s\(channels).sqlite", "--model", "m.onnx", "photos/cat")
            #expect(made.errors.contains("of 3 channels at most, and the network takes \(channels)"), "\(made)")
        }
        var none = ModelBuilder()
        try write(none, [none.node("Identity", ["image"])])
        try expectRefused(["no neurons to record"], "layers", "m.onnx")
    }

    /// A weight that is no number is told when the images have been run, with how far it reaches.
    @Test func networksThatGiveNaN() throws {
        var model = ModelBuilder(input: [1, 3, 32, 48])
        var values = weights(4 * 75, seed: 7)
        values[80] = .nan
        _ = model.weight("w", [4, 3, 5, 5], values)
        let map = model.node("Relu", [model.node("Conv", ["image", "w"], ["strides": [4, 4]], name: "conv")])
        let pool = model.node("MaxPool", [map], ["kernel_shape": [2, 2]], name: "pool")
        try write(model, [model.node("GlobalAveragePool", [pool], name: "means")])
        let result = try Executable.run(
            ["index", "s.sqlite", "--model", "m.onnx", "photos/cat"], in: folder.path)
        #expect(result.status == 0)
        let count = try FileManager.default.contentsOfDirectory(atPath: folder.file("photos/cat")).count
        for words in ["gives NaN", "on \(count) of \(count) images", "first conv:1 on "] {
            #expect(result.errors.contains(words), "\(result)")
        }
        let nans = try expectDone(
            "sql", "s.sqlite", "SELECT count(*), min(nan_count) FROM neuron_statistics WHERE nan_count > 0", "--format", "csv")
        #expect(nans.contains("3,\(count)"), "\(nans)")
    }

    /// Where finite numbers grow beyond all bounds, that is told where it happens: behind the next rectifier nothing of it may be left.
    @Test func networksThatGiveInfinity() throws {
        var model = ModelBuilder(input: [1, 3, 32, 48])
        _ = model.weight("w", [4, 3, 1, 1], Array(repeating: 1e9, count: 12))
        for step in 1...4 { _ = model.weight("w\(step)", [4, 4, 1, 1], Array(repeating: 1e9, count: 16)) }
        _ = model.weight("last", [2, 4, 1, 1], [1, -1, 1, -1, -1, 1, -1, 1])
        var map = model.node("Relu", [model.node("Conv", ["image", "w"], name: "conv0")])
        for step in 1...4 { map = model.node("Relu", [model.node("Conv", [map, "w\(step)"], name: "conv\(step)")]) }
        let last = model.node("Relu", [model.node("Conv", [map, "last"], name: "last")])
        try write(model, [model.node("GlobalAveragePool", [last], name: "means")])
        let result = try Executable.run(
            ["index", "s.sqlite", "--model", "m.onnx", "--preprocess", "plain", "photos/cat"], in: folder.path)
        let count = try FileManager.default.contentsOfDirectory(atPath: folder.file("photos/cat")).count
        for words in ["the network gives", "infinite values: on \(count) of \(count) images", "first conv4:0 on "] {
            #expect(result.errors.contains(words), "\(result)")
        }
    }

    /// An input beside the image: given once, kept in the store, and no other value is taken for it.
    @Test func inputsBesideTheImage() throws {
        var two = ModelBuilder()
        two.graph.add(11, ModelBuilder.valueInfo("scale", [1]))
        _ = two.weight("w", [4, 3, 1, 1], weights(12, seed: 3))
        let conv = two.node("Conv", ["image", "w"], name: "conv")
        try write(two, [two.node("Relu", [two.node("Mul", [conv, "scale"])], outputs: ["scaled"])])
        let arguments = ["--model", "m.onnx", "photos/cat"]
        func index(_ store: String, _ options: String...) throws -> Executable.Result {
            try Executable.run(["index", store] + options + arguments, in: folder.path)
        }
        for (store, scale) in [("one.sqlite", "1"), ("two.sqlite", "2")] {
            let result = try index(store, "--input", "scale=\(scale)")
            #expect(result.status == 0, "\(result)")
        }
        let missing = try index("none.sqlite")
        #expect(missing.status == 1 && missing.errors.contains("--input 'scale=…'"), "\(missing)")
        // With no word of it the store's value is taken; another is refused.
        let again = try index("two.sqlite")
        #expect(again.status == 0, "\(again)")
        let other = try index("two.sqlite", "--input", "scale=3")
        #expect(other.status == 1 && other.errors.contains("--input"), "\(other)")
        _ = try expectDone("saliency", "two.sqlite", Self.photo, "--target", "conv:0", "-o", "map.png")
        try expectRefused(["after = stands a number"], "layers", "m.onnx", "--input", "scale=much")
    }

    @Test func inputsThatAreNoImage() throws {
        var two = ModelBuilder()
        two.graph.add(11, ModelBuilder.valueInfo("mask", [1, 3, 8, 8]))
        try write(two, [two.node("Add", ["image", "mask"])])
        try expectRefused(
            ["2 inputs: 'image' is the image, and 'mask' [1, 3, 8, 8] is beside it", "--input 'mask=…'"], "index", "s.sqlite",
            "--model", "m.onnx", "photos/cat")
        var words = ModelBuilder(input: [1, 77])
        try write(words, [words.node("Relu", ["image"])])
        try expectRefused(["has 2 axes"], "index", "s.sqlite", "--model", "m.onnx", "photos/cat")
        var five = ModelBuilder(input: [1, 5, 8, 8])
        try write(five, [five.node("Relu", ["image"])])
        #expect(!FileManager.default.fileExists(atPath: folder.file("s.sqlite")))
        // Of any number of channels there may be arrays; photographs are left out, each with the reason.
        let skipped = try run("index", "s.sqlite", "--model", "m.onnx", "photos/cat")
        #expect(
            skipped.status == 2 && skipped.errors.contains("the network takes 5: give it arrays (.npy) of 5×rows×columns"),
            "\(skipped)")
    }
}
