import ActivationStore
import Support

/// The labels of chosen images.
struct ImageLabels {
    /// By label id.
    let names: [String]
    /// By place in `images`: label id, or `names.count` for an image without one.
    let numbers: [UInt32]
    /// Ids of the chosen images, ascending.
    let images: [Int]

    /// - Parameter mask: a byte an image, 1 if it is chosen; nil for all.
    /// - Throws: ``StoreError``.
    init(_ snapshot: Snapshot, images count: Int, mask: [UInt8]?) throws {
        try snapshot.checkImages()
        var numbering: [Int: UInt32] = [:]
        var names: [String] = []
        let rows = try RawStatement(snapshot, "SELECT id, name FROM label ORDER BY name")
        while try rows.step() {
            numbering[rows.int(0)] = UInt32(names.count)
            names.append(rows.text(1) ?? "")
        }
        self.names = names
        var all = [UInt32](repeating: UInt32(names.count), count: count)
        let select = try RawStatement(snapshot, "SELECT id, label_id FROM image WHERE label_id IS NOT NULL")
        while try select.step() {
            if all.indices.contains(select.int(0)), let number = numbering[select.int(1)] { all[select.int(0)] = number }
        }
        let chosen = (0..<count).filter { mask == nil || mask?[$0] == 1 }
        images = chosen
        numbers = chosen.map { all[$0] }
    }

    /// Having an attribute as a label, and not having it as another; images of which it is not known are not among the chosen.
    init(_ attribute: Attribute, images count: Int, mask: [UInt8]?) {
        names = [attribute.name, "not \(attribute.name)"]
        images = (0..<count).filter { (mask == nil || mask?[$0] == 1) && attribute[image: $0] != nil }
        numbers = images.map { attribute[image: $0] == 1 ? 0 : 1 }
    }

    /// The binary attribute that a name is of; nil where it is a label's.
    /// - Throws: ``QueryError/unknownLabel(name:suggestions:)``; ``StoreError``.
    func attribute(named name: String, in snapshot: Snapshot) throws -> Attribute? {
        guard !names.contains(name) else { return nil }
        if let found = try snapshot.attributes(named: [name]).first, found.kind == .binary { return found }
        let all = try names + snapshot.attributeNames().map(\.name)
        throw QueryError.unknownLabel(name: name, suggestions: Suggestion.nearest(to: name, among: all))
    }

    /// - Throws: ``QueryError/unknownLabel(name:suggestions:)``.
    func number(of name: String) throws -> Int {
        if let number = names.firstIndex(of: name) { return number }
        throw QueryError.unknownLabel(name: name, suggestions: Suggestion.nearest(to: name, among: names))
    }

    /// How many of the images have each label, and last how many have none.
    var counts: [Int] {
        numbers.reduce(into: [Int](repeating: 0, count: names.count + 1)) { $0[Int($1)] += 1 }
    }

    /// What is to be said of labels that some of the images have, but fewer than `fewest`.
    func fewImages(_ fewest: Int, so consequence: String) -> [Remark] {
        let counts = counts.dropLast()
        let few = counts.indices.filter { (1..<fewest).contains(counts[$0]) }
        guard let example = few.first else { return [] }
        return [
            .fewImages(
                few: few.count, of: counts.count { $0 > 0 }, fewest: fewest, example: names[example], images: counts[example],
                consequence: consequence)
        ]
    }
}
