import ActivationStore
import Foundation
import GRDB
import Search
import TestSupport
import Testing

/// A store survives whatever ends a run, and the next run finishes it with the rows of one that was never disturbed.
///
/// `NEURODEX_STRESS=1` kills twenty runs over more images.
@Suite(.serialized) struct SafetyTests {
    private static let isStress = ProcessInfo.processInfo.environment["NEURODEX_STRESS"] == "1"
    private static let images = isStress ? 4000 : 1500

    private let folder: TemporaryFolder
    private let undisturbed: StoreDump
    private let seconds: Double

    init() throws {
        folder = try TemporaryFolder(onDisk: Self.isStress)
        try Fixtures.copyPictures(count: Self.images, in: folder.file("photos"))
        let start = Date()
        let result = try Executable.run(Self.index("whole.sqlite"), in: folder.path, timeout: 120)
        seconds = Date().timeIntervalSince(start)
        precondition(result.status == 0, "an undisturbed run: \(result)")
        undisturbed = try StoreDump(folder.file("whole.sqlite"))
    }

    /// Small blocks, so that the runs have many of them.
    private static func index(
        _ store: String, model: String = Fixtures.path("petshop.onnx"), photos: String = "photos"
    ) -> [String] {
        ["index", store, "--model", model, "--resize", "none", "--block", "64", "--top", "20", photos]
    }

    private func start(_ store: String) throws -> Executable.Running {
        try Executable.Running(Executable.path, Self.index(store), in: folder.path)
    }

    /// The store is sound, and the same command finishes it.
    private func finish(_ store: String, _ comment: Comment) throws {
        let checked = try Executable.run(["verify", store, "--sample", "4"], in: folder.path)
        #expect(checked.status == 0, "\(comment): \(checked)")
        let again = try Executable.run(Self.index(store), in: folder.path, timeout: 120)
        #expect(again.status == 0, "\(comment): \(again)")
        #expect(try StoreDump(folder.file(store)).differences(from: undisturbed) == [], comment)
    }

    private func wait(for path: String, bytes: Int = 0) throws {
        let deadline = Date().addingTimeInterval(20)
        while Date() < deadline {
            var status = stat()
            if stat(folder.file(path), &status) == 0, status.st_size >= bytes { return }
            usleep(500)
        }
        Issue.record("\(path) did not come to be")
    }

    @Test func killedAtAnyMoment() throws {
        var generator = SeededGenerator(seed: UInt64(Date().timeIntervalSince1970))
        var early = 0
        for round in 0..<(Self.isStress ? 20 : 4) {
            let store = "killed-\(round).sqlite"
            let moment = Double.random(in: 0..<seconds, using: &generator)
            let running = try start(store)
            if round % 4 == 0 { try wait(for: store) } else { usleep(UInt32(moment * 1e6)) }
            running.send(SIGKILL)
            let ended = try running.wait()
            let comment: Comment = "killed after \(moment) s of \(seconds): \(ended)"
            #expect(ended.isSignal && ended.status == SIGKILL || ended.status == 0, comment)
            var status = stat()
            if stat(folder.file(store), &status) != 0 || status.st_size == 0 {
                // Killed before anything was committed: there is no store yet, and the same command makes it.
                early += 1
                let again = try Executable.run(Self.index(store), in: folder.path, timeout: 120)
                #expect(again.status == 0, "\(comment): \(again)")
                #expect(try StoreDump(folder.file(store)).differences(from: undisturbed) == [], comment)
            } else {
                try finish(store, comment)
            }
            try FileManager.default.removeItem(atPath: folder.file(store))
        }
        if Self.isStress { print("20 runs killed within \(seconds) s each, \(early) before their first commit") }
    }

