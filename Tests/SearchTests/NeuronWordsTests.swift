import ActivationStore
import Foundation
import Search
import Support
import TestSupport
import Testing

/// Words of neurons beside the definition, and beside numbers that NumPy made.
@Suite struct NeuronWordsTests {
    private let folder: TemporaryFolder
    private let store: Store
    private static let (images, words, dimensions, size) = (60, 12, 6, 8)

    init() throws {
        folder = try TemporaryFolder()
        var dataset = RecordedDataset(
            images: Self.images, layers: RecordedDataset.layers(), classes: ["cat", "dog"], seed: 3, hard: false)
        for image in 0..<Self.images {
            for channel in 0..<4 {
                dataset.values[image][channel] = Float(sin(Double(image + 1) * Double(channel + 1) * 0.7))
            }
            // Of the second layer, one that is the same everywhere.
            dataset.values[image][4] = 1
        }
        try dataset.write(folder.file("s.sqlite"))
        store = try Store.open(path: folder.file("s.sqlite"))
        try write("images.npy", rows: Self.images) { sin(Double($0 * 7 + $1 * 3 + 1)) }
        try write("words.npy", rows: Self.words) { cos(Double($0 * 5 + $1 * 2)) }
        try write(names: (0..<Self.words).map { "word \($0)" })
    }

    private func write(_ name: String, rows: Int, dimensions: Int = 6, _ value: (Int, Int) -> Double) throws {
        let numbers = (0..<rows).flatMap { row in (0..<dimensions).map { value(row, $0) } }
        try NumpyFile.data(numbers, shape: [rows, dimensions]).write(to: URL(fileURLWithPath: folder.file(name)))
    }

    private func write(names: [String]) throws {
        try Data((names.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: folder.file("names.txt")))
    }

    private func query(
        _ neurons: String..., wanted: String? = nil, count: Int? = nil, strongest: Int? = size, condition: String? = nil
    ) -> NeuronWords {
        NeuronWords(
            neurons: neurons, vectors: folder.file("images.npy"), words: folder.file("words.npy"),
            names: folder.file("names.txt"), wanted: wanted, strongest: strongest, count: count, condition: condition)
    }

    /// Made by NumPy in float64: the softmax over words of 10 · cosine, log(1 + p · (P − 1) + 1e-7) summed over the 8 strongest
    /// images with p = 0.998 − rank / 8 · 0.028, less the logarithm of its mean over the neurons.
    @Test func areThoseOfNumPy() throws {
        let hits = try query("layer0").run(in: store)
        let expected = [("word 1", 1.378338), ("word 9", 1.382084), ("word 8", -1.405825), ("word 7", 1.386216)]
        for (hit, expected) in zip(hits, expected) {
            #expect(hit.word == expected.0 && abs((hit.score ?? .nan) - expected.1) < 2e-5, "\(hit)")
        }
        #expect(hits.count == 4 && hits[0].others == "word 6, word 11, word 10, word 5")
        #expect(hits[3].others == "word 2, word 3, word 8, word 11")
    }

    /// log P(word | neuron) by the definition.
    private func logProbability(_ word: Int, _ strongest: [Int]) -> Double {
        func unit(_ values: [Double]) -> [Double] {
            let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return values.map { $0 / length }
        }
        func cosine(_ image: Int, _ word: Int) -> Double {
            let image = unit((0..<Self.dimensions).map { sin(Double(image * 7 + $0 * 3 + 1)) })
            let word = unit((0..<Self.dimensions).map { cos(Double(word * 5 + $0 * 2)) })
            return zip(image, word).reduce(0) { $0 + $1.0 * $1.1 }
        }
        return strongest.enumerated().reduce(0) { sum, entry in
            let all = (0..<Self.words).map { exp(10 * cosine(entry.element, $0)) }
            let share = all[word] / all.reduce(0, +)
            let degree = 0.998 - Double(entry.offset) / Double(strongest.count) * 0.028
            return sum + log(1 + degree * (share - 1) + 1e-7)
        }
    }

