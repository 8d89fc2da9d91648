import ActivationStore
import Foundation
import TestSupport
import Testing

/// What names hold that a terminal would act upon is shown, never sent.
@Suite struct TerminalTests {
    private let shop: Shop
    /// A colour, a title, a line that is written over, a name that reads backwards, and one of the codes from 128 to 159.
    private static let names = [
        "red\u{1B}[31m.png", "title\u{1B}]0;x\u{7}.png", "over\rwritten.png", "photo\u{202E}gnp.exe.png", "csi\u{9B}31m.png",
        "line\nline.png",
    ]
    private static let shown = [
        "red\\u{1B}[31m.png", "title\\u{1B}]0;x\\u{7}.png", "over\\rwritten.png", "photo\\u{202E}gnp.exe.png",
        "csi\\u{9B}31m.png",
        "line\\nline.png",
    ]

    init() throws {
        shop = try Shop(withStore: false)
        let source = Fixtures.path("petshop/" + (try Fixtures.pictures())[0])
        try FileManager.default.createDirectory(atPath: shop.folder.file("odd"), withIntermediateDirectories: false)
        for (index, name) in Self.names.enumerated() {
            var bytes = try Data(contentsOf: URL(fileURLWithPath: source))
            bytes.append(UInt8(index))  // Another file for each.
            try bytes.write(to: URL(fileURLWithPath: shop.folder.file("odd/" + name)))
        }
        let made = try shop.run("index", "odd.sqlite", "--model", "petshop.onnx", "--resize", "none", "odd")
        #expect(made.status == 0, "\(made)")
    }

    private func expectClean(_ text: String, _ comment: Comment, at location: SourceLocation = #_sourceLocation) {
        let sent = text.unicodeScalars.filter { scalar in
            scalar != "\n" && (scalar.properties.generalCategory == .control || (0x202A...0x202E).contains(scalar.value))
        }
        #expect(sent.isEmpty, comment, sourceLocation: location)
    }

    @Test func inTablesAndNotes() throws {
        let top = try shop.run("top", "odd.sqlite", "conv4:1", "-k", "9")
        expectClean(top.output, "\(top)")
        for name in Self.shown { #expect(top.output.contains(name), "\(name) in \(top)") }
        #expect(top.output.split(separator: "\n").count == 2 + Self.names.count)
        let sql = try shop.run("sql", "odd.sqlite", "SELECT 1 AS \"a\u{1B}[2J\u{202E}b\"")
        expectClean(sql.output, "\(sql)")
        #expect(sql.output.hasPrefix("a\\u{1B}[2J\\u{202E}b\n"))
        let unknown = try shop.run("top", "odd.sqlite", "conv\u{1B}[31m:1")
        expectClean(unknown.errors, "\(unknown)")
        #expect(unknown.errors.contains("conv\\u{1B}[31m"))
        expectClean(try shop.run("top", "odd.sqlite", "--\u{1B}[31m").errors, "an option")
        for name in Self.names { try Data("x".utf8).write(to: URL(fileURLWithPath: shop.folder.file("odd/" + name))) }
        let skipped = try shop.run("index", "odd.sqlite", "odd")
        expectClean(skipped.errors, "\(skipped)")
        #expect(skipped.errors.contains("red\\u{1B}[31m.png"), "\(skipped)")
        let sheet = try shop.run("top", "odd.sqlite", "conv4:1", "-k", "9", "--sheet", "s.png")
        expectClean(sheet.errors, "\(sheet)")
        expectClean(try shop.run("diff", "odd.sqlite", "odd.sqlite").output, "diff")
    }

    /// Programs get names as they are; a terminal gets what it can show, and JSON stays JSON.
    @Test func csvAndJSON() throws {
        for name in Self.names {
            let file = try shop.run("top", "odd.sqlite", "conv4:1", "-k", "9", "--format", "csv")
            #expect(file.output.contains(name), "\(file)")
        }
        let csv = try onTerminal("top", "odd.sqlite", "conv4:1", "-k", "9", "--format", "csv")
        expectClean(csv.replacing("\r\n", with: "\n"), "\(csv)")
        #expect(csv.contains("photo\\u{202E}gnp.exe.png"), "\(csv)")
        let json = try onTerminal("top", "odd.sqlite", "conv4:1", "-k", "9", "--format", "json")
        expectClean(json.replacing("\r\n", with: "\n"), "\(json)")
        let list = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
        #expect(Set(list.compactMap { $0["image"] as? String }) == Set(Self.names.map { "odd/" + $0 }))
        let sql = try onTerminal("sql", "odd.sqlite", "SELECT path FROM image", "--format", "json")
        expectClean(sql.replacing("\r\n", with: "\n"), "\(sql)")
        #expect(
            try #require(try JSONSerialization.jsonObject(with: Data(sql.utf8)) as? [[String: Any]]).count == Self.names.count)
    }

    /// What the program prints where its standard output is a terminal.
    private func onTerminal(_ arguments: String...) throws -> String {
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try #require(master >= 0)
        defer { close(master) }
        var (lock, number) = (CInt(0), CInt(0))
        // TIOCSPTLCK and TIOCGPTN of Linux, which are macros.
        let (unlock, ask) = (ioctl(master, 0x4004_5431, &lock), ioctl(master, 0x8004_5430, &number))
        try #require(unlock == 0 && ask == 0)
        let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(slave >= 0)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Executable.path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: shop.path)
        process.standardOutput = FileHandle(fileDescriptor: slave, closeOnDealloc: false)
        try process.run()
        close(slave)
        var (text, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 4096))
        while true {
            let count = read(master, &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self)
    }

    /// Cells that a spreadsheet would compute are marked where that is asked for; numbers are none.
    @Test func formulas() throws {
        let statement = """
            SELECT '=1+1' AS a, '+x' AS b, '-2.5' AS c, -3 AS d, '@sum(1)' AS e, '＝1' AS f, char(9) || 'x' AS g, 'a=b' AS h, '-inf' AS i, \
            '=a,"b"' AS "=j"
            """
        let plain = try shop.run("sql", "odd.sqlite", statement, "--format", "csv")
        #expect(plain.output.contains("\n=1+1,+x,-2.5,-3,@sum(1),＝1,\tx,a=b,-inf,\"=a,\"\"b\"\"\"\n"), "\(plain)")
        let safe = try shop.run("sql", "odd.sqlite", statement, "--format", "csv", "--csv-safe")
        #expect(
            safe.output == "a,b,c,d,e,f,g,h,i,'=j\n'=1+1,'+x,-2.5,-3,'@sum(1),'＝1,'\tx,a=b,-inf,\"'=a,\"\"b\"\"\"\n", "\(safe)")
        let wrong = try shop.run("top", "odd.sqlite", "conv4:1", "--csv-safe")
        #expect(wrong.status == 64 && wrong.errors.contains("--csv-safe marks cells of CSV; add --format csv"), "\(wrong)")
        #expect(try shop.run("top", "odd.sqlite", "conv4:1", "--csv-safe", "--format", "csv").status == 0)
    }
}