    /// Compacting, merging and removing, killed at any moment: the store is as it was or as it is to be, and the same command finishes.
    @Test(arguments: ["compact", "merge", "remove"]) func killedWhileGrowing(_ command: String) throws {
        func run(_ arguments: [String]) throws {
            let result = try Executable.run(arguments, in: folder.path, timeout: 120)
            #expect(result.status == 0, "\(result)")
        }
        let parts = ["part-1.sqlite", "part-2.sqlite"]
        if command == "merge" {
            for (index, part) in parts.enumerated() { try run(Self.index(part) + ["--shard", "\(index + 1)/2"]) }
        } else {
            try FileManager.default.copyItem(atPath: folder.file("whole.sqlite"), toPath: folder.file("full.sqlite"))
            if command == "compact" { try run(["remove", "full.sqlite", "--where", "id % 3 = 0"]) }
        }
        /// The store that is worked on, as it was before.
        func prepare(_ store: String) throws {
            try? FileManager.default.removeItem(atPath: folder.file(store))
            guard command != "merge" else { return }
            try FileManager.default.copyItem(atPath: folder.file("full.sqlite"), toPath: folder.file(store))
        }
        func arguments(_ store: String) -> [String] {
            switch command {
            case "merge": ["merge", store] + parts
            case "remove": ["remove", store, "--where", "id % 5 = 1"]
            default: ["compact", store]
            }
        }
        try prepare("wanted.sqlite")
        let start = Date()
        try run(arguments("wanted.sqlite"))
        let seconds = Date().timeIntervalSince(start)
        let wanted = try StoreDump(folder.file("wanted.sqlite"))
        var generator = SeededGenerator(seed: UInt64(Date().timeIntervalSince1970))
        var survived = 0
        for round in 0..<(Self.isStress ? 30 : 4) {
            try prepare("killed.sqlite")
            let running = try Executable.Running(Executable.path, arguments("killed.sqlite"), in: folder.path)
            usleep(UInt32(Double.random(in: 0..<seconds, using: &generator) * 1e6))
            running.send(SIGKILL)
            let ended = try running.wait()
            let comment: Comment = "\(command), round \(round): \(ended)"
            if ended.status == 0 { survived += 1 }
            if FileManager.default.fileExists(atPath: folder.file("killed.sqlite")) {
                let checked = try Executable.run(["verify", "killed.sqlite", "--sample", "0"], in: folder.path)
                #expect(checked.status == 0, "\(comment): \(checked)")
                if command == "merge" { try FileManager.default.removeItem(atPath: folder.file("killed.sqlite")) }
            }
            try run(arguments("killed.sqlite"))
            #expect(try StoreDump(folder.file("killed.sqlite")).differences(from: wanted) == [], comment)
        }
        if Self.isStress { print("\(command): 30 killed within \(seconds) s each, \(survived) of them too late") }
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(!left.contains { $0.hasSuffix("-compacting") || $0.hasSuffix("-merging") })
    }

