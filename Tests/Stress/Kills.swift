import ActivationStore
import Foundation
import GRDB
import TestSupport

/// Every command that writes, killed at every moment at which the disk changes, and at any other: the store opens, is sound, and the same
/// command goes on to the same content.
final class Kills {
    private let bench: Bench
    private var tally: Tally { bench.tally }

    init(_ bench: Bench) { self.bench = bench }

    private struct Operation {
        var name: String
        /// The store it begins with; nil for none.
        var before: String?
        var arguments: [String]
        /// Whether what was there before may be there still where the same command says that there is nothing to do.
        var target = "work.sqlite"
    }

    private var network: String { bench.fixtures + "/petshop.onnx" }

    private func index(_ store: String, _ photos: String, _ more: [String] = []) -> [String] {
        ["index", store, "--model", network, "--resize", "none", "--block", "32", "--top", "10", photos] + more
    }

    func run() throws {
        let operations = try prepare()
        for operation in operations {
            try wanted(operation)
            var moments = try moments(of: operation)
            tally.add("moments at which the disk changes", moments.count)
            moments.shuffle(using: &bench.random)
            plans.append((operation, moments))
        }
        // In turn, so that all have some where time is short.
        var round = 0
        while !bench.isOver, round < bench.count, plans.contains(where: { round < 2 * $0.moments.count }) || round < 20 {
            for plan in plans where !bench.isOver {
                if round < 2 * plan.moments.count {
                    try kill(plan.operation, at: plan.moments[round / 2], isAfter: round % 2 == 1)
                } else if round < 2 * plan.moments.count + 20 {
                    try kill(plan.operation)
                }
                if round % 4 == 0 { try kill(plan.operation) }
            }
            round += 1
        }
    }

    private var plans: [(operation: Operation, moments: [Int])] = []
    private var contents: [String: StoreDump] = [:]
    private var seconds: [String: Double] = [:]

    /// Stores to begin with.
    private func prepare() throws -> [Operation] {
        func make(_ arguments: [String]) throws {
            let ended = try bench.run(arguments)
            guard ended.status == 0, ended.signal == nil else { throw Failure("\(arguments.joined(separator: " ")): \(ended)") }
        }
        let photos = bench.file("photos")
        try Fixtures.copyPictures(count: 50, in: photos)
        try make(index("small.sqlite", "photos"))
        try Fixtures.copyPictures(from: 50, count: 90, in: photos)
        try make(index("whole.sqlite", "photos"))
        for part in 1...2 { try make(index("part-\(part).sqlite", "photos", ["--shard", "\(part)/2"])) }
        try bench.copy("whole.sqlite", to: "holes.sqlite")
        try make(["remove", "holes.sqlite", "--where", "id % 3 = 0"])
        try bench.copy("whole.sqlite", to: "older.sqlite")
        try makeOlder(bench.file("older.sqlite"), version: 3)
        let explain = ["saliency", "work.sqlite", "3", "--target", "conv4:3", "-o", "saliency.png"]
        return [
            Operation(name: "index", before: nil, arguments: index("work.sqlite", "photos")),
            Operation(name: "index again", before: "small.sqlite", arguments: index("work.sqlite", "photos")),
            Operation(name: "index an older store", before: "older.sqlite", arguments: index("work.sqlite", "photos")),
            Operation(name: "remove", before: "whole.sqlite", arguments: ["remove", "work.sqlite", "--where", "id % 5 = 1"]),
            Operation(name: "compact", before: "holes.sqlite", arguments: ["compact", "work.sqlite"]),
            Operation(name: "merge", before: nil, arguments: ["merge", "work.sqlite", "part-1.sqlite", "part-2.sqlite"]),
            Operation(name: "explain", before: "whole.sqlite", arguments: explain),
            Operation(name: "explain of an older store", before: "older.sqlite", arguments: explain),
        ]
    }

