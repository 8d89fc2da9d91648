import Foundation
import TestSupport
import Testing

/// What bash offers after TAB: the script is read by a bash of its own, which is given the words as bash parts them.
@Suite struct CompletionTests {
    private let shop: Shop

    init() throws { shop = try Shop() }

    /// The answers to a line that ends where TAB was pressed. Words are parted at spaces, and at : and = as bash does it.
    private func completed(_ line: String) throws -> [String] {
        var words: [String] = []
        for word in line.split(separator: " ", omittingEmptySubsequences: false).map(String.init) {
            var parts: [String] = []
            for character in word {
                let isBreak = character == ":" || character == "="
                if isBreak || parts.isEmpty || parts.last == ":" || parts.last == "=" {
                    parts.append(String(character))
                } else {
                    parts[parts.count - 1].append(character)
                }
            }
            words += parts.isEmpty ? [""] : parts
        }
        let isBreak = words.last == ":" || words.last == "="
        let script = """
            source <(neurodex --generate-completion-script bash)
            COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " ")))
            COMP_CWORD=\(words.count - 1) COMP_LINE='\(line)' COMP_POINT=\(line.utf8.count)
            \("$(complete -p neurodex | sed 's/.*-F \\([^ ]*\\) .*/\\1/')") neurodex '\(isBreak ? "" : words.last ?? "")' '\(words.dropLast().last ?? "")'
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let result = try Executable.Running("/bin/bash", ["--norc", "-c", script], in: shop.path).wait()
        #expect(result.status == 0 && result.errors.isEmpty, "\(line): \(result)")
        return result.output.split(separator: "\n").map(String.init)
    }

    @Test func commandsFilesAndOptions() throws {
        #expect(try completed("neurodex sus") == ["suspects"])
        #expect(try completed("neurodex info sh") == ["shop.sqlite"])
        #expect(Set(try completed("neurodex info ")) == ["labels.txt", "petshop.onnx", "photos", "shop.sqlite"])
        #expect(try completed("neurodex index new.sqlite --model pet") == ["petshop.onnx"])
        #expect(try completed("neurodex top shop.sqlite conv4:3 --sheet lab") == ["labels.txt"])
        #expect(try completed("neurodex top shop.sqlite conv4:3 --dis") == ["--distinct"])
        #expect(try completed("neurodex similar shop.sqlite 7 --metric co") == ["cosine"])
    }

    @Test func layersNeuronsAndClasses() throws {
        #expect(try completed("neurodex top shop.sqlite con") == ["conv1", "conv2", "conv3", "conv4"])
        #expect(try completed("neurodex top shop.sqlite conv4") == ["conv4", "conv4:"])
        #expect(try completed("neurodex top shop.sqlite conv4:") == (0..<64).map { "\($0)" })
        #expect(try completed("neurodex top shop.sqlite conv4:6") == ["6", "60", "61", "62", "63"])
        #expect(try completed("neurodex top shop.sqlite conv1:1 conv4:63") == ["63"])
        #expect(try completed("neurodex top shop.sqlite class:") == ["cat", "dog", "bird", "fish", "rabbit"])
        #expect(try completed("neurodex neurons shop.sqlite conv4:63") == ["63"])
        #expect(try completed("neurodex neurons shop.sqlite --of class:ra") == ["rabbit"])
        #expect(try completed("neurodex neurons shop.sqlite --selective ra") == ["rabbit"])
        #expect(try completed("neurodex saliency shop.sqlite 7 --target class:d") == ["dog"])
        #expect(try completed("neurodex similar shop.sqlite 7 --layer conv4") == ["conv4", "conv4:"])
        #expect(try completed("neurodex similar shop.sqlite 7 --layer=conv3:1") == ["1"] + (10..<20).map { "\($0)" })
        #expect(try completed("neurodex suspects shop.sqlite --layer fc") == ["fc2"])
        #expect(try completed("neurodex deconv shop.sqlite pool_") == ["pool_1", "pool_2", "pool_3"])
    }

    @Test func imagesOfTheStoreAndFiles() throws {
        #expect(Set(try completed("neurodex profile shop.sqlite photos/t")) == ["photos/test/", "photos/train/"])
        let cats = try completed("neurodex cam shop.sqlite photos/test/cat/cat-4")
        #expect(cats.contains("photos/test/cat/cat-43.jpg") && cats.allSatisfy { $0.hasPrefix("photos/test/cat/cat-4") })
        // Those of a store whose files are elsewhere.
        try FileManager.default.removeItem(atPath: shop.folder.file("photos"))
        #expect(try completed("neurodex cam shop.sqlite photos/test/cat/cat-43") == ["photos/test/cat/cat-43.jpg"])
        #expect(try completed("neurodex remove shop.sqlite photos/v") == ["photos/val/"])
        #expect(try completed("neurodex cam fi") == ["fit"])
        #expect(try completed("neurodex cam sh") == ["shop.sqlite"])
        #expect(try completed("neurodex cam fit shop.sqlite --layer poo") == ["pool", "pool_1", "pool_2", "pool_3"])
    }

    @Test func withoutAStoreNothingIsOffered() throws {
        #expect(try completed("neurodex top none.sqlite con") == [])
        #expect(try completed("neurodex top labels.txt con") == [])
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func scriptsAreMade(_ shell: String) throws {
        let script = try shop.run("--generate-completion-script", shell)
        #expect(script.status == 0 && script.errors.isEmpty && script.output.contains("suspects"), "\(script)")
        try script.output.write(toFile: shop.folder.file("script"), atomically: true, encoding: .utf8)
        let program = ["/bin/", "/usr/bin/"].map { $0 + shell }.first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let program else { return }
        let checked = try Executable.Running(program, ["-n", "script"], in: shop.path).wait()
        #expect(checked.status == 0 && checked.errors.isEmpty, "\(checked)")
    }
}