    /// Over some of the images, and one neuron alone: the others of its layer are compared with all the same.
    @Test func keepToACondition() throws {
        let hits = try query("layer0:2", strongest: 40, condition: "id % 2 = 0").run(in: store)
        let kept = Array(stride(from: 0, to: Self.images, by: 2))
        let lists = (0..<4).map { channel in
            kept.sorted {
                let (a, b) = ($0, $1)
                let (left, right) = (
                    Float(sin(Double(a + 1) * Double(channel + 1) * 0.7)), Float(sin(Double(b + 1) * Double(channel + 1) * 0.7))
                )
                return left == right ? a < b : left > right
            }
        }
        var best: (word: Int, score: Double)?
        for word in 0..<Self.words {
            let logs = lists.map { logProbability(word, $0) }
            let score = logs[2] - log(logs.map { exp($0) }.reduce(0, +) / 4)
            if best.map({ score > $0.score }) ?? true { best = (word, score) }
        }
        #expect(hits.count == 1 && hits[0].word == best.map { "word \($0.word)" })
        #expect(abs((hits[0].score ?? .nan) - (best?.score ?? 0)) < 1e-3)
        #expect(hits.remarks.map(\.description)[0].contains("its 30 strongest of 30 images, and 12 words"))
    }

    @Test func aWordFindsItsNeurons() throws {
        let all = try query("layer0", "layer1").run(in: store)
        let found = try query("layer0", "layer1", wanted: "WORD 7").run(in: store)
        // The constant neuron has no score, and is not listed.
        #expect(found.count == 6 && found[0].channel == 3 && found[0].word == "word 7")
        #expect(found[0].score == all.first { $0.word == "word 7" && $0.layer == "layer0" }?.score)
        #expect(zip(found, found.dropFirst()).allSatisfy { ($0.score ?? 0) >= ($1.score ?? 0) })
        #expect(try query("layer0", wanted: "word 7", count: 2).run(in: store).count == 2)
        let silent = all.filter { $0.word == nil }
        #expect(silent.map(\.neuron.description) == ["layer1:0"])
        #expect(all.remarks.contains { $0.description.contains("1 neurons have no word, such as layer1:0") })
    }

    /// Removed images have no rows.
    @Test func removedImagesAreLeftOut() throws {
        let removed = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: folder.file("s.sqlite"), toPath: removed.file("s.sqlite"))
        try Store.open(path: removed.file("s.sqlite")).remove(images: [3])
        let store = try Store.open(path: removed.file("s.sqlite"))
        let refused = #expect(throws: QueryError.self) { try query("layer0").run(in: store) }
        #expect("\(try #require(refused))".contains("it has 60 rows, and the store 59 images"))
        try write("images.npy", rows: Self.images - 1) { sin(Double(($0 < 3 ? $0 : $0 + 1) * 7 + $1 * 3 + 1)) }
        let hits = try query("layer0", condition: "id <> 5").run(in: store)
        try write("images.npy", rows: Self.images) { sin(Double($0 * 7 + $1 * 3 + 1)) }
        #expect(try query("layer0", condition: "id NOT IN (3, 5)").run(in: self.store).hits == hits.hits)
    }

    @Test func wrongFilesAreRefusedBySentences() throws {
        func sentence() throws -> String {
            "\(try #require(#expect(throws: QueryError.self) { try query("layer0").run(in: store) }))"
        }
        try write(names: ["a", "b"])
        #expect(try sentence().contains("it names 2 words, and"))
        try write(names: (0..<12).map { $0 == 7 ? "w2" : "w\($0)" })
        #expect(try sentence().contains("'w2' stands in lines 3 and 8"))
        try write("words.npy", rows: 12, dimensions: 5) { _, _ in 1 }
        #expect(try sentence().contains("its vectors have 5 numbers"))
        try write("words.npy", rows: 12) { row, _ in row == 4 ? 0 : row == 6 ? .nan : 1 }
        #expect(try sentence().contains("2 of its 12 rows are zero or not finite, such as row 4"))
        try Data("no array".utf8).write(to: URL(fileURLWithPath: folder.file("words.npy")))
        #expect(try sentence().contains("it is no NumPy file"))
        try FileManager.default.removeItem(atPath: folder.file("images.npy"))
        #expect(try sentence().contains("there is no such file"))
        // Of a device there may be no end.
        try write("images.npy", rows: Self.images) { sin(Double($0 * 7 + $1 * 3 + 1)) }
        try write("words.npy", rows: Self.words) { cos(Double($0 * 5 + $1 * 2)) }
        let endless = NeuronWords(
            neurons: ["layer0"], vectors: folder.file("images.npy"), words: folder.file("words.npy"), names: "/dev/zero")
        let refused = #expect(throws: QueryError.self) { try endless.run(in: store) }
        #expect("\(try #require(refused))" == "/dev/zero: it is a device, and no file")
        let unknown = NeuronWords(
            neurons: [], vectors: "a", words: "b", names: "c", wanted: nil, strongest: nil, count: nil, condition: nil)
        #expect(throws: QueryError.self) { try unknown.run(in: store) }
    }
}
