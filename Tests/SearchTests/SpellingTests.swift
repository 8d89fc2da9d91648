import ArgumentParser
import Foundation
import Search
import Testing

/// A question spelt out as arguments is read back as the same question, whatever its values look like.
@Suite struct SpellingTests {
    static let values = [
        "-1 < id", "label = 'cat'", "-", "--", "--where", "--where=1", "-k=3", "=", "a=b=c", " ", "a b", "\"q\"", "it's", "\\",
        "$HOME `x`",
        "-ä", "a\nb", "-1e-3",
    ]

    @Test(arguments: values) func questionsAreReadBack(_ value: String) throws {
        let top = try TopQuery.parse(
            Spelling.command(
                "top", options: TopQuery(neurons: [], count: 3, condition: value, seed: -4).options, operands: [value]
            ).dropFirst().map { $0 })
        #expect(top.condition == value && top.neurons == [value] && top.seed == -4)
        let similar = try SimilarQuery.parse(
            Array(
                Spelling.command(
                    "similar", options: SimilarQuery(image: "", layer: [value, "x"], condition: value).options, operands: [value]
                ).dropFirst()))
        #expect(similar.image == value && similar.layer == [value, "x"] && similar.condition == value)
        let suspects = try SuspectsQuery.parse(SuspectsQuery(layer: value, condition: value).options)
        #expect(suspects.layer == value && suspects.condition == value)
        #expect(try ShortcutsQuery.parse(ShortcutsQuery(layer: [value], auroc: -0.5).options).layer == [value])
        let diff = try DiffQuery.parse(DiffQuery(layer: [value], match: [value, "a=b"]).options)
        #expect(diff.layer == [value] && diff.match == [value, "a=b"])
    }

    /// What is shown of a command can be typed into a shell.
    @Test(arguments: values) func linesAreForAShell(_ value: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "printf %s " + Spelling.line([value])]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(String(decoding: output, as: UTF8.self) == value)
    }

    @Test func plainWordsStayPlain() {
        #expect(Spelling.line(["neurodex", "top", "photos/größe.jpg", "a=b", ""]) == "neurodex top photos/größe.jpg a=b ''")
    }
}
