import ArgumentParser
import Foundation
import TestSupport

/// Kills, damage, forged stores and hostile files, for as long as one likes: `make stress`.
@main
struct Stress: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stress-test",
        abstract: "Ends the program at every moment, and gives it what is broken or made to break it.",
        subcommands: [Work.self, Ask.self], defaultSubcommand: Work.self)
}

/// What was tried and what came of it. Crashes, hangs, wrong answers and lost work are listed as they come.
final class Tally {
    private(set) var counts: [(what: String, count: Int)] = []
    private(set) var faults = 0

    func add(_ what: String, _ count: Int = 1) {
        if let index = counts.firstIndex(where: { $0.what == what }) {
            counts[index].count += count
        } else {
            counts.append((what, count))
        }
    }

    func fault(_ kind: Fault, _ detail: String) {
        faults += 1
        add(kind.rawValue)
        say("\(kind.rawValue): \(detail)")
    }

    enum Fault: String, CaseIterable {
        case crash = "crashes"
        case hang = "hangs"
        case wrong = "silently wrong answers"
        case lost = "stores that were lost, or did not go on to the same content"
        case silent = "failures without a sentence"
    }

    func report() {
        for (what, count) in counts where Fault(rawValue: what) == nil { say("\(what): \(count)") }
        for fault in Fault.allCases {
            say("\(fault.rawValue): \(counts.first { $0.what == fault.rawValue }?.count ?? 0)")
        }
    }
}

struct Work: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "work", abstract: "All of it, or a part.")

    enum Part: String, CaseIterable, ExpressibleByArgument { case kills, damage, forged, hostile }

    @Option(help: "The program.") var program: String
    @Option(help: "The library that kills it.") var shim: String
    @Option(help: "The folder of fixtures.") var fixtures: String
    @Option(help: "For so long, all in all.") var seconds = 300.0
    @Option(help: "At most so many tries of each kind.") var count = Int.max
    @Option(help: "Of what is drawn at random.") var seed: UInt64 = UInt64(Date().timeIntervalSince1970)
    @Option(parsing: .upToNextOption, help: "Only these parts.") var parts: [Part] = Part.allCases

    func run() throws {
        let tally = Tally()
        for part in parts {
            let deadline = Date().addingTimeInterval(seconds / Double(parts.count))
            let bench = try Bench(
                program: program, shim: shim, fixtures: fixtures, deadline: deadline, count: count, seed: seed, tally: tally)
            switch part {
            case .kills: try Kills(bench).run()
            case .damage: try Damage(bench).run()
            case .forged: try Forgery(bench).run()
            case .hostile: try HostileFiles(bench).run()
            }
        }
        say("seed: \(seed)")
        tally.report()
        guard tally.faults == 0 else { throw ExitCode(1) }
    }
}

/// Where a part works, and how it runs the program.
final class Bench {
    let program: String
    let shim: String
    let fixtures: String
    let count: Int
    let tally: Tally
    let folder: TemporaryFolder
    var random: SeededGenerator
    private let deadline: Date

    /// Longest that anything may take.
    static let patience = 20.0

    init(program: String, shim: String, fixtures: String, deadline: Date, count: Int, seed: UInt64, tally: Tally) throws {
        (self.program, self.shim, self.fixtures, self.deadline) = (program, shim, fixtures, deadline)
        (self.count, self.tally, random) = (count, tally, SeededGenerator(seed: seed))
        folder = try TemporaryFolder()
    }

    var isOver: Bool { Date() > deadline }

    func file(_ name: String) -> String { folder.file(name) }

    func copy(_ from: String, to name: String) throws {
        for end in ["", "-journal", "-wal", "-shm", "-writing", "-compacting", "-merging"] {
            try? FileManager.default.removeItem(atPath: file(name) + end)
        }
        try FileManager.default.copyItem(atPath: file(from), toPath: file(name))
    }

    /// How a run ended.
    struct Ended: CustomStringConvertible {
        var status: Int32
        /// That ended it.
        var signal: Int32?
        var isLate: Bool
        var output: Data
        var errors: String

        var description: String {
            (isLate ? "not over after \(Bench.patience) s" : signal.map { "signal \($0)" } ?? "status \(status)")
                + (errors.isEmpty ? "" : ": " + errors.prefix(300))
        }
    }

    /// Runs the program, or this one, in the bench's folder.
    /// - Parameter killedAfter: seconds after which it is killed.
    func run(
        _ arguments: [String], program: String? = nil, environment: [String: String] = [:], killedAfter: Double? = nil
    ) throws -> Ended {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program ?? self.program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        for name in ["out", "err"] { try Data().write(to: URL(fileURLWithPath: file(name))) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: file("out"))
        process.standardError = FileHandle(forWritingAtPath: file("err"))
        let start = Date()
        try process.run()
        var isLate = false
        while process.isRunning {
            let seconds = Date().timeIntervalSince(start)
            if seconds > min(killedAfter ?? Self.patience, Self.patience) {
                isLate = killedAfter == nil
                kill(process.processIdentifier, SIGKILL)
            }
            usleep(500)
        }
        return Ended(
            status: process.terminationStatus,
            signal: process.terminationReason == .uncaughtSignal ? process.terminationStatus : nil, isLate: isLate,
            output: try Data(contentsOf: URL(fileURLWithPath: file("out"))),
            errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: file("err"))), as: UTF8.self))
    }

    /// Counts a crash, a hang, or a failure of which nothing is said; true where it was none of these.
    func isDecent(_ ended: Ended, _ what: String) -> Bool {
        if ended.isLate {
            tally.fault(.hang, "\(what): \(ended)")
        } else if let signal = ended.signal {
            // SIGILL and SIGTRAP are Swift's traps.
            tally.fault(.crash, "\(what): signal \(signal): \(ended.errors.prefix(600))")
        } else if ended.status != 0, ended.errors.isEmpty, ended.output.isEmpty {
            tally.fault(.silent, "\(what): \(ended)")
        } else {
            return true
        }
        return false
    }
}

/// At once, whatever ends the program then.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
