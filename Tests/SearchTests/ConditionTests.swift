import ActivationStore
import Search
import TestSupport
import Testing

/// What is said of a condition that SQLite does not understand, and of one that no image meets.
@Suite struct ConditionTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        try RecordedDataset(images: 40, layers: RecordedDataset.layers(), classes: ["cat", "dog"], seed: 1).write(
            folder.file("s.sqlite"))
        store = try Store.open(path: folder.file("s.sqlite"))
    }

    private func refusal(_ condition: String) -> String {
        do { return "\(try store.imageIDs(where: condition).count) images" } catch { return "\(error)" }
    }

    /// SQLite's reason is about what the user wrote, and about nothing that was put around it.
    @Test(arguments: [
        ("label = 'cat' AND", "incomplete input"), ("label = 'cat", #"unrecognized token: "'cat""#),
        ("(label = 'cat'", "incomplete input"), ("label = 'cat')", #"near ")": syntax error"#),
        ("1) OR (1", #"near ")": syntax error"#), ("label IN", "incomplete input"), ("1 LIMIT 3", #"near "LIMIT": syntax error"#),
        ("label = 'cat';", #"near ";": syntax error"#), ("", "it is empty; an example: label = 'cat'"),
        ("lable = 'cat'", "no such column: lable; did you mean label?"),
        ("image_info.lable = 'cat'", "no such column: image_info.lable; did you mean label?"),
        ("label = zebra", "no such column: zebra; a text stands in single quotes: 'zebra'; there are id, path, width"),
        ("id IN (SELECT id FROM imagee)", "no such table: imagee"),
    ])
    func quotesTheCondition(_ condition: String, _ reason: String) {
        let found = refusal(condition)
        #expect(found.hasPrefix("SQLite does not understand --where \"\(condition)\": \(reason)"), "\(found)")
        #expect(!found.contains("\n"))
    }

    @Test func commentsAndBracketsOfOnesOwnAreFine() {
        #expect(refusal("(width > 0) -- all") == "40 images")
        #expect(refusal(" ((1)) OR (0) ") == "40 images")
        #expect(refusal("label = ')' OR 1") == "40 images")
    }

    @Test(arguments: [
        ("label = 'kat'", "no image has label = 'kat'; did you mean cat? labels are cat, dog, it's (3)"),
        ("label = 'zebra'", "no image has label = 'zebra'; labels are cat, dog, it's (3)"),
        (
            "split = 'vla' AND width > 3",
            "no image meets --where \"split = 'vla' AND width > 3\"; did you mean val? splits are train, val (2); width is 10 to 14"
        ),
        ("height > 20", "no image meets --where \"height > 20\"; height is 20"),
        ("predicted LIKE 'x%'", "no image meets --where \"predicted LIKE 'x%'\"; predicted classes are cat, dog (2)"),
    ])
    func saysWhichValuesThereAre(_ condition: String, _ sentence: String) throws {
        #expect(try store.emptySelection(where: condition)?.description == sentence)
    }

    @Test func saysNothingWhereThereIsNothingToSay() throws {
        #expect(try store.emptySelection(where: "label = 'cat'") == nil)
        #expect(try store.emptySelection(where: "1 = 0")?.description == "no image meets --where \"1 = 0\"")
    }

    @Test func questionsThatNeedImagesSayItToo() {
        func message(_ body: () throws -> Int) -> String {
            do { return "\(try body()) hits" } catch { return "\(error)" }
        }
        let sentence = "no image has label = 'kat'; did you mean cat? labels are cat, dog, it's (3)"
        #expect(message { try ContrastQuery(a: "label = 'kat'").run(in: store).count } == sentence)
        #expect(message { try ContrastQuery(a: "label = 'dog'", b: "label = 'kat'").run(in: store).count } == sentence)
        #expect(message { try SuspectsQuery(condition: "label = 'kat'").run(in: store).count } == sentence)
        #expect(message { try SelectivityQuery(label: "cat", condition: "label = 'kat'").run(in: store).count } == sentence)
        #expect(message { try TopQuery(neurons: ["layer2"], condition: "label = 'kat'").run(in: store).count } == "0 hits")
    }
}
