import Foundation
import Images
import TestSupport
import Testing

/// What the network answers, of images of the store and others, and counted.
@Suite struct PredictionTests {
    private let shop: Shop

    init() throws { shop = try Shop() }

    private func rows(_ result: Executable.Result) throws -> [[String: Any]] {
        try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
    }

    @Test func imagesAreAnsweredWithProbabilities() throws {
        let result = try shop.run("predict", "shop.sqlite", "photos/test/cat", "photos/test/dog/dog-43.jpg", "--format", "json")
        #expect(result.status == 0, "\(result)")
        let rows = try rows(result)
        #expect(rows.count > 2)
        for row in rows {
            let classes = try #require(row["classes"] as? [[String: Any]])
            #expect(classes.count == 5 && classes.map { $0["rank"] as? Int } == [1, 2, 3, 4, 5])
            let probabilities = classes.compactMap { $0["probability"] as? Double }
            #expect(abs(probabilities.reduce(0, +) - 1) < 1e-6 && probabilities == probabilities.sorted(by: >))
            let scores = classes.compactMap { $0["score"] as? Double }
            // The network has no softmax of its own: the probabilities are that of its scores.
            let total = scores.reduce(0) { $0 + exp($1 - scores[0]) }
            for (score, probability) in zip(scores, probabilities) {
                #expect(abs(exp(score - scores[0]) / total - probability) < 1e-6)
            }
            #expect(row["correct"] as? Bool == (classes[0]["name"] as? String == row["label"] as? String))
        }
        // The store's own record of an image says the same.
        let said = try shop.run(
            "sql", "shop.sqlite", "SELECT path, predicted, score FROM image_info WHERE path LIKE '%dog-43.jpg'", "--format",
            "json")
        let stored = try #require(try self.rows(said).first)
        let last = try #require((rows.last?["classes"] as? [[String: Any]])?.first)
        #expect(last["name"] as? String == stored["predicted"] as? String)
        let (a, b) = (try #require(last["score"] as? Double), try #require(stored["score"] as? Double))
        #expect(abs(a - b) < 1e-3 * max(1, abs(b)))
        #expect(
            try shop.run("predict", "shop.sqlite", "7", "-k", "2", "--format", "csv").output.split(separator: "\n").count == 3)
    }

    @Test func answersAreCountedByLabelAndSplit() throws {
        let counted = try rows(shop.run("predict", "shop.sqlite", "--format", "json"))
        let expected = try rows(
            shop.run(
                "sql", "shop.sqlite",
                "SELECT label, split, count(*) AS images, sum(correct) AS right FROM image_info WHERE label IS NOT NULL GROUP BY 1, 2",
                "--format", "json"))
        func key(_ row: [String: Any]) -> String {
            "\(row["label"] ?? "") \(row["split"] ?? "") \(row["images"] ?? "") \(row["right"] ?? "")"
        }
        #expect(!counted.isEmpty && counted.map(key).sorted() == expected.map(key).sorted())
        let some = try shop.run("predict", "shop.sqlite", "--where", "label = 'cat'", "--format", "csv")
        #expect(some.output.split(separator: "\n").dropFirst().allSatisfy { $0.hasPrefix("cat,") } && some.status == 0)
        let none = try shop.run("predict", "shop.sqlite", "--where", "1 = 0", "--matrix", "m.png")
        #expect(none.status == 0 && none.errors.contains("so no matrix was drawn"), "\(none)")
        #expect(!FileManager.default.fileExists(atPath: shop.folder.file("m.png")))
        #expect(try shop.run("predict", "shop.sqlite", "7", "--where", "1 = 1").status == 64)
    }

    @Test func aRunCanBeAFilm() throws {
        let made = try shop.run("ascend", "shop.sqlite", "conv2:3", "--steps", "6", "--film", "film.png", "-o", "a.png")
        #expect(made.status == 0, "\(made)")
        let film = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file("film.png")))
        #expect(film.range(of: Data("acTL".utf8)) != nil && film.range(of: Data("fdAT".utf8)) != nil)
        #expect(try ImageReader().decode(contentsOf: shop.folder.file("film.png")).width == 96)
        // It says what made it, and is made again frame by frame.
        let same = try shop.run("verify", "film.png")
        #expect(same.status == 0 && same.output.contains("--film film.png"), "\(same)")
        let bytes = Array(film)
        var frames = try PNG.frames(in: bytes).map { try Image(decoding: $0) }
        #expect(frames.count > 2 && frames[0] != frames[frames.count - 1])
        frames[frames.count - 1][3, 4] = .white
        let edited = try PNG.animation(
            of: frames, milliseconds: 80, text: PNG.text(in: bytes).map { ($0.keyword, $0.text) })
        try Data(edited).write(to: URL(fileURLWithPath: shop.folder.file("edited.png")))
        let other = try shop.run("verify", "edited.png")
        #expect(other.status == 1 && other.errors.contains("frame \(frames.count): "), "\(other)")
        // What fills the picture is the mean; the maximum is asked for by name.
        #expect(made.errors.contains("conv2:3@mean: from"))
        #expect(
            try shop.run("ascend", "shop.sqlite", "conv2:3@max", "--steps", "2", "-o", "b.png").errors.contains(
                "conv2:3@max: from"))
        #expect(
            try shop.run("ascend", "shop.sqlite", "class:cat", "--steps", "2", "-o", "c.png").errors.contains("class:cat: from"))
    }

    @Test func layersThatCannotBeDrawnAreRefused() throws {
        let flat = try shop.run("maps", "shop.sqlite", "fc2", "--image", "7", "-o", "a.png")
        #expect(flat.status == 1 && flat.errors.contains("fc2 has no map: it is one number a channel"), "\(flat)")
        let far = try shop.run("maps", "shop.sqlite", "conv2:5-900", "--image", "7", "-o", "a.png")
        #expect(far.status == 64 && far.errors.contains("conv2 has the channels 0 to"), "\(far)")
        let raw = try shop.run("maps", "shop.sqlite", "conv2:3-5", "--image", "7", "--raw", "m.npy")
        let file = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file("m.npy")))
        #expect(raw.status == 0 && String(decoding: file.prefix(128), as: UTF8.self).contains("'shape': (3, 48, 48)"))
    }
}
