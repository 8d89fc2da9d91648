import ActivationStore
import Foundation
import Search
import TestSupport
import Testing

/// A store that was damaged gives the answers of the whole one, or none.
@Suite struct DamageTests {
    private let folder: TemporaryFolder
    private let path: String
    private let bytes: [UInt8]
    private let questions: Questionnaire
    private let answers: [String]
    private static let page = 16384

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("s.sqlite")
        let dataset = RecordedDataset(
            images: 53, layers: RecordedDataset.layers(channels: [9, 5, 3, 2]), classes: ["cat", "dog"], blockImages: 16,
            topCount: 12, seed: 8, hard: false)
        try dataset.write(path)
        bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        questions = Questionnaire(dataset)
        answers = try questions.answers(of: path).map { try $0.get() }
    }

    /// Asks everything of a file of these bytes.
    /// - Returns: how many questions had no answer.
    private func ask(_ damaged: [UInt8], _ what: String) throws -> Int {
        for leftover in ["-wal", "-shm", "-journal"] { try? FileManager.default.removeItem(atPath: path + leftover) }
        try Data(damaged).write(to: URL(fileURLWithPath: path))
        var refused = 0
        var first: String?
        for (index, (found, wanted)) in zip(questions.answers(of: path), answers).enumerated() {
            switch found {
            case .success(let answer): #expect(answer == wanted, "\(what): \(questions.queries[index])")
            case .failure(let error):
                refused += 1
                first = first ?? "\(questions.queries[index]): \(error)"
                #expect(error is StoreError, "\(what): \(questions.queries[index]): \(error)")
            }
        }
        if refused > 0 {
            let isWhole = (try? Store.open(path: path).verify().isWhole) ?? false
            #expect(!isWhole, "\(what): \(first ?? "") was refused, and verify found nothing")
        }
        return refused
    }

    /// Positions all over the file; what no page uses is passed over.
    private func places(_ count: Int, seed: UInt64) -> [Int] {
        var random = SeededGenerator(seed: seed)
        let used = bytes.indices.filter { place in
            bytes[max(0, place - 4)..<min(bytes.count, place + 5)].contains { $0 != 0 }
        }
        return (0..<count).map { _ in used.randomElement(using: &random) ?? 0 }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func aFlippedByte(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var noticed = 0
        for place in places(250, seed: seed) {
            var damaged = bytes
            // One bit, or all that a byte may be.
            damaged[place] ^=
                Bool.random(using: &random) ? 1 << UInt8.random(in: 0..<8, using: &random) : .random(in: 1...255, using: &random)
            let what = "byte \(place), page \(place / Self.page + 1) + \(place % Self.page), \(bytes[place]) → \(damaged[place])"
            noticed += try ask(damaged, what) > 0 ? 1 : 0
        }
        // Most of the bytes are of rows that some question reads.
        #expect(noticed > 80)
    }

    /// The file's header and the definitions, where a byte may change what everything else means.
    @Test func aFlippedByteOfTheHeader() throws {
        var random = SeededGenerator(seed: 4)
        for place in 0..<108 {
            var damaged = bytes
            damaged[place] ^= .random(in: 1...255, using: &random)
            _ = try ask(damaged, "byte \(place) of the header, \(bytes[place]) → \(damaged[place])")
        }
    }

    @Test func aFileCutShort() throws {
        var random = SeededGenerator(seed: 5)
        let lengths =
            [0, 1, 99, 100, 511, 512] + stride(from: Self.page, to: bytes.count, by: Self.page)
            + (0..<40).map { _ in Int.random(in: 0..<bytes.count, using: &random) }
        for length in lengths {
            #expect(try ask(Array(bytes[..<length]), "\(length) of \(bytes.count) bytes") == questions.queries.count)
        }
    }

    @Test func pagesOfZeros() throws {
        for first in stride(from: 0, to: bytes.count, by: Self.page) {
            var damaged = bytes
            for place in first..<first + Self.page { damaged[place] = 0 }
            _ = try ask(damaged, "page \(first / Self.page + 1) is zeros")
        }
        #expect(try ask([UInt8](repeating: 0, count: bytes.count), "zeros") == questions.queries.count)
    }

    /// As a disk does that writes a page to the wrong place.
    @Test func pagesInTheWrongPlace() throws {
        var random = SeededGenerator(seed: 6)
        let pages = bytes.count / Self.page
        for _ in 0..<150 {
            let (from, to) = (Int.random(in: 1..<pages, using: &random), Int.random(in: 1..<pages, using: &random))
            var damaged = bytes
            damaged.replaceSubrange(to * Self.page..<(to + 1) * Self.page, with: bytes[from * Self.page..<(from + 1) * Self.page])
            _ = try ask(damaged, "page \(to + 1) is page \(from + 1)")
        }
    }

    /// The file loses its end while it is open.
    @Test func cutShortWhileOpen() throws {
        let store = try Store.open(path: path)
        #expect(try TopQuery(neurons: ["layer0:0"], count: 1000).run(in: store).count > 20)
        #expect(truncate(path, off_t(bytes.count / 2)) == 0)
        for query in questions.queries {
            #expect(throws: StoreError.self) { _ = try query.run(in: store) }
        }
    }
}
