/// How the labels of a store's images and the network's answers meet.
public struct LabelAgreement: Sendable {
    /// Images whose label is the name of a class, and those of them that the network answered right.
    public private(set) var judged = 0
    public private(set) var right = 0
    /// Labels that images have, and images that have one.
    public private(set) var labels = 0
    public private(set) var labelled = 0
    /// Labels that are the name of no class, the most frequent first, and the images that have one of them.
    public private(set) var strangers: [String] = []
    public private(set) var strange = 0
    /// Names that several classes have, with the channels of these.
    public private(set) var doubles: [(name: String, channels: [Int])] = []
    /// Another order of the names by which far more answers would be right, and how many; nil where there is none.
    public private(set) var betterOrder: (name: String, right: Int)?

    /// The images of one label that the network answered in one way.
    fileprivate struct Group {
        var label: String
        /// Nil where there was no answer.
        var answer: Int?
        var images: Int
    }

    fileprivate init(_ groups: [Group], classes: [String]) {
        let channels = Dictionary(grouping: classes.indices) { classes[$0] }
        doubles = channels.filter { $0.value.count > 1 }.map { ($0.key, $0.value) }.sorted { $0.channels[0] < $1.channels[0] }
        var strange: [String: Int] = [:]
        for group in groups {
            labelled += group.images
            if channels[group.label] == nil {
                strange[group.label, default: 0] += group.images
            } else if group.answer != nil {
                judged += group.images
            }
        }
        labels = Set(groups.map(\.label)).count
        strangers = strange.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        self.strange = strange.values.reduce(0, +)
        right = Self.right(groups, classes)
        let orders: [(String, (String, String) -> Bool)] = [
            ("alphabetical", { $0.utf8.lexicographicallyPrecedes($1.utf8) }),
            ("alphabetical", { $0.lowercased().utf8.lexicographicallyPrecedes($1.lowercased().utf8) }),
            ("numerical", { (Int($0) ?? .max) < (Int($1) ?? .max) }),
        ]
        for (name, precedes) in orders {
            let found = Self.right(groups, classes.sorted(by: precedes))
            // By a fifth of the images, and by more than chance gives among few.
            if found > right + max(2, judged / 5), found > betterOrder?.right ?? 0 { betterOrder = (name, found) }
        }
    }

    private static func right(_ groups: [Group], _ classes: [String]) -> Int {
        groups.reduce(0) { sum, group in
            guard let answer = group.answer, classes.indices.contains(answer), classes[answer] == group.label else { return sum }
            return sum + group.images
        }
    }
}

extension Store {
    /// Compares the labels with the network's answers, class by name.
    /// - Throws: ``StoreError``.
    public func labelAgreement() throws -> LabelAgreement {
        try read { snapshot in
            try snapshot.checkImages()
            let rows = try RawStatement(
                snapshot,
                """
                SELECT b.name, i.predicted_class_id, count(*) FROM image i JOIN label b ON b.id = i.label_id GROUP BY i.label_id, 2
                """)
            var groups: [LabelAgreement.Group] = []
            while try rows.step() {
                groups.append(
                    .init(label: rows.text(0) ?? "", answer: rows.isNull(1) ? nil : rows.int(1), images: rows.int(2)))
            }
            return LabelAgreement(groups, classes: description.classes)
        }
    }
}
