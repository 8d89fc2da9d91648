import ActivationStore
import Foundation
import Search
import TestSupport
import Testing

/// Attributes in conditions, in SQL, and in the questions that tell neurons by them.
@Suite struct AttributeConditionTests {
    private let folder: TemporaryFolder
    private let store: Store
    private let dataset: RecordedDataset
    private let tag = Attribute(
        name: "tag", kind: .binary,
        values: (0..<60).map { image -> Double in image % 5 == 4 ? Double.nan : image % 3 == 0 ? 1 : 0 })
    private let age = Attribute(
        name: "Age", kind: .number, values: (0..<60).map { image -> Double in image % 4 == 3 ? .nan : Double(image % 7) / 2 })

    init() throws {
        folder = try TemporaryFolder()
        dataset = RecordedDataset(images: 60, layers: RecordedDataset.layers(), classes: ["cat", "dog"], seed: 1)
        try dataset.write(folder.file("s.sqlite"))
        store = try Store.open(path: folder.file("s.sqlite"))
        let others = ["width", "open mouth", "it's"].map {
            Attribute(name: $0, kind: .binary, values: (0..<60).map { Double($0 % 2) })
        }
        try store.keep([tag, age] + others, numbering: store.imageNumbering())
    }

    private func found(_ condition: String) throws -> [Int] { try store.imageIDs(where: condition) }
    private func images(_ test: (Int) -> Bool) -> [Int] { (0..<60).filter(test) }

    @Test func hasAndAttributeAreOfTheImage() throws {
        let own = images { tag[image: $0] == 1 }
        for condition in [
            "has('tag')", "HAS ( 'tag' )", "has(/* ) , */ 'tag')", "has(id, 'tag')", "has('ta' || 'g')", "attribute('tag') = 1",
            "tag",
            "image_info.tag", "\"tag\" = 1", "NOT NOT tag", "(has(('tag')))",
        ] {
            #expect(try found(condition) == own, "\(condition)")
        }
        #expect(try found("NOT has('tag')") == images { tag[image: $0] == 0 })
        #expect(try found("has('tag') IS NULL") == images { tag[image: $0] == nil })
        #expect(try found("age > 1.2") == images { (age[image: $0] ?? 0) > 1.2 })
        let both = images { tag[image: $0] == 1 && (age[image: $0] ?? 0) > 1.2 }
        #expect(try found("has('tag') AND attribute('Age') > 1.2") == both)
        #expect(try found("has('Age')") == images { age[image: $0] != nil })
        #expect(try found("\"open mouth\" AND has('it''s')") == images { $0 % 2 == 1 })
        #expect(try found("id IN (SELECT image_id FROM image_attribute WHERE attribute = 'tag' AND value = 1)") == own)
        #expect(try found("id IN (SELECT id FROM image_info WHERE has('tag'))") == own)
        // A column of images is not hidden.
        #expect(try found("width = 10") == images { $0 % 5 == 0 } && found("attribute('width') = 1") == images { $0 % 2 == 1 })
        // Words in quotes and comments are none.
        #expect(try found("label <> 'has(tag)' OR label IS NULL -- has('nothing')").count == 60)
    }

    @Test func whatIsWrongIsSaid() throws {
        func refusal(_ condition: String) -> String {
            do { return "\(try found(condition).count) images" } catch { return "\(error)" }
        }
        #expect(refusal("has('tga')").hasPrefix("the store has no attribute 'tga'; did you mean tag"))
        #expect(refusal("has('zebra')").hasSuffix("there are Age, it's, open mouth, tag, width"))
        #expect(refusal("tga = 1").contains("no such column: tga; did you mean tag"))
        #expect(refusal("has()").contains("wrong number of arguments to function has()"))
        #expect(try store.emptySelection(where: "age > 50").map { "\($0)" }?.contains("Age is 0 to 3") == true)
        #expect(
            try store.emptySelection(where: "has('tag') AND has('tag') IS NULL").map { "\($0)" }?.contains(
                "16 of 48 images have tag") == true)
        try store.keep([Attribute(name: "TAG", kind: .binary, values: [1])], numbering: store.imageNumbering())
        #expect(refusal("tag").contains("attribute('TAG') or attribute('tag')"))
        #expect(try found("has('TAG')") == [0])
    }

    @Test func sqlHasRowsAndFunctions() throws {
        let counted = try SQLQuery(
            statement: "SELECT attribute, count(*) FROM image_attribute GROUP BY 1 ORDER BY 1"
        ).run(in: store)
        let wanted: [(String, Int64)] = [("Age", 45), ("it's", 60), ("open mouth", 60), ("tag", 48), ("width", 60)]
        #expect(counted.rows == wanted.map { [SQLQuery.Value.text($0.0), .integer($0.1)] })
        let sum = try SQLQuery(statement: "SELECT sum(has(id, 'tag')), sum(attribute(id, 'Age')) FROM image_info").run(in: store)
        let ages = (0..<60).compactMap { age[image: $0] }.reduce(0, +)
        #expect(sum.rows == [[.integer(16), .real(ages)]])
        #expect(throws: QueryError.self) { try SQLQuery(statement: "SELECT has(id, 'x') FROM image_info").run(in: store) }
    }

    @Test func neuronsAreToldByThem() throws {
        let query = SelectivityQuery(label: "tag", count: 1000, copies: true)
        for hit in try query.run(in: store) {
            let layer = try #require(dataset.description.layers.first { $0.name == hit.layer })
            let neuron = layer.firstNeuron + hit.channel
            func values(_ value: Double) -> [Float] { images { tag[image: $0] == value }.map { dataset.values[$0][neuron] } }
            #expect(hit.auroc == SelectivityQueryTests.auroc(values(1), values(0)) && hit.images == 16)
        }
        let hits = try CorrelationQuery(attribute: "Age", count: 1000).run(in: store)
        let known = images { age[image: $0] != nil }
        for hit in hits {
            let layer = try #require(dataset.description.layers.first { $0.name == hit.layer })
            let wanted = spearman(
                known.map { dataset.values[$0][layer.firstNeuron + hit.channel] }, known.map { Float(age.values[$0]) })
            #expect(abs(hit.correlation - (wanted ?? .nan)) < 1e-12 && hit.images == 45)
        }
        #expect(zip(hits, hits.dropFirst()).allSatisfy { abs($0.correlation) >= abs($1.correlation) } && hits.count > 10)
        #expect(throws: QueryError.self) { try SelectivityQuery(label: "nothing").run(in: store) }
        #expect(throws: QueryError.self) { try CorrelationQuery(attribute: "nothing").run(in: store) }
        // The other questions that take conditions.
        #expect(try ContrastQuery(a: "tag", b: "NOT tag", count: 3).run(in: store).count == 3)
        #expect(try SuspectsQuery(by: .neurons, attribute: "tag").run(in: store).allSatisfy { $0.label.hasSuffix("tag") })
        #expect(throws: QueryError.self) { try SuspectsQuery(attribute: "Age").run(in: store) }
        let groups = try AccuracyQuery(by: ["tag"]).run(in: store)
        #expect(Set(groups.dropFirst().map(\.group)) == ["0", "1", nil])
    }
}