    /// Growing a store by new images, killed at any moment, while others ask it: every answer is that of the images up to some moment, which never
    /// goes back; the store is sound, and the same command finishes it.
    @Test func killedWhileAppending() throws {
        let (old, all) = (Self.images / 5, Self.images)
        let photos = folder.file("growing")
        try Fixtures.copyPictures(count: old, in: photos)
        func index(_ store: String) -> [String] { Self.index(store, photos: "growing") }
        func run(_ arguments: [String]) throws {
            let result = try Executable.run(arguments, in: folder.path, timeout: 120)
            #expect(result.status == 0, "\(result)")
        }
        func prepare(_ store: String) throws {
            try? FileManager.default.removeItem(atPath: folder.file(store))
            try FileManager.default.copyItem(atPath: folder.file("small.sqlite"), toPath: folder.file(store))
        }
        try run(index("small.sqlite"))
        try Fixtures.copyPictures(from: old, count: all, in: photos)
        try prepare("wanted.sqlite")
        let start = Date()
        try run(index("wanted.sqlite"))
        let seconds = Date().timeIntervalSince(start)
        let wanted = try StoreDump(folder.file("wanted.sqlite"))
        let answers = try GrowingAnswers(folder.file("wanted.sqlite"), neurons: ["conv4:17", "conv1:2", "fc2:3"])

        var generator = SeededGenerator(seed: UInt64(Date().timeIntervalSince1970))
        var (survived, asked, midway) = (0, 0, 0)
        for round in 0..<(Self.isStress ? 30 : 4) {
            try prepare("killed.sqlite")
            let end = Date().addingTimeInterval(Double.random(in: 0..<seconds, using: &generator))
            nonisolated(unsafe) let running = try Executable.Running(Executable.path, index("killed.sqlite"), in: folder.path)
            let killer = Thread {
                Thread.sleep(until: end)
                running.send(SIGKILL)
            }
            killer.start()
            var seen = old
            func ask(_ when: Comment) throws {
                let answer = try Executable.run(answers.question("killed.sqlite"), in: folder.path)
                let moment = try answers.moment(of: answer, from: seen)
                #expect(moment != nil, "round \(round), \(when), after \(seen) images: \(answer)")
                seen = moment ?? seen
                asked += 1
            }
            repeat { try ask("while it was growing") } while running.isRunning
            let ended = try running.wait()
            while !killer.isFinished { usleep(500) }
            if ended.status == 0 { survived += 1 }
            if seen > old, seen < all { midway += 1 }
            try ask("after \(ended)")
            let checked = try Executable.run(["verify", "killed.sqlite", "--sample", "0"], in: folder.path)
            #expect(checked.status == 0, "round \(round), \(ended): \(checked)")
            try run(index("killed.sqlite"))
            #expect(try StoreDump(folder.file("killed.sqlite")).differences(from: wanted) == [], "round \(round): \(ended)")
        }
        if Self.isStress {
            print(
                "append: 30 killed within \(seconds) s each, \(survived) of them too late; \(asked) answers, \(midway) runs seen midway"
            )
        }
    }

    @Test func interruptedByCtrlC() throws {
        let running = try start("stopped.sqlite")
        try wait(for: "stopped.sqlite", bytes: 600_000)
        running.send(SIGINT)
        let ended = try running.wait()
        #expect(ended.status == 130 && !ended.isSignal, "\(ended)")
        #expect(ended.errors.contains("interrupted; the same command goes on from here"))
        #expect(!FileManager.default.fileExists(atPath: folder.file("stopped.sqlite-journal")))
        #expect(!FileManager.default.fileExists(atPath: folder.file("stopped.sqlite-writing")))
        try finish("stopped.sqlite", "after Ctrl-C")
    }

    @Test func aSecondWriterIsRefused() throws {
        let first = try start("shared.sqlite")
        try wait(for: "shared.sqlite", bytes: 100_000)
        let second = try Executable.run(Self.index("shared.sqlite"), in: folder.path)
        #expect(first.isRunning, "the first run was too short to try this")
        #expect(second.status == 1)
        #expect(second.errors.contains("another run is writing shared.sqlite"), "\(second)")
        #expect(try Executable.run(["info", "shared.sqlite"], in: folder.path).status == 0)
        let ended = try first.wait()
        #expect(ended.status == 0, "\(ended)")
        try finish("shared.sqlite", "after a second writer was refused")
    }

    @Test func theDiskIsFull() throws {
        // A limit on the file's size, in blocks of 512 bytes, stands for the disk's end; the store needs more.
        let line = "ulimit -f 1000; exec neurodex \(Self.index("full.sqlite").joined(separator: " "))"
        let ended = try Executable.shell(line, in: folder.path)
        #expect(ended.status == 1 && !ended.isSignal, "\(ended)")
        #expect(ended.errors.contains("full.sqlite"))
        // Besides what a new store says of its thumbnails.
        #expect(ended.errors.split(separator: "\n").count { !$0.hasPrefix("no thumbnails are kept: ") } == 1, "\(ended)")
        try finish("full.sqlite", "after the disk was full")
    }

    private static let isRoot = getuid() == 0
    private static let canBeNobody = FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv")

