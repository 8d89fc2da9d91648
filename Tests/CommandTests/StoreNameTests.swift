import ActivationStore
import Foundation
import GRDB
import TestSupport
import Testing

/// A store by any of its names is one store, and what stands beside it is its own.
@Suite struct StoreNameTests {
    private let folder: TemporaryFolder
    private let dataset = RecordedDataset(images: 40, layers: RecordedDataset.layers(), blockImages: 16, seed: 9)

    init() throws {
        folder = try TemporaryFolder()
        for name in ["real", "other"] {
            try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: false)
        }
        try dataset.write(folder.file("real/s.sqlite"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("other/link.sqlite"), withDestinationPath: "../real/s.sqlite")
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("other/second.sqlite"), withDestinationPath: folder.file("other/link.sqlite"))
    }

    private func run(_ arguments: String...) throws -> Executable.Result { try Executable.run(arguments, in: folder.path) }

    private func status(_ name: String) throws -> stat {
        var status = stat()
        try #require(lstat(folder.file(name), &status) == 0)
        return status
    }

    private func files(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.file(name)).sorted()
    }

    @Test func compactGoesThroughALinkAndKeepsModeAndOwner() throws {
        try #require(chmod(folder.file("real/s.sqlite"), 0o640) == 0)
        // Another owner can be given by the superuser alone.
        if geteuid() == 0 { try #require(chown(folder.file("real/s.sqlite"), 1234, 2345) == 0) }
        let before = try status("real/s.sqlite")
        #expect(try run("remove", "other/second.sqlite", "--where", "id < 10").status == 0)
        let compacted = try run("compact", "other/second.sqlite")
        #expect(compacted.status == 0, "\(compacted)")
        #expect(try status("other/second.sqlite").st_mode & S_IFMT == S_IFLNK)
        #expect(try status("other/link.sqlite").st_mode & S_IFMT == S_IFLNK)
        let after = try status("real/s.sqlite")
        #expect(after.st_ino != before.st_ino)
        #expect(after.st_mode == before.st_mode && after.st_uid == before.st_uid && after.st_gid == before.st_gid)
        let store = try Store.open(path: folder.file("real/s.sqlite"))
        #expect(try store.imageCount() == 30 && store.removedCount() == 0)
        #expect(try files("real") == ["s.sqlite"] && files("other") == ["link.sqlite", "second.sqlite"])
    }

    /// Foundation's functions of paths end the program for a name of one character.
    @Test func namesOfOneCharacter() throws {
        try FileManager.default.copyItem(atPath: Fixtures.path("petshop.onnx"), toPath: folder.file("n"))
        try FileManager.default.createDirectory(atPath: folder.file("p"), withIntermediateDirectories: false)
        try FileManager.default.copyItem(
            atPath: Fixtures.path("petshop/test/cat/cat-43.jpg"), toPath: folder.file("p/i"))
        for line in [
            "index s --model n --resize none p", "index é --model n --resize none p", "info s", "top s conv4:3", "verify s",
            "merge m s é --partial", "remove m --where 1", "compact m", "saliency s 0 --raw d", "explanations s --export e",
        ] {
            let result = try Executable.run(line.split(separator: " ").map(String.init), in: folder.path)
            #expect(!result.isSignal && result.status < 128, "\(line): \(result)")
        }
        for line in ["info x", "index / --model n p", "info ."] {
            let result = try Executable.run(line.split(separator: " ").map(String.init), in: folder.path)
            #expect(!result.isSignal && result.status == 1, "\(line): \(result)")
        }
    }

    @Test func twoNamesAreOneLock() throws {
        let writer = try dataset.open(folder.file("real/s.sqlite"))
        for name in ["other/link.sqlite", "other/second.sqlite"] {
            #expect(throws: StoreError.beingWritten(path: folder.file(name))) { try dataset.open(folder.file(name)) }
            let refused = try run("compact", name)
            #expect(refused.status == 0 || refused.errors.contains("another run is writing"), "\(refused)")
        }
        try writer.finish()
        try dataset.open(folder.file("other/second.sqlite")).finish()
        #expect(try files("other") == ["link.sqlite", "second.sqlite"])
    }

    /// A link whose target is not there yet names the target.
    @Test func aStoreIsMadeWhereALinkLeads() throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("other/new.sqlite"), withDestinationPath: "../real/new.sqlite")
        let merged = try run("merge", "other/new.sqlite", "real/s.sqlite")
        #expect(merged.status == 0, "\(merged)")
        #expect(try status("other/new.sqlite").st_mode & S_IFMT == S_IFLNK)
        #expect(try Store.open(path: folder.file("real/new.sqlite")).imageCount() == 40)
        try FileManager.default.createSymbolicLink(atPath: folder.file("loop"), withDestinationPath: "loop")
        #expect(try run("remove", "loop", "--where", "1").errors.contains("loop"))
    }

    @Test func aHardLinkIsNotWritten() throws {
        try FileManager.default.linkItem(atPath: folder.file("real/s.sqlite"), toPath: folder.file("other/hard.sqlite"))
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.file("real/s.sqlite")))
        for name in ["real/s.sqlite", "other/hard.sqlite", "other/link.sqlite"] {
            let refused = try run("remove", name, "--where", "id < 3")
            #expect(refused.status == 1 && refused.errors.contains("the file has 2 names (hard links)"), "\(refused)")
        }
        #expect(try run("layers", "other/hard.sqlite").status == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("real/s.sqlite"))) == before)
    }

    /// Of a store that is gone: its pages would come into the new one.
    @Test(arguments: ["-journal", "-wal"]) func aJournalThatWasLeftIsRefused(_ suffix: String) throws {
        let left = folder.file("real/new.sqlite" + suffix)
        try Data([0xD9, 0xD5, 0x05, 0xF9] + [UInt8](repeating: 7, count: 600)).write(to: URL(fileURLWithPath: left))
        let merged = try run("merge", "real/new.sqlite", "real/s.sqlite")
        #expect(
            merged.status == 1 && merged.errors.contains("real/new.sqlite\(suffix), which a run of an earlier store"), "\(merged)"
        )
        #expect(
            throws: StoreError.leftJournal(path: folder.file("real/new.sqlite"), journal: left)
        ) { try dataset.open(folder.file("real/new.sqlite")) }
        #expect(try files("real") == ["new.sqlite" + suffix, "s.sqlite"])
        // One that SQLite is done with is no matter.
        try Data().write(to: URL(fileURLWithPath: left))
        #expect(try run("merge", "real/new.sqlite", "real/s.sqlite").status == 0)
        #expect(try run("verify", "real/new.sqlite", "--sample", "0").status == 0)
    }

    /// What another program has written into a log beside the store is in the file that takes its place.
    @Test func aLogIsPutIntoTheStore() throws {
        let path = folder.file("real/s.sqlite")
        #expect(try run("remove", "real/s.sqlite", "--where", "id < 5").status == 0)
        let database = try DatabaseQueue(path: path)
        try database.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0")
            try database.execute(sql: "DELETE FROM run")
        }
        // As a program that was killed leaves them.
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: folder.file("other/killed.sqlite" + suffix))
        }
        try database.close()
        let compacted = try run("compact", "other/killed.sqlite")
        #expect(compacted.status == 0, "\(compacted)")
        #expect(try files("other") == ["killed.sqlite", "link.sqlite", "second.sqlite"])
        // The run of compacting alone: that which made the store was taken out in the log.
        let runs = try run(
            "sql", "other/killed.sqlite", "SELECT count(*) AS runs FROM run WHERE tool_version = 'test'", "--format", "csv")
        #expect(runs.output == "runs\n0\n", "\(runs)")
        #expect(try run("verify", "other/killed.sqlite", "--sample", "0").status == 0)
    }

    @Test func theNextWriterRemovesWhatKilledOnesLeft() throws {
        let left = [
            "-compacting", "-compacting-journal", "-compacting-mj0A1B2C3D9EF", "-merging-writing", "-merging-mj123456789AB",
        ]
        let kept = ["t.sqlite-compacting", "s.sqlite-compactingmj", "s.sqlite-mj12345"]
        for name in left.map({ "s.sqlite" + $0 }) + kept {
            try Data("x".utf8).write(to: URL(fileURLWithPath: folder.file("real/" + name)))
        }
        #expect(try run("remove", "other/link.sqlite", "--where", "id = 1").status == 0)
        #expect(try files("real") == (kept + ["s.sqlite"]).sorted())
    }

    @Test func aFileSystemWithoutLocksIsNamed() {
        for code in [ENOLCK, ENOTSUP, ENOSYS] {
            #expect(
                "\(WriterLock.refusal(code, path: "s.sqlite").map { "\($0)" } ?? "")".contains("its file system has no locks"))
        }
        #expect(WriterLock.refusal(EWOULDBLOCK, path: "s.sqlite") == nil)
    }
}
