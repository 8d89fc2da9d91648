import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Files that are no models, and weights in all the ways a file can hold them.
@Suite struct ModelFileTests {
    @Test func operatorSets() throws {
        for (opset, isRead) in [
            (6, false), (7, true), (17, true), (23, true), (24, true), (25, true), (26, false), (999, false), (-1, false),
        ] {
            var model = ModelBuilder(opset: opset)
            let output = model.node("Relu", ["image"])
            let error = networkError { _ = try model.network(output: output) }
            #expect(error == (isRead ? nil : .unsupportedOpset(found: opset, supported: 7...25)))
        }
    }

    @Test func whatIsNoModel() throws {
        let (model, output) = ModelBuilder.classifier()
        let whole = model.bytes(outputs: [output])
        let contents: [(String, [UInt8])] = [
            ("the file is empty", []), ("Git LFS", Array("version https://git-lfs.github.com/spec/v1\noid sha256:12".utf8)),
            ("cut short", Array(whole.prefix(whole.count / 2))), ("not a whole ONNX file", Array("GIF89a, a picture".utf8)),
            ("no graph", [0x08, 0x08]),
        ]
        for (words, bytes) in contents {
            let error = networkError { _ = try Network(bytes: bytes) }
            guard case .notAModel(_, let found) = error else {
                Issue.record("\(words): \(String(describing: error))")
                continue
            }
            #expect(found.contains(words))
        }
        for (path, words) in [("/nowhere/model.onnx", "no such file"), ("/tmp", "a directory")] {
            let error = networkError { _ = try Network(contentsOf: path) }
            #expect(error.map { "\($0)".contains(words) } == true)
        }
    }

