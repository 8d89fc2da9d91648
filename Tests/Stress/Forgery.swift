import Foundation
import GRDB
import TestSupport

/// Stores with a value at the edge of what can be, in every column in turn, and every checksum right: an answer or a sentence.
final class Forgery {
    private let bench: Bench
    private var tally: Tally { bench.tally }

    init(_ bench: Bench) { self.bench = bench }

    private static let integers = [
        "-9223372036854775808", "-1", "0", "1", "2", "255", "65536", "2147483648", "4294967295", "4294967296", "1 << 53",
        "9223372036854775807",
    ]
    private static let reals = ["0.0", "-1.0", "9e999", "-9e999", "1e308", "5e-324", "4e38", "NULL"]
    private static let texts = [
        "''", "'x'", "'-1'", "'1e999'", "'{}'", "'[]'", "'null'", "'1/1'", "'1/9223372036854775807'",
        "printf('%.*c', 70000, 'y')",
        "replace(printf('%.*c', 100000, 'z'), 'z', '[')", "'[[4294967295,1,4294967295]]'", "'[[0,9e999,0],[0,-9e999,0]]'",
        "char(27) || '[31m' || char(10, 0, 7)",
        "CAST(x'fffe80' AS TEXT)", "'/dev/zero'", "'/'", "NULL",
    ]
    private static let blobs = [
        "x''", "x'00'", "zeroblob(4)", "zeroblob(64)", "zeroblob(3000000)", "randomblob(64)",
        "x'ffffffffffffffffffffffffffffffff'", "NULL",
    ]
    /// Facts of meta.
    private static let facts = [
        "block_images", "neurons", "means", "top_count", "derived_through", "removed", "preprocessing", "preprocessing_hash",
        "shard",
        "output", "precision", "record", "layers", "byte_order", "checksum",
    ]

    func run() throws {
        try Ask.make(bench.file("whole.sqlite"))
        var deeds = try deeds()
        deeds.shuffle(using: &bench.random)
        tally.add("values at the edge", deeds.count)
        var tries = 0
        while !bench.isOver, tries < bench.count {
            let singles = tries < deeds.count
            // Then two at once.
            let some = singles ? [deeds[tries]] : (0..<2).compactMap { _ in deeds.randomElement(using: &bench.random) }
            try forge(some.joined(separator: "; "), isWhole: tries % 6 == 0)
            tries += 1
        }
    }

    /// One UPDATE for each column and value, of one row and of all.
    private func deeds() throws -> [String] {
        let tables = [
            "model", "layer", "class", "label", "image", "activation_block", "mean_block", "neuron_statistics", "top_list", "run",
            "skipped_image", "explanation", "cam_head",
        ]
        let database = try DatabaseQueue(path: bench.file("whole.sqlite"))
        defer { try? database.close() }
        var deeds: [String] = []
        for table in tables {
            for column in try database.read({ try $0.columns(in: table) }) where column.name != "checksum" {
                let values =
                    ["INTEGER": Self.integers, "REAL": Self.reals, "TEXT": Self.texts, "BLOB": Self.blobs][column.type] ?? []
                for value in values {
                    deeds.append("UPDATE OR IGNORE \(table) SET \(column.name) = \(value)")
                    deeds.append(
                        "UPDATE OR IGNORE \(table) SET \(column.name) = \(value) WHERE \(table == "skipped_image" ? "1" : "rowid") % 5 = 1"
                    )
                }
            }
        }
        for fact in Self.facts {
            for value in Self.integers + Self.texts + Self.blobs + ["1.5"] where value != "NULL" {
                deeds.append("INSERT OR REPLACE INTO meta VALUES ('\(fact)', \(value))")
            }
        }
        return deeds + tables.map { "DELETE FROM \($0)" }
            + tables.map { "DELETE FROM \($0) WHERE rowid % 2 = 0" }.filter { !$0.contains("skipped") }
    }

    /// - Parameter isWhole: whether the program's commands are run too.
    private func forge(_ deed: String, isWhole: Bool) throws {
        for end in ["-merged", "-merged-writing", "-merged-merging"] {
            try? FileManager.default.removeItem(atPath: bench.file("s.sqlite" + end))
        }
        try bench.copy("whole.sqlite", to: "s.sqlite")
        do {
            let database = try DatabaseQueue(path: bench.file("s.sqlite"))
            try database.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
                try database.execute(sql: deed)
            }
            try database.close()
            try reseal(bench.file("s.sqlite"))
        } catch is DatabaseError {
            // SQLite itself takes no such value: NULL where there has to be one.
            return tally.add("values that SQLite does not take")
        }
        tally.add("forged stores")
        if isWhole {
            let commands =
                Damage.commands.map { [$0[0], "s.sqlite"] + $0.dropFirst() } + [
                    ["verify", "s.sqlite"], ["sql", "s.sqlite", "SELECT * FROM top_image LIMIT 50"],
                    ["sql", "s.sqlite", "SELECT * FROM neuron_info"],
                    ["sql", "s.sqlite", "SELECT count(*), sum(value) FROM activation"],
                    ["top", "s.sqlite", "layer0:1", "--sheet", "top.png"],
                    ["saliency", "s.sqlite", "3", "-o", "saliency.png"], ["explanations", "s.sqlite", "--export", "exported"],
                    ["sheet", "s.sqlite", "1=1", "-o", "sheet.png"], ["index", "s.sqlite", "."],
                    ["diff", "s.sqlite", "whole.sqlite"],
                ]
            for command in commands {
                _ = bench.isDecent(try bench.run(command), "\(deed): \(command.joined(separator: " "))")
                tally.add("commands on forged stores")
            }
        }
        let ended = try bench.run(["ask", "s.sqlite", "--writes"], program: CommandLine.arguments[0])
        guard bench.isDecent(ended, deed) else { return }
        for line in String(decoding: ended.output, as: UTF8.self).split(separator: "\n") {
            if line.contains("\terror of another kind\t") { tally.fault(.silent, "\(deed): \(line)") }
        }
    }
}
