public import ActivationStore

/// How often images of each label were answered with each class.
public struct ConfusionMatrix: Sendable {
    /// How many of a label and a split were answered right.
    public struct Share: Encodable, Sendable {
        public var label: String
        public var split: String?
        public var images: Int
        /// Nil where the label is the name of no class.
        public var right: Int?
    }

    /// Of the images, those of classes first, in the network's order.
    public let labels: [String]
    /// Those that were answered, or are a label, in the network's order.
    public let classes: [String]
    /// labels × classes.
    public let counts: [[Int]]
    public let shares: [Share]

    /// - Parameters:
    ///   - images: those without label or answer are passed over.
    ///   - names: of the network's classes.
    public init(_ images: [StoredImage], classes names: [String]) {
        self.init(
            answers: images.compactMap { image in
                guard let label = image.label, let answer = image.predictedClass, names.indices.contains(answer) else {
                    return nil
                }
                return (label, image.split, names[answer])
            }, classes: names)
    }

    /// - Parameter answers: each one of `names`.
    package init(answers: [(label: String, split: String?, answer: String)], classes names: [String]) {
        var cells: [String: [String: Int]] = [:]
        var groups: [Group: (images: Int, right: Int)] = [:]
        let known = Set(names)
        for (label, split, answer) in answers {
            cells[label, default: [:]][answer, default: 0] += 1
            let group = groups[Group(label: label, split: split)] ?? (0, 0)
            groups[Group(label: label, split: split)] = (group.images + 1, group.right + (answer == label ? 1 : 0))
        }
        let ranks = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
        let order = { (a: String, b: String) in (ranks[a] ?? .max, a) < (ranks[b] ?? .max, b) }
        let labels = cells.keys.sorted(by: order)
        let classes = Set(cells.values.flatMap(\.keys)).union(labels.filter(known.contains)).sorted(by: order)
        self.labels = labels
        self.classes = classes
        counts = labels.map { label in classes.map { cells[label]?[$0] ?? 0 } }
        shares = groups.sorted { a, b in
            a.key.label == b.key.label ? (a.key.split ?? "") < (b.key.split ?? "") : order(a.key.label, b.key.label)
        }.map { Share(label: $0.label, split: $0.split, images: $1.images, right: known.contains($0.label) ? $1.right : nil) }
    }

    private struct Group: Hashable {
        var label: String
        var split: String?
    }

    /// Images whose label is a class, and those of them that were answered with it.
    public var judged: Int { shares.filter { $0.right != nil }.reduce(0) { $0 + $1.images } }
    public var right: Int { shares.reduce(0) { $0 + ($1.right ?? 0) } }

    /// One class: how many of its images were answered with it, and how often that answer was right.
    public struct ClassFigures: Sendable {
        public var name: String
        /// Of the images with this label, those that were answered so; nil where no image has it.
        public var recall: Proportion?
        /// Of the answers, those on images with this label; nil where it was never answered.
        public var precision: Proportion?

        /// The harmonic mean of precision and recall, 0 … 1; 0 where one of them has nothing to count.
        public var f1: Double {
            2 * Double(recall?.count ?? 0) / Double((recall?.total ?? 0) + (precision?.total ?? 0))
        }
    }

    /// In the network's order; over the images whose label is a class.
    public var classFigures: [ClassFigures] {
        let rows = Dictionary(labels.enumerated().map { ($1, $0) }) { first, _ in first }
        let known = classes.compactMap { rows[$0] }
        return classes.enumerated().map { column, name in
            let right = rows[name].map { counts[$0][column] } ?? 0
            return ClassFigures(
                name: name, recall: rows[name].flatMap { .of(right, in: counts[$0].reduce(0, +)) },
                precision: .of(right, in: known.reduce(0) { $0 + counts[$1][column] }))
        }
    }
}