    /// A 1×1 convolution whose one weight is `weight`; answers 1 with it.
    private func answer(_ change: (inout ProtoMessage) -> Void, shape: [Int] = [1, 1, 1, 1], in folder: String? = nil)
        throws -> Float
    {
        var model = ModelBuilder(input: [1, 1, 1, 1])
        var weight = ProtoMessage()
        for extent in shape { weight.add(1, extent) }
        weight.add(8, "weight")
        change(&weight)
        model.graph.add(5, weight)
        let output = model.node("Conv", ["image", "weight"])
        let temporary = try TemporaryFolder()
        let path = "\(folder ?? temporary.path)/model.onnx"
        try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: path))
        return try Network(contentsOf: path).answers(to: [[1]])[0][0]
    }

    @Test func typesOfWeights() throws {
        func raw(_ type: Int, _ bytes: [UInt8]) throws -> Float {
            try answer {
                $0.add(2, type)
                $0.add(9, bytes: bytes)
            }
        }
        #expect(try raw(1, ProtoMessage.littleEndian([Float(1.5)])) == 1.5)
        #expect(try raw(11, ProtoMessage.littleEndian([-2.25])) == -2.25)
        for (bits, value) in [(0x3C00, 1), (0xC100, -2.5), (0x0001, 0x1p-24), (0x8400, -0x1p-14), (0x7BFF, 65504)]
            as [(UInt16, Float)]
        {
            #expect(try raw(10, ProtoMessage.littleEndian([bits])) == value)
        }
        #expect(try raw(16, ProtoMessage.littleEndian([UInt16(0x3FC0)])) == 1.5)
        #expect(try raw(3, [0xFE]) == -2)
        #expect(try raw(2, [0xFE]) == 254)
        #expect(try raw(7, ProtoMessage.littleEndian([-3])) == -3)
        // The specification packs half floats into 32-bit integers.
        let half = try answer {
            $0.add(2, 10)
            $0.add(5, 0x3800)
        }
        #expect(half == 0.5)
        let brain = try answer {
            $0.add(2, 16)
            $0.add(5, 0xBFC0)
        }
        #expect(brain == -1.5)
        let float = try answer {
            $0.add(2, 1)
            $0.add(4, Float(0.75))
        }
        #expect(float == 0.75)
        let double = try answer {
            $0.add(2, 11)
            $0.fields.append((10, .fixed64(ProtoMessage.littleEndian([0.125]))))
        }
        #expect(double == 0.125)
    }

    @Test func weightsThatDoNotFitTheirShape() throws {
        let short: (inout ProtoMessage) -> Void = {
            $0.add(2, 1)
            $0.add(9, bytes: [0, 0, 0])
        }
        let text: (inout ProtoMessage) -> Void = { $0.add(2, 8) }
        for (shape, change) in [
            ([1, 1, 1, 1], short), ([1, 1, 1, 1], text), ([1 << 20, 1 << 20, 1, 1], short), ([1 << 39, 1 << 39, 1, 1], short),
            ([0, 1 << 62, 1 << 62, 1], short), ([-1, 1, 1, 1], short), ([.max, 2, 1, 1], short),
            ([0, 1 << 39, 1 << 39, 1], text),
        ] {
            let error = networkError { _ = try answer(change, shape: shape) }
            guard case .tensor("weight", _) = error else {
                Issue.record("\(shape): \(String(describing: error))")
                continue
            }
        }
    }

    @Test func weightsInFilesBesideTheModel() throws {
        let folder = try TemporaryFolder()
        try Data(ProtoMessage.littleEndian([Float(9), 4])).write(to: URL(fileURLWithPath: folder.file("weights")))
        func external(_ entries: [String: String], in place: String) throws -> Float {
            try answer(
                { weight in
                    weight.add(2, 1)
                    for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
                        var entry = ProtoMessage()
                        entry.add(1, key)
                        entry.add(2, value)
                        weight.add(13, entry)
                    }
                    weight.add(14, 1)
                }, in: place)
        }
        // A link may stay in the folder, and not lead out of it; and what never ends is not waited for.
        let outside = try TemporaryFolder()
        let files = FileManager.default
        try Data(ProtoMessage.littleEndian([Float(7)])).write(to: URL(fileURLWithPath: outside.file("secret")))
        try files.createSymbolicLink(atPath: folder.file("inside"), withDestinationPath: folder.file("weights"))
        try files.createSymbolicLink(atPath: folder.file("leading-out"), withDestinationPath: outside.file("secret"))
        try files.createSymbolicLink(atPath: folder.file("folder"), withDestinationPath: outside.path)
        mkfifo(folder.file("pipe"), 0o600)
        let linked = outside.file("linked")
        try files.createSymbolicLink(atPath: linked, withDestinationPath: folder.path)
        let refused: [([String: String], String)] = [
            (["location": "leading-out", "length": "4"], "leads out of the model's folder"),
            (["location": "folder/secret", "length": "4"], "leads out of the model's folder"),
            (["location": "pipe", "length": "4"], "not there or cannot be read"), (["location": "."], "is kept in '.'"),
            (["location": folder.file("weights"), "length": "4"], "only files beside"),
            (["location": "../\(folder.path.split(separator: "/").last ?? "")/weights", "length": "4"], "only files beside"),
            (["location": "elsewhere"], "not there"), (["location": "weights", "offset": "6", "length": "4"], "of 8 bytes"),
            (["location": "weights", "offset": "-4", "length": "4"], "of 8 bytes"), (["location": "weights"], "needs 4 bytes"),
            (["location": "weights", "offset": "9223372036854775807", "length": "9"], "of 8 bytes"),
            (["location": "weights", "offset": "x"], "'x'"), ([:], "does not say where"),
        ]
        // The folder itself may be reached through a link.
        for place in [folder.path, linked] {
            #expect(try external(["location": "weights", "offset": "4", "length": "4"], in: place) == 4)
            #expect(try external(["location": "weights", "offset": "4"], in: place) == 4)
            #expect(try external(["location": "weights", "length": "4"], in: place) == 9)
            #expect(try external(["location": "inside", "length": "4"], in: place) == 9)
            for (entries, words) in refused {
                let error = networkError { _ = try external(entries, in: place) }
                #expect(error.map { "\($0)".contains(words) } == true, "\(place), \(entries): \(String(describing: error))")
            }
        }
    }

    @Test func theHashIsOfTheModelAndItsWeights() throws {
        let (model, output) = ModelBuilder.classifier()
        let (other, _) = ModelBuilder.classifier(seed: 2)
        let hashes = try [model, model, other].map { try $0.network(output: output).sha256 }
        #expect(hashes[0] == hashes[1] && hashes[0] != hashes[2] && hashes[0].count == 64)
    }
}