    @Test(.enabled(if: !isRoot || canBeNobody, "root may write everywhere, and there is no setpriv to be somebody else"))
    func theFolderIsReadOnly() throws {
        // Whatever is above the sources and the other folder may be closed to nobody; this is open to everybody.
        let open = Self.isRoot ? try TemporaryFolder(in: "/tmp") : try TemporaryFolder()
        chmod(open.path, 0o755)
        try FileManager.default.createDirectory(atPath: open.file("locked"), withIntermediateDirectories: false)
        let copies = [
            (Executable.path, "neurodex"), (Fixtures.path("petshop.onnx"), "petshop.onnx"),
            (Fixtures.path("petshop/test"), "photos"),
            (folder.file("whole.sqlite"), "locked/old.sqlite"),
        ]
        for (source, copy) in copies { try FileManager.default.copyItem(atPath: source, toPath: open.file(copy)) }
        chmod(open.file("locked/old.sqlite"), 0o444)
        chmod(open.file("locked"), 0o555)
        defer { chmod(open.file("locked"), 0o755) }
        func run(_ arguments: [String]) throws -> Executable.Result {
            let nobody = Self.isRoot ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : ""
            return try Executable.shell("exec \(nobody)./neurodex " + arguments.joined(separator: " "), in: open.path)
        }
        for store in ["locked/new.sqlite", "locked/old.sqlite"] {
            let refused = try run(Self.index(store, model: "petshop.onnx"))
            #expect(refused.status == 1, "\(refused)")
            #expect(refused.errors.contains("\(store) cannot be written"), "\(refused)")
        }
        let read = try run(["top", "locked/old.sqlite", "conv4:1"])
        #expect(read.status == 0, "\(read)")
        #expect(try StoreDump(open.file("locked/old.sqlite")) == undisturbed)
    }

    @Test func aNewerStoreIsLeftAlone() throws {
        let path = folder.file("newer.sqlite")
        try FileManager.default.copyItem(atPath: folder.file("whole.sqlite"), toPath: path)
        let database = try DatabaseQueue(path: path)
        try database.write { try $0.execute(sql: "PRAGMA user_version = 99") }
        try database.close()
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        for arguments in [
            ["info", "newer.sqlite"], ["top", "newer.sqlite", "conv1"], ["verify", "newer.sqlite"], Self.index("newer.sqlite"),
        ] {
            let refused = try Executable.run(arguments, in: folder.path)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("is a store of version 99"), "\(refused)")
            #expect(refused.errors.contains("use a newer neurodex"))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }
}

/// What a store that grows by images in the order of their ids may say: the strongest images of some neurons among the first so many.
private struct GrowingAnswers {
    private static let count = 5
    private let neurons: [String]
    /// By neuron: ids of all images, strongest first.
    private let rankings: [[Int]]
    private let images: Int

    init(_ path: String, neurons: [String]) throws {
        let store = try Store.open(path: path)
        self.neurons = neurons
        images = try store.imageCount()
        let hits = try TopQuery(neurons: neurons, count: images).run(in: store)
        rankings = neurons.map { neuron in hits.filter { "\($0.layer):\($0.channel)" == neuron }.map(\.imageID) }
    }

    func question(_ store: String) -> [String] { ["top", store] + neurons + ["-k", "\(Self.count)", "--format", "json"] }

    /// How many images an answer is of, `first` or more; nil if it is no such answer.
    func moment(of answer: Executable.Result, from first: Int) throws -> Int? {
        struct Hit: Decodable {
            var id: Int
            enum CodingKeys: String, CodingKey { case id = "image_id" }
        }
        guard answer.status == 0 else { return nil }
        let found = try JSONDecoder().decode([Hit].self, from: Data(answer.output.utf8)).map(\.id)
        return (first...images).first { moment in
            found == rankings.flatMap { ranking in ranking.lazy.filter { $0 < moment }.prefix(Self.count) }
        }
    }
}
