import Foundation
import TestSupport

/// Stores of which a bit, a byte, a page or the end is not what it was: every answer is that of the whole store, or none.
final class Damage {
    private let bench: Bench
    private var tally: Tally { bench.tally }
    private static let page = 16384

    private var bytes: [UInt8] = []
    /// Places that a page uses.
    private var used: [Int] = []
    private var answers: [String] = []
    private var outputs: [[String]: Data] = [:]

    init(_ bench: Bench) { self.bench = bench }

    /// Commands that answer; what `sql` reads is under no checksum.
    static let commands = [
        ["info"], ["layers"], ["top", "layer0:0"], ["top", "layer2", "-k", "3", "--lowest"], ["profile", "17"],
        ["similar", "3", "-k", "4"], ["neurons", "--sort", "mean"], ["suspects"], ["neurons", "layer0:1"],
        ["explanations"], ["neurons", "--duplicate", "--threshold", "0.2"], ["neurons", "--selective", "cat"],
    ]

    private static func command(_ words: [String], of store: String) -> [String] {
        [words[0], store] + words.dropFirst() + ["--format", "json"]
    }

    func run() throws {
        try Ask.make(bench.file("whole.sqlite"))
        bytes = Array(try Data(contentsOf: URL(fileURLWithPath: bench.file("whole.sqlite"))))
        used = bytes.indices.filter { place in
            bytes[max(0, place - 4)..<min(bytes.count, place + 5)].contains { $0 != 0 }
        }
        let own = CommandLine.arguments[0]
        try bench.copy("whole.sqlite", to: "s.sqlite")
        answers = lines(try bench.run(["ask", "s.sqlite"], program: own))
        for words in Self.commands {
            let ended = try bench.run(Self.command(words, of: "s.sqlite"))
            guard ended.status == 0 else { throw Failure("\(words) of the whole store: \(ended)") }
            outputs[words] = ended.output
        }
        var tries = 0
        while !bench.isOver, tries < bench.count {
            let (damaged, what) = next(tries)
            guard damaged != bytes else { continue }
            try write(damaged)
            let ended = try bench.run(["ask", "s.sqlite"], program: own)
            tally.add("damaged stores")
            if bench.isDecent(ended, what) { compare(lines(ended), what) }
            if tries % 5 == 0 { try runCommands(what) }
            if tries % 7 == 0 {
                try write(damaged)
                _ = bench.isDecent(try bench.run(["ask", "s.sqlite", "--writes"], program: own), "\(what), written to")
            }
            tries += 1
        }
    }

    private func write(_ damaged: [UInt8]) throws {
        for end in ["-wal", "-shm", "-journal", "-writing", "-compacting", "-merging", "-merged", "-merged-merging"] {
            try? FileManager.default.removeItem(atPath: bench.file("s.sqlite" + end))
        }
        try Data(damaged).write(to: URL(fileURLWithPath: bench.file("s.sqlite")))
    }

    private func lines(_ ended: Bench.Ended) -> [String] {
        String(decoding: ended.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func compare(_ found: [String], _ what: String) {
        for (index, wanted) in answers.enumerated() {
            guard found.indices.contains(index) else { return tally.fault(.crash, "\(what): question \(index) was not answered") }
            if found[index] == wanted {
                tally.add("answers of damaged stores, right")
            } else if found[index].hasPrefix("\(index)\trefusal\t") || isOmission(found[index], wanted, index) {
                tally.add("answers of damaged stores, refused")
            } else {
                tally.fault(.wrong, "\(what): \(found[index].prefix(300)) instead of \(wanted.prefix(300))")
            }
        }
    }

    /// Of explanations, those that are damaged are left out, and counted elsewhere.
    private func isOmission(_ found: String, _ wanted: String, _ index: Int) -> Bool {
        let first = answers.count - 12
        guard index == first + 2 || index == first + 3 else { return false }
        let parts = found.dropFirst("\(index)\tanswer\t[".count).dropLast().split(separator: "ActivationStore.ExplanationRecord(")
        return parts.allSatisfy { part in wanted.contains(part.hasSuffix(", ") ? String(part.dropLast(2)) : String(part)) }
    }

    private func runCommands(_ what: String) throws {
        for words in Self.commands {
            let ended = try bench.run(Self.command(words, of: "s.sqlite"))
            let what = "\(what): \(words.joined(separator: " "))"
            guard bench.isDecent(ended, what) else { continue }
            if ended.status == 0, ended.output != outputs[words], words != ["explanations"] || ended.errors.isEmpty {
                tally.fault(.wrong, "\(what): \(String(decoding: ended.output.prefix(300), as: UTF8.self))")
            } else {
                tally.add(ended.status == 0 ? "commands on damaged stores, right" : "commands on damaged stores, refused")
            }
        }
        let verified = try bench.run(["verify", "s.sqlite", "--sample", "0"])
        _ = bench.isDecent(verified, "\(what): verify")
        let sql = ["sql", "s.sqlite", "SELECT count(*), sum(value) FROM activation"]
        _ = bench.isDecent(try bench.run(sql), "\(what): sql")
    }

    /// Damage of every kind in turn.
    private func next(_ number: Int) -> ([UInt8], String) {
        var damaged = bytes
        let pages = bytes.count / Self.page
        func place() -> Int { used.randomElement(using: &bench.random) ?? 0 }
        switch number % 8 {
        case 0, 1, 2:
            let (place, bit) = (place(), UInt8.random(in: 0..<8, using: &bench.random))
            damaged[place] ^= 1 << bit
            return (damaged, "bit \(bit) of byte \(place) flipped")
        case 3, 4:
            let (place, value) = (place(), UInt8.random(in: 0...255, using: &bench.random))
            damaged[place] = value
            return (damaged, "byte \(place) is \(value)")
        case 5:
            let place = Int.random(in: 0..<2000, using: &bench.random)
            damaged[place] ^= UInt8.random(in: 1...255, using: &bench.random)
            return (damaged, "byte \(place) is \(damaged[place])")
        case 6:
            let length = Int.random(in: 0..<bytes.count, using: &bench.random)
            return (Array(bytes[..<length]), "cut to \(length) bytes")
        default:
            let (from, to) = (Int.random(in: 0..<pages, using: &bench.random), Int.random(in: 0..<pages, using: &bench.random))
            let moved = bytes[from * Self.page..<(from + 1) * Self.page]
            if Bool.random(using: &bench.random) {
                damaged.replaceSubrange(
                    from * Self.page..<(from + 1) * Self.page, with: bytes[to * Self.page..<(to + 1) * Self.page])
            }
            damaged.replaceSubrange(to * Self.page..<(to + 1) * Self.page, with: moved)
            return (damaged, "page \(from + 1) is where page \(to + 1) was")
        }
    }
}
