import Foundation
import TestSupport
import Testing

/// Output that cannot be written is said in one sentence, and never ends the program by a crash.
@Suite struct OutputTests {
    private let shop: Shop

    init() throws { shop = try Shop() }

    /// Commands of every kind that print.
    private static let printing = [
        "--help", "help index", "--version", "--generate-completion-script bash", "--generate-completion-script fish",
        "info shop.sqlite", "layers shop.sqlite", "layers petshop.onnx --format json",
        "top shop.sqlite conv4 -k 100 --format csv",
        "top shop.sqlite conv4:1 --sheet sheet.png", "verify shop.sqlite --sample 1", "sql shop.sqlite 'SELECT * FROM image'",
        "sql shop.sqlite 'SELECT * FROM image' --format json", "sql shop.sqlite 'SELECT * FROM image' --format csv",
        "neurons shop.sqlite", "profile shop.sqlite 3", "similar shop.sqlite 3", "explanations shop.sqlite --format json",
        "saliency shop.sqlite 3 --no-keep", "walkthrough pool", "diff shop.sqlite shop.sqlite",
    ]

    private func expectSentence(_ result: Executable.Result, _ words: String, _ line: String, at location: SourceLocation) {
        #expect(result.status == 1 && !result.isSignal, "\(line): \(result)", sourceLocation: location)
        #expect(
            result.errors == "Error: standard output cannot be written: \(words)\n", "\(line): \(result)",
            sourceLocation: location)
    }

    @Test(arguments: printing) func aFullDevice(_ command: String) throws {
        let line = "neurodex \(command) > /dev/full"
        expectSentence(
            try Executable.shell(line, in: shop.path), "No space left on device", line, at: #_sourceLocation)
    }

    @Test(arguments: printing) func standardOutputThatIsClosed(_ command: String) throws {
        let line = "neurodex \(command) >&-"
        expectSentence(try Executable.shell(line, in: shop.path), "it is closed", line, at: #_sourceLocation)
    }

    @Test func aFileThatMayNotGrow() throws {
        let line = "ulimit -f 8; neurodex top shop.sqlite conv4 -k 100 --format csv > out.csv"
        expectSentence(try Executable.shell(line, in: shop.path), "File too large", line, at: #_sourceLocation)
        let picture = try Executable.shell("ulimit -f 8; neurodex top shop.sqlite conv4:1 --sheet sheet.png", in: shop.path)
        #expect(picture.status == 1 && !picture.isSignal, "\(picture)")
        #expect(picture.errors.contains("cannot write 'sheet.png': File too large"), "\(picture)")
        #expect(!FileManager.default.fileExists(atPath: shop.folder.file("sheet.png")))
        let device = try shop.run("saliency", "shop.sqlite", "3", "--no-keep", "--raw", "/dev/full")
        #expect(device.status == 1 && !device.isSignal, "\(device)")
        #expect(device.errors.contains("cannot write '/dev/full': No space left on device"), "\(device)")
    }

    /// Without standard error a status is all that is left; what would be printed goes nowhere else.
    @Test func standardErrorThatIsClosed() throws {
        #expect(try Executable.shell("neurodex top shop.sqlite conv9 2>&-", in: shop.path).status == 1)
        #expect(try Executable.shell("neurodex bogus 2>&-", in: shop.path).status == 64)
        let all = try Executable.shell("neurodex top shop.sqlite conv9 <&- >&- 2>&-", in: shop.path)
        #expect(all.status == 1 && !all.isSignal, "\(all)")
        let index = try Executable.shell(
            "neurodex index new.sqlite --model petshop.onnx photos/val <&- >&- 2>&-; neurodex verify new.sqlite", in: shop.path)
        #expect(index.status == 0, "\(index)")
        #expect(try Executable.shell("neurodex top shop.sqlite conv9 2> /dev/full", in: shop.path).status == 1)
    }

    /// Also where whoever starts the program ignores the signal.
    @Test(arguments: ["", "trap '' PIPE; "]) func aReaderThatHasGone(_ trap: String) throws {
        for command in [
            "top shop.sqlite conv1 conv2 conv3 conv4 -k 100", "top shop.sqlite conv4 -k 300 --format json", "--help",
            "sql shop.sqlite 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n' --format csv",
            "--generate-completion-script zsh",
        ] {
            let result = try Executable.shell("\(trap)neurodex \(command) | head -n 1", in: shop.path)
            #expect(result.status == 0)
            #expect(!result.output.isEmpty)
            #expect(result.errors.isEmpty, "\(command): \(result)")
        }
        let notes = try Executable.shell(
            "\(trap)(neurodex index piped.sqlite --model petshop.onnx photos/val 2>&1; echo $? > status) | true; cat status",
            in: shop.path)
        #expect(notes.output == "0\n", "\(notes)")
    }

    /// Whatever cannot be opened is said; with enough descriptors all is done.
    @Test func fewFileDescriptors() throws {
        let commands =
            Self.printing + [
                "saliency shop.sqlite 3 --no-keep -o why.png --raw why.npy", "deconv shop.sqlite conv4:1 --no-keep -o d.png",
                "ascend shop.sqlite conv4:1 --steps 2 --no-keep -o a.png", "neurons shop.sqlite conv4:1 -o h.png",
                "index shop.sqlite photos", "top shop.sqlite conv4 --where 'label = 1'", "suspects shop.sqlite", "bogus",
                "explanations shop.sqlite --export out", "merge merged.sqlite shop.sqlite", "cam fit shop.sqlite",
                "shortcuts shop.sqlite", "contrast shop.sqlite --a 'id < 9' --b 'id > 9'",
            ]
        for command in commands {
            for limit in [4, 5, 6, 8] {
                let result = try Executable.shell("ulimit -n \(limit); exec neurodex \(command)", in: shop.path)
                // 127: the system could not load the program's libraries.
                #expect(
                    !result.isSignal && [0, 1, 2, 64, 127].contains(result.status), "\(limit) descriptors, \(command): \(result)")
                #expect(result.status == 0 || !result.errors.isEmpty, "\(limit) descriptors, \(command): \(result)")
            }
            try? FileManager.default.removeItem(atPath: shop.folder.file("merged.sqlite"))
        }
    }
}
