import Foundation
import TestSupport
import Testing

/// What is said of names that are not what they should be: commands, options, stores.
@Suite struct NamesTests {
    private let shop: Shop

    init() throws {
        shop = try Shop()
        try Data().write(to: URL(fileURLWithPath: shop.folder.file("empty.sqlite")))
        try FileManager.default.createDirectory(atPath: shop.folder.file("folder"), withIntermediateDirectories: false)
        try FileManager.default.copyItem(
            atPath: Fixtures.path("petshop/test/cat/cat-43.jpg"), toPath: shop.folder.file("cat.jpg"))
    }

    private func run(_ line: String) throws -> Executable.Result {
        try Executable.run(line.split(separator: " ").map(String.init), in: shop.path)
    }

    @Test(arguments: [
        ("indx shop.sqlite", "there is no command 'neurodex indx'; did you mean index?"), ("tpo", "did you mean top?"),
        ("Top shop.sqlite conv1", "did you mean top?"),
        ("walkthrough decnov", "'neurodex walkthrough decnov'; did you mean deconv?"),
        ("help indx", "did you mean index?"), ("suspect shop.sqlite", "did you mean suspects?"), ("hepl", "did you mean help?"),
        ("qwertyuiop", "there is no command 'neurodex qwertyuiop' ('neurodex --help' lists them)"),
        ("top shop.sqlite conv1 --wher 1=1", "Did you mean '--where'?"),
    ])
    func commandsAndOptionsAreSuggested(_ line: String, _ words: String) throws {
        let result = try run(line)
        #expect(result.status == 64 && result.output.isEmpty && result.errors.contains(words), "\(line): \(result)")
    }

    /// Every command that opens a store, with the arguments after it.
    static let commands = [
        "info STORE", "layers STORE", "top STORE conv1", "similar STORE 1", "profile STORE 1", "neurons STORE",
        "contrast STORE --a 1",
        "suspects STORE", "shortcuts STORE", "diff STORE shop.sqlite", "diff shop.sqlite STORE", "sql STORE SELECT",
        "verify STORE",
        "remove STORE 1", "compact STORE", "merge new.sqlite STORE", "saliency STORE 1", "occlusion STORE 1", "cam STORE 1",
        "cam fit STORE", "deconv STORE conv1:1", "ascend STORE class:cat --json", "explanations STORE",
        "saliency shop.sqlite 1 --beside STORE",
    ]

    @Test(arguments: commands) func aStoreThatIsNoneIsSaidToBe(_ command: String) throws {
        let cases = [
            ("shpo.sqlite", "shpo.sqlite: there is no such file; did you mean shop.sqlite?"),
            ("nothing.png", "nothing.png: there is no such file"),
            ("folder", "folder is a folder; a store is one file"),
            ("cat.jpg", "cat.jpg is not a neurodex store: expected a SQLite file with application id NDX1, found a JPEG picture"),
            (
                "empty.sqlite",
                "empty.sqlite is not a neurodex store: expected a SQLite file with application id NDX1, found an empty file"
            ),
        ]
        for (name, words) in cases {
            let result = try run(command.replacingOccurrences(of: "STORE", with: name))
            #expect(
                result.status == 1 && result.output.isEmpty && result.errors.hasPrefix("Error: " + words),
                "\(command), \(name): \(result)")
            #expect(!result.errors.contains("make a store") && result.errors.split(separator: "\n").count == 1, "\(result)")
        }
        // An ONNX file is what `layers` lists too.
        guard !command.hasPrefix("layers") else { return }
        let result = try run(command.replacingOccurrences(of: "STORE", with: "petshop.onnx"))
        #expect(
            result.errors.contains("found an ONNX network; make a store with: neurodex index STORE --model petshop.onnx"),
            "\(result)")
    }

    @Test func verifyDoesNotAdviseToMakeAStore() throws {
        #expect(
            try run("verify picture.png").errors
                == "Error: picture.png: there is no such file; name a store, or a picture that neurodex drew\n")
        #expect(try run("verify model.onnx").errors.contains("model.onnx: there is no such file; name a store"))
        #expect(try run("verify other.sqlite").errors.contains("other.sqlite: there is no such file; name a store"))
        #expect(try run("info other.sqlite").errors.contains("make a store with: neurodex index other.sqlite"))
        #expect(try run("top conv4:3 shop.sqlite").errors.contains("conv4:3: there is no such file; the store is named first"))
    }

    @Test func conditionsAreQuotedAndValuesListed() throws {
        let wrong = try shop.run("top", "shop.sqlite", "conv4:3", "--where", "lable = 'cat'")
        #expect(wrong.status == 1)
        #expect(
            wrong.errors
                == "Error: SQLite does not understand --where \"lable = 'cat'\": no such column: lable; did you mean label?\n")
        let sentence = "no image has label = 'kat'; did you mean cat? labels are bird, cat, dog, fish, rabbit (5)"
        for line in [
            ["top", "shop.sqlite", "conv4:3"], ["top", "shop.sqlite", "conv4:3", "conv4:4", "--by", "sum"],
            ["similar", "shop.sqlite", "7"],
        ] {
            let none = try Executable.run(line + ["--where", "label = 'kat'", "--format", "csv"], in: shop.path)
            #expect(
                none.status == 0 && none.errors == sentence + "\n" && none.output.split(separator: "\n").count == 1, "\(none)")
        }
        for line in [
            ["suspects", "shop.sqlite", "--where"], ["contrast", "shop.sqlite", "--a"],
            ["contrast", "shop.sqlite", "--a", "label = 'cat'", "--b"], ["deconv", "shop.sqlite", "conv4:3", "--where"],
            ["neurons", "shop.sqlite", "--selective", "cat", "--where"],
        ] {
            let none = try Executable.run(line + ["label = 'kat'"], in: shop.path)
            #expect(none.status == 1 && none.output.isEmpty && none.errors.contains(sentence), "\(none)")
        }
        #expect(try shop.run("neurons", "shop.sqlite", "conv4:3", "--where", "label = 'kat'").errors == sentence + "\n")
        #expect(try shop.run("remove", "shop.sqlite", "--where", "label = 'kat'").errors.hasPrefix(sentence + "\n"))
    }
}
