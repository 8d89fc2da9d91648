import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// What files say of preprocessing in their metadata.
@Suite struct ModelPreprocessingTests {
    /// The pet shop's network (3×96×96) with entries of metadata.
    private func network(_ metadata: [String: String]) throws -> Network {
        var message = try #require(ProtoMessage([UInt8](Data(contentsOf: URL(fileURLWithPath: Fixtures.path("petshop.onnx"))))))
        for (key, value) in metadata {
            var entry = ProtoMessage()
            entry.add(1, key)
            entry.add(2, value)
            message.add(14, entry)
        }
        return try Network(bytes: Data(message.bytes), path: Fixtures.path("petshop.onnx"))
    }

    private func recipe(_ metadata: [String: String]) throws -> Preprocessing? {
        try network(metadata).modelPreprocessing()?.recipe
    }

    @Test func noneIsNone() throws {
        #expect(try recipe([:]) == nil)
        #expect(try recipe(["author": "somebody", "description": "a network"]) == nil)
    }

    @Test func ownRecipe() throws {
        var wanted = Preprocessing(.caffe, input: Size(width: 96, height: 96))
        wanted.interpolation = .lanczos
        let found = try #require(
            try network(["neurodex.preprocessing": try wanted.canonicalJSON()]).modelPreprocessing())
        #expect(found.recipe == wanted)
        #expect(found.source.contains("neurodex.preprocessing"))
    }

    @Test func timm() throws {
        let text =
            #"{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.25, 0.5], "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center"}"#
        let found = try #require(try recipe(["pretrained_cfg": text]))
        #expect(found.mean == [0.5, 0.5, 0.5] && found.deviation == [0.5, 0.25, 0.5])
        #expect(found.interpolation == .bicubic && found.resize == .shorterSide(106) && found.divisor == 255)
        let squashed = try #require(
            try recipe(["pretrained_cfg": text.replacingOccurrences(of: "center", with: "squash")]))
        #expect(squashed.resize == .exact(width: 106, height: 106))
        #expect(try recipe(["mean": "[0, 0, 0]", "std": "[1, 1, 1]"])?.deviation == [1, 1, 1])
    }

    @Test func transformers() throws {
        let text =
            #"{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": {"height": 96, "width": 96}, "resample": 3, "rescale_factor": 0.00392156862745098}"#
        let found = try #require(try recipe(["preprocessor_config": text]))
        #expect(found.resize == .exact(width: 96, height: 96) && found.interpolation == .bicubic && found.divisor == 255)
        let edge = text.replacingOccurrences(of: #"{"height": 96, "width": 96}"#, with: #"{"shortest_edge": 110}"#)
        #expect(try recipe(["preprocessor_config": edge])?.resize == .shorterSide(110))
    }

    @Test func ultralytics() throws {
        let found = try #require(try recipe(["task": "classify", "imgsz": "[96, 96]", "author": "Ultralytics"]))
        #expect(found.resize == .shorterSide(96) && found.mean == [0, 0, 0] && found.deviation == [1, 1, 1])
        // Its detectors, and what is made of them, see the whole picture in a letterbox.
        for task in ["detect", "segment", "pose", "obb"] {
            let found = try #require(try network(["task": task, "imgsz": "[96, 96]"]).modelPreprocessing())
            #expect(
                found.recipe == Preprocessing(.letterbox, input: Size(width: 96, height: 96))
                    && found.source.contains("ultralytics"))
        }
        #expect(try recipe(["task": "translate", "imgsz": "[96, 96]"]) == nil && recipe(["task": "detect"]) == nil)
    }

    @Test(
        arguments: [
            ("neurodex.preprocessing", "{}"), ("neurodex.preprocessing", "no JSON"),
            ("pretrained_cfg", #"{"mean": [0], "std": [1]}"#),
            ("pretrained_cfg", #"{"mean": [0, 0, 0], "std": [1, 1, 0]}"#),
            ("preprocessor_config", #"{"image_mean": [0, 0, 0], "image_std": [1, 1, 1], "resample": 9}"#),
        ]) func whatCannotBeMeantIsSaid(_ key: String, _ text: String) throws
    {
        let network = try network([key: text])
        #expect {
            try network.modelPreprocessing()
        } throws: { error in
            "\(error)".contains("'\(key)'") && "\(error)".contains("--preprocess")
        }
    }
}