    private func begin(_ operation: Operation) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: bench.folder.path) where name.hasPrefix("work.sqlite") {
            try FileManager.default.removeItem(atPath: bench.file(name))
        }
        if let before = operation.before { try bench.copy(before, to: "work.sqlite") }
    }

    /// What the undisturbed command makes.
    private func wanted(_ operation: Operation) throws {
        try begin(operation)
        let start = Date()
        let ended = try bench.run(operation.arguments)
        guard ended.status == 0, ended.signal == nil else { throw Failure("\(operation.name): \(ended)") }
        seconds[operation.name] = Date().timeIntervalSince(start)
        contents[operation.name] = try content()
    }

    /// All but what tells the time.
    private func content() throws -> StoreDump {
        try bench.copy("work.sqlite", to: "seen.sqlite")
        let database = try DatabaseQueue(path: bench.file("seen.sqlite"))
        try database.write {
            try $0.execute(sql: "UPDATE explanation SET seconds = 0, created = '', checksum = 0, picture = x''")
        }
        try database.close()
        return try StoreDump(bench.file("seen.sqlite"))
    }

    private func moments(of operation: Operation) throws -> [Int] {
        try begin(operation)
        try? FileManager.default.removeItem(atPath: bench.file("moments"))
        let ended = try bench.run(
            operation.arguments, environment: ["LD_PRELOAD": bench.shim, "KILL_LOG": bench.file("moments")])
        guard ended.status == 0 else { throw Failure("\(operation.name) beside the library that kills: \(ended)") }
        let kinds = Array(try Data(contentsOf: URL(fileURLWithPath: bench.file("moments"))))
        // Of writes, which are many, a part.
        return kinds.indices.filter { kinds[$0] != UInt8(ascii: "w") || $0 % 3 == 0 }.map { $0 + 1 }
    }

    private func kill(_ operation: Operation, at moment: Int, isAfter: Bool) throws {
        try begin(operation)
        let ended = try bench.run(
            operation.arguments,
            environment: ["LD_PRELOAD": bench.shim, "KILL_AT": "\(moment)", "KILL_AFTER": isAfter ? "1" : "0"])
        if ended.signal == SIGKILL { tally.add("kills at such a moment") }
        try check(operation, ended, "killed \(isAfter ? "after" : "before") moment \(moment)")
    }

    /// At any time.
    private func kill(_ operation: Operation) throws {
        try begin(operation)
        let moment = Double.random(in: 0..<(seconds[operation.name] ?? 1), using: &bench.random)
        let ended = try bench.run(operation.arguments, killedAfter: moment)
        if ended.signal == SIGKILL { tally.add("kills at any time") }
        try check(operation, ended, "killed after \(moment) s")
    }

    private func check(_ operation: Operation, _ ended: Bench.Ended, _ how: String) throws {
        let what = "\(operation.name) \(how)"
        if ended.signal != nil && ended.signal != SIGKILL { _ = bench.isDecent(ended, what) }
        var status = stat()
        let isThere = stat(bench.file("work.sqlite"), &status) == 0 && status.st_size > 0
        if isThere {
            let checked = try bench.run(["verify", "work.sqlite", "--sample", "0"])
            // Before its first commit it is no store yet, and the same command makes it.
            let isBegun = operation.before != nil || !checked.errors.contains("is not a neurodex store")
            if checked.status != 0, isBegun { tally.fault(.lost, "\(what): verify: \(checked) \(text(checked.output))") }
            if !isBegun { tally.add("kills before the first commit") }
        } else if operation.before != nil {
            tally.fault(.lost, "\(what): the store is gone")
        }
        // A merge that was done is refused as one that would write over a store.
        if operation.name == "merge", isThere {
            if try content() != contents[operation.name] { tally.fault(.lost, "\(what): another content") }
            return
        }
        let again = try bench.run(operation.arguments)
        guard again.status == 0 else { return tally.fault(.lost, "\(what): the same command again: \(again)") }
        let found = try content()
        if let wanted = contents[operation.name], found != wanted {
            tally.fault(.lost, "\(what): \(found.differences(from: wanted).joined(separator: "; ").prefix(400))")
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: bench.folder.path)
            .filter { $0.hasPrefix("work.sqlite") && $0 != "work.sqlite" && !isSpent($0) }
        if !left.isEmpty { tally.fault(.lost, "\(what): \(left.joined(separator: ", ")) stays") }
    }

    /// A lock that nobody holds, or a journal that is over: a command that has nothing left to do does not write, and leaves them to the next.
    private func isSpent(_ name: String) -> Bool {
        var status = stat()
        return name == "work.sqlite-writing"
            || name == "work.sqlite-journal" && stat(bench.file(name), &status) == 0 && status.st_size == 0
    }

    private func text(_ output: Data) -> String { String(decoding: output.prefix(300), as: UTF8.self) }
}

/// That the work could not be set up.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
