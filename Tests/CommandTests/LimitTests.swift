import Foundation
import GRDB
import Images
import TestSupport
import Testing

/// What commands take of time and memory, in processes of their own.
@Suite struct LimitTests {
    private let shop: Shop

    init() throws { shop = try Shop() }

    /// The most memory that a run takes, in bytes, and its status.
    private func peak(_ arguments: [String]) throws -> (bytes: Int, status: Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, shop.folder.file("out"), O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, shop.folder.file("err"), O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        let words = ([Executable.path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child = pid_t()
        try #require(posix_spawn(&child, Executable.path, &actions, nil, words, environ) == 0)
        // What wait4 says counts the memory of the tests too, from which the child was made.
        var (status, peak) = (CInt(), 0)
        while waitpid(child, &status, WNOHANG) == 0 {
            let text = (try? String(contentsOfFile: "/proc/\(child)/status", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            peak = max(peak, line.flatMap { Int($0.filter(\.isNumber)) } ?? 0)
            usleep(1000)
        }
        try #require(peak > 0)
        return (peak << 10, status)
    }

    /// A store is read through, not into memory: here one of 400 MB, nearly all of which is free.
    @Test func checkingALargeStoreTakesLittleMemory() throws {
        let path = shop.folder.file("shop.sqlite")
        let database = try DatabaseQueue(path: path)
        try database.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE large(a)")
            for _ in 0..<50 { try database.execute(sql: "INSERT INTO large VALUES (zeroblob(8000000))") }
            try database.execute(sql: "DROP TABLE large; PRAGMA journal_mode = DELETE")
        }
        try database.close()
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        #expect(size > 390_000_000)
        let run = try peak(["verify", path, "--sample", "0"])
        #expect(run.status == 0)
        #expect(run.bytes < 150_000_000, "\(run.bytes) bytes")
    }

    /// Functions in which SQLite does not look at the clock, and what is done with what they make.
    @Test(
        arguments: [
            "SELECT instr(hex(zeroblob(7000000)), hex(zeroblob(3500000)) || '1')",
            "SELECT length(replace(hex(zeroblob(7000000)), hex(zeroblob(3500000)) || '1', ''))",
            "SELECT length(trim(hex(zeroblob(7000000)), replace(hex(zeroblob(500000)), '0', 'F') || '0'))",
            "SELECT hex(zeroblob(7000000)) LIKE '%' || substr(hex(zeroblob(500)), 1, 900) || '1%'",
            "SELECT hex(zeroblob(7000000)) GLOB '*' || substr(hex(zeroblob(500)), 1, 900) || '1*'",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, hex(zeroblob(5000000)) FROM n",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(length(printf('%.*c', 9000000, 'x'))) FROM n",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT group_concat(i, '') FROM n GROUP BY i % 1000000",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(json_array(hex(randomblob(5000000)))) FROM n",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(quote(randomblob(7000000))) FROM n",
        ], ["table", "json"])
    func statementsEndInTime(_ statement: String, _ format: String) throws {
        let start = Date()
        let result = try Executable.run(
            ["sql", "shop.sqlite", statement, "--time-limit", "0.5", "--memory-limit", "400", "--format", format], in: shop.path,
            timeout: 120)
        #expect(result.status == 1 && !result.isSignal, "\(result.errors)")
        #expect(
            result.errors.contains("took longer than 0.5 s and was stopped") || result.errors.contains("400 MB"),
            "\(result.errors)")
        #expect(Date().timeIntervalSince(start) < 60)
    }

    @Test func conditionsEndInTime() throws {
        let slow = "instr(hex(zeroblob(7000000)), hex(zeroblob(3500000)) || '1')"
        let result = try shop.run("sql", "shop.sqlite", "SELECT id FROM image WHERE \(slow) = 0", "--time-limit", "0.5")
        #expect(result.errors.contains("took longer than 0.5 s"), "\(result)")
    }

    /// Rows that are printed take hardly more than SQLite's own share.
    @Test(arguments: ["csv", "json", "table"]) func printingTakesLittleMemory(_ format: String) throws {
        let blobs = (0..<2).map { "randomblob(12000000) AS b\($0)" }.joined(separator: ", ")
        let run = try peak([
            "sql", shop.folder.file("shop.sqlite"), "SELECT \(blobs)", "--memory-limit", "40", "--time-limit", "600", "--format",
            format,
        ])
        #expect(run.status == 0)
        #expect(run.bytes < 150_000_000, "\(run.bytes) bytes as \(format)")
    }

    /// A reader that waits takes none of the statement's time.
    @Test func aSlowReaderIsWaitedFor() throws {
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) SELECT i FROM n"
        let result = try Executable.shell(
            "neurodex sql shop.sqlite '\(numbers)' --format csv --time-limit 2 | (sleep 4; tail -n 1)", in: shop.path)
        #expect(result.output == "200000\n", "\(result)")
    }

    /// A picture may come from a stranger, and its own arguments say what is done to make it again.
    @Test func aPictureThatAsksForMuchIsNotMadeUnasked() throws {
        func picture(_ arguments: [String], as name: String) throws {
            let json = String(decoding: try JSONEncoder().encode(arguments), as: UTF8.self)
            let bytes = try Image(width: 8, height: 8, fill: Color(hex: 0)).pngData(text: [("neurodex:arguments", json)])
            try Data(bytes).write(to: URL(fileURLWithPath: shop.folder.file(name)))
        }
        try picture(["saliency", "--method", "smoothgrad", "--samples", "1000000000", "shop.sqlite", "1"], as: "a.png")
        try picture(["occlusion", "--window", "1", "--stride", "1", "shop.sqlite", "1", "2"], as: "b.png")
        try picture(["ascend", "--steps", "100000", "shop.sqlite", "conv4:1"], as: "c.png")
        for (name, passes) in [("a.png", "2000000001"), ("b.png", "18436"), ("c.png", "200000")] {
            let refused = try shop.run("verify", name)
            #expect(refused.status == 1 && refused.errors.contains("takes some \(passes) passes"), "\(refused)")
            #expect(refused.errors.contains("--yes"), "\(refused)")
        }
        let made = try shop.run("verify", "b.png", "--yes")
        #expect(made.status == 1 && made.errors.contains("not what"), "\(made)")
        mkfifo(shop.folder.file("pipe"), 0o644)
        try picture(["cam", "--truth", "pipe", "shop.sqlite", "1"], as: "d.png")
        let waits = try Executable.run(["verify", "d.png"], in: shop.path, timeout: 20)
        #expect(waits.status == 1 && waits.errors.contains("pipe is no file but a pipe, socket or device"), "\(waits)")
        #expect(try Executable.run(["verify", "pipe"], in: shop.path, timeout: 20).status == 1)
    }

    /// A network is a file, wherever its path comes from.
    @Test func aNetworkIsNoPipe() throws {
        mkfifo(shop.folder.file("pipe.onnx"), 0o644)
        for line in [
            ["index", "new.sqlite", "--model", "pipe.onnx", "photos"], ["layers", "pipe.onnx"],
            ["index", "new.sqlite", "--model", "/dev/zero", "photos"],
            ["saliency", "shop.sqlite", "1", "--model", "pipe.onnx", "--no-keep"],
            ["verify", "shop.sqlite", "--model", "pipe.onnx"],
            ["similar", "shop.sqlite", Fixtures.path("petshop-hans.onnx"), "--model", "pipe.onnx"],
        ] {
            let refused = try Executable.run(line, in: shop.path, timeout: 20)
            #expect(refused.status == 1, "\(line): \(refused)")
        }
        // The path that a store keeps.
        try FileManager.default.copyItem(atPath: Fixtures.path("petshop.onnx"), toPath: shop.folder.file("own.onnx"))
        #expect(try shop.run("index", "own.sqlite", "--model", "own.onnx", "--resize", "none", "photos/val").status == 0)
        try FileManager.default.removeItem(atPath: shop.folder.file("own.onnx"))
        mkfifo(shop.folder.file("own.onnx"), 0o644)
        for line in [
            ["saliency", "own.sqlite", "1", "--no-keep"], ["verify", "own.sqlite"], ["index", "own.sqlite", "photos"],
            ["saliency", "shop.sqlite", "photos/val/cat/cat-21.jpg", "--beside", "own.sqlite", "--no-keep"],
            ["ascend", "own.sqlite", "conv4:1", "-o", "a.png", "--no-keep"],
        ] {
            let refused = try Executable.run(line, in: shop.path, timeout: 20)
            #expect(refused.status == 1 && refused.errors.contains("it is no file but a pipe"), "\(line): \(refused)")
        }
    }

    /// A picture of the same size in an image's place is not drawn as that image; the store itself is sound.
    @Test func imagesThatWereExchanged() throws {
        try FileManager.default.copyItem(atPath: Fixtures.path("petshop/test/cat"), toPath: shop.folder.file("cats"))
        #expect(try shop.run("index", "cats.sqlite", "--model", "petshop.onnx", "--resize", "none", "cats").status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: shop.folder.file("cats")).sorted()
        let (first, second) = (shop.folder.file("cats/\(names[0])"), shop.folder.file("cats/\(names[1])"))
        try FileManager.default.removeItem(atPath: first)
        try FileManager.default.copyItem(atPath: Fixtures.path("petshop/test/dog/dog-43.jpg"), toPath: first)
        try FileManager.default.removeItem(atPath: second)
        for command in [
            ["top", "cats.sqlite", "conv4:1", "-k", "99", "--sheet", "t.png"],
            ["top", "cats.sqlite", "conv4:1", "-k", "99", "--whole", "--sheet", "t.png"],
            ["similar", "cats.sqlite", "5", "-k", "99", "--sheet", "t.png"],
            ["top", "cats.sqlite", "conv4:1", "conv4:2", "--by", "sum", "-k", "99", "--sheet", "t.png"],
        ] {
            let drawn = try Executable.run(command, in: shop.path)
            #expect(drawn.status == 2, "\(drawn)")
            for name in names[..<2] {
                #expect(drawn.errors.contains("not drawn, the file has gone or changed: cats/\(name)"), "\(drawn)")
            }
        }
        let checked = try shop.run("verify", "cats.sqlite", "--sample", "1000")
        #expect(checked.status == 2, "\(checked)")
        #expect(checked.output.contains("cats.sqlite: sound"), "\(checked)")
        #expect(checked.errors.contains("cats/\(names[0]) has changed since it was indexed"), "\(checked)")
        #expect(checked.errors.contains("1 image of the sample could not be computed anew"), "\(checked)")
    }
}
