import ActivationStore
import ArgumentParser
import Foundation
import Search
import Support
import SwiftCSV
import TestSupport
import Testing
import neurodex

/// What every question does that stands in the registry, and one of the tests that was added to it by this line.
@Suite struct QueryContractTests {
    static let questions: [any Query.Type] = queries + [BrightestQuery.self]
    static let names = questions.map { $0.name }

    private let shop: Shop
    private let ground: SampleGround

    init() throws {
        shop = try Shop()
        ground = try SampleGround(Store.open(path: shop.folder.file("shop.sqlite")))
    }

    /// The samples as words of a command line, after the program's name.
    private func samples(_ name: String) -> [[String]] {
        func words<Q: Query>(_: Q.Type) -> [[String]] {
            Q.samples(ground).map {
                Spelling.command(Q.name, options: $0.options, operands: [shop.folder.file("shop.sqlite")] + $0.operands)
            }
        }
        return Self.questions.filter { $0.name == name }.flatMap { words($0) }
    }

    private func parsed(_ words: [String]) throws -> any ParsableCommand {
        try Neurodex.$questions.withValue(Self.questions) { try Neurodex.parseAsRoot(words) }
    }

    private func help(_ words: String...) -> String {
        Neurodex.$questions.withValue(Self.questions) {
            do {
                var command = try Neurodex.parseAsRoot(words)
                try command.run()
                return ""
            } catch {
                return Neurodex.fullMessage(for: error)
            }
        }
    }

    @Test(arguments: names) func itIsInHelp(name: String) throws {
        let question = try #require(Self.questions.first { $0.name == name })
        #expect(Self.names.count { $0 == name } == 1)
        #expect(help("--help").contains("\n  \(name) "))
        let own = help("help", name)
        #expect(own.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains(question.abstract))
        #expect(own.contains("USAGE: neurodex \(name) <store>"))
        #expect(own.contains("\n  neurodex \(name) shop.sqlite"), "no example")
        #expect(own.contains("--format") || name == "sql")
    }

    /// What it says of itself is parsed as the same question, whatever its values look like.
    @Test(arguments: names) func itsArgumentsAskItAgain(name: String) throws {
        func check<Q: Query>(_: Q.Type) throws {
            for sample in Q.samples(ground) {
                let words = Spelling.command(Q.name, options: sample.options, operands: sample.operands).dropFirst()
                let again = try Q.parse(Array(words))
                #expect(again.options == sample.options && again.operands == sample.operands)
            }
        }
        let question = try #require(Self.questions.first { $0.name == name })
        #expect(!samples(name).isEmpty, "it has no samples")
        try check(question)
    }

    /// The same rows in every format: as many, and the keys of JSON are the columns of CSV.
    @Test(arguments: names.filter { $0 != "sql" }) func itsFormatsAgree(name: String) throws {
        for words in samples(name) where !words.contains(where: { $0 == "--bins" }) {
            func text(_ format: String) throws -> String {
                let command = try #require(
                    try parsed([words[0], "--format", format] + words.dropFirst()) as? any AnsweringCommand)
                return try command.text()
            }
            let json = try JSONSerialization.jsonObject(with: Data(try text("json").utf8)) as? [[String: Any]]
            let objects = try #require(json, "\(words)")
            let csv = try EnumeratedCSV(string: try text("csv"), loadColumns: false)
            #expect(csv.rows.count == objects.count, "\(words)")
            for object in objects { #expect(Set(object.keys) == Set(csv.header), "\(words)") }
            #expect(try text("table").split(separator: "\n").count == objects.count + 2, "\(words)")
            #expect(try text("json") == text("json"))
        }
    }

    /// A picture of the answer names the arguments that make it again, to the last pixel; from another folder, too.
    @Test(arguments: questions.filter { $0.figureKind != nil }.map { $0.name }) func itsPictureIsVerified(name: String) throws {
        var drawn = 0
        for (index, words) in samples(name).enumerated() {
            guard var command = try parsed(words) as? any AnsweringCommand else { continue }
            command.imagesFolder = shop.folder.file("photos")
            guard let png = try? command.png() else { continue }
            let path = shop.folder.file("\(index).png")
            try png.write(to: URL(fileURLWithPath: path))
            try Neurodex.$questions.withValue(Self.questions) {
                let check = try #require(try FigureCheck(path: path))
                let findings = try check.findings(
                    store: nil, model: nil, images: shop.folder.file("photos"), allows: { _ in true })
                #expect(findings.isEmpty, "\(words)")
            }
            drawn += 1
        }
        #expect(drawn > 0)
    }

    /// Every question of the program has a command in a page of docs/, where it is run.
    @Test func itIsInTheDocumentation() throws {
        let pages = try DocumentationTests.pages.map {
            try String(contentsOfFile: DocumentationTests.root + "/" + $0, encoding: .utf8)
        }
        for query in queries { #expect(pages.contains { $0.contains("\nneurodex \(query.name) ") }, "\(query.name)") }
    }

    @Test func theSampleSaysWhatItFinds() throws {
        let words = ["brightest", shop.folder.file("shop.sqlite"), "conv4", "-k", "1"]
        func text(_ format: String) throws -> String {
            try #require(try parsed(words + ["--format", format]) as? any AnsweringCommand).text()
        }
        let store = try Store.open(path: shop.folder.file("shop.sqlite"))
        var query = BrightestQuery()
        (query.layer, query.count, query.condition) = ("conv4", 1, nil)
        let hit = try #require(try query.run(in: store).first)
        #expect(try text("csv") == "image,image_id,label,mean\n\(hit.image),\(hit.imageID),\(hit.label ?? ""),\(hit.mean)\n")
        let heads = try text("table").split(separator: "\n")[0].split(separator: " ").joined(separator: " ")
        #expect(heads == "image mean ×100 label")
        #expect(
            try text("json")
                == #"[{"image":"\#(hit.image)","image_id":\#(hit.imageID),"label":"\#(hit.label ?? "")","mean":\#(hit.mean)}]"#
                + "\n")
    }
}
