import ActivationStore
import Support

/// What images may have in common, to make formulas of: labels, binary attributes, and numeric ones above their quartiles;
/// each as it is and negated. Of an image of which an attribute is not known, neither holds.
struct ConceptSet {
    struct Literal {
        /// As people read it: `tag`, `NOT fish`, `age > 40`.
        let name: String
        /// The same as a condition in SQL.
        let condition: String
        /// Its concept and its negation have one number.
        let concept: Int
        /// Where it holds, among the images that formulas are searched on, and among the others.
        let searched: BitMask
        let heldOut: BitMask
    }

    private(set) var literals: [Literal] = []
    /// Concepts that hold for all images or none, which tell nothing.
    private(set) var idle: [String] = []
    private(set) var concepts = 0

    private let searched: [Int]
    private let heldOut: [Int]

    /// - Parameters:
    ///   - searched, heldOut: ids of images, ascending.
    /// - Throws: ``StoreError``.
    init(_ snapshot: Snapshot, lanes: Int, searched: [Int], heldOut: [Int]) throws {
        (self.searched, self.heldOut) = (searched, heldOut)
        let attributes = try snapshot.attributes()
        let taken = Set(attributes.map(\.name))
        let labels = try ImageLabels(snapshot, images: lanes, mask: nil)
        let there = Set((searched + heldOut).map { labels.numbers[$0] })
        for (number, label) in labels.names.enumerated() where there.contains(UInt32(number)) {
            let name = taken.contains(label) ? "label \(label)" : label
            let own = UInt32(number)
            add(
                (name, "label = \(Spelling.sql(label))"), ("NOT \(name)", "label <> \(Spelling.sql(label))"),
                holds: { labels.numbers[$0] == own },
                fails: { labels.numbers[$0] != own && Int(labels.numbers[$0]) < labels.names.count })
        }
        for attribute in attributes { add(attribute) }
    }

    private mutating func add(_ attribute: Attribute) {
        let name = Spelling.sql(attribute.name)
        guard attribute.kind == .number else {
            add(
                (attribute.name, "has(\(name))"), ("NOT \(attribute.name)", "NOT has(\(name))"),
                holds: { attribute[image: $0] == 1 }, fails: { attribute[image: $0] == 0 })
            return
        }
        // Thresholds are of the images that formulas are searched on alone.
        let known = searched.compactMap { attribute[image: $0] }.sorted()
        let quartiles = (1...3).compactMap { known.isEmpty ? nil : known[(known.count - 1) * $0 / 4] }
        for threshold in Set(quartiles).sorted() {
            let text = threshold.shortText
            add(
                ("\(attribute.name) > \(text)", "attribute(\(name)) > \(text)"),
                ("\(attribute.name) ≤ \(text)", "attribute(\(name)) <= \(text)"),
                holds: { (attribute[image: $0] ?? -.infinity) > threshold },
                fails: { (attribute[image: $0] ?? .infinity) <= threshold })
        }
    }

    /// - Parameters:
    ///   - holds, fails: of an image's id; neither where it is not known.
    private mutating func add(
        _ concept: (name: String, condition: String), _ negation: (name: String, condition: String), holds: (Int) -> Bool,
        fails: (Int) -> Bool
    ) {
        func masks(_ test: (Int) -> Bool) -> (BitMask, BitMask) {
            (BitMask(searched.count) { test(searched[$0]) }, BitMask(heldOut.count) { test(heldOut[$0]) })
        }
        let both = [masks(holds), masks(fails)]
        guard both[0].0.count > 0, both[1].0.count > 0 else {
            idle.append(concept.name)
            return
        }
        for (text, mask) in zip([concept, negation], both) {
            literals.append(
                Literal(
                    name: text.name, condition: text.condition, concept: concepts, searched: mask.0, heldOut: mask.1))
        }
        concepts += 1
    }

    /// How many formulas there are of at most `length` literals, each joined to what stands before it by AND or OR: an upper
    /// bound, as some say the same.
    func formulas(length: Int) -> Double {
        let count = Double(literals.count)
        return (1...length).reduce(0) { sum, length in
            (1..<length).reduce(count) { product, _ in product * 2 * count } + sum
        }
    }
}
