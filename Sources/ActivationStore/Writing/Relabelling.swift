import GRDB

/// Other labels and splits for images of a store, and other names for its classes. What the network answered stays.
public struct Relabelling: Sendable {
    /// By image id; an image that is not here keeps what it has.
    public var edits: [Int: LabelEdit]
    /// By channel of the class scores; nil for those that the store has.
    public var classes: [String]?
    /// Where labels come from, for images that are added later; nil for what the store says.
    public var source: String?

    public init(edits: [Int: LabelEdit] = [:], classes: [String]? = nil, source: String? = nil) {
        (self.edits, self.classes, self.source) = (edits, classes, source)
    }

    /// What is other than before.
    public struct Summary: Equatable, Sendable {
        public struct Example: Equatable, Sendable {
            /// An image's path, or the number of a class.
            public var name: String
            public var old: String?
            public var new: String?
        }

        /// How many, and the first three.
        public struct Changes: Equatable, Sendable {
            public internal(set) var count = 0
            public internal(set) var examples: [Example] = []

            mutating func add(_ name: @autoclosure () -> String, _ old: String?, _ new: String?) {
                count += 1
                if examples.count < 3 { examples.append(Example(name: name(), old: old, new: new)) }
            }
        }

        /// Images in the store; 0 where nothing was asked of them.
        public internal(set) var images = 0
        /// Labels that are others now, that were none, and that are none now.
        public internal(set) var changed = Changes()
        public internal(set) var added = Changes()
        public internal(set) var removed = Changes()
        public internal(set) var splits = Changes()
        public internal(set) var classes = Changes()
        /// Images with another label or split.
        public internal(set) var relabelled = 0

        public var isEmpty: Bool { [changed, added, removed, splits, classes].allSatisfy { $0.count == 0 } }

        mutating func note(_ path: @autoclosure () -> String, label old: String?, _ new: String?) {
            switch (old, new) {
            case (nil, nil): break
            case (nil, _?): added.add(path(), old, new)
            case (_?, nil): removed.add(path(), old, new)
            case (let old?, let new?): if !old.utf8.elementsEqual(new.utf8) { changed.add(path(), old, new) }
            }
        }
    }
}

extension Store {
    /// Gives images other labels and splits, and classes other names, in one transaction; image ids and all that was computed stay. Labels
    /// that no image has any more are forgotten. This value goes on describing the store as it was opened.
    ///
    /// - Parameter isDry: only says what would be other.
    /// - Throws: ``StoreError``: damaged rows, names with NUL characters, a store that is being written or cannot be.
    public func relabel(_ wanted: Relabelling, isDry: Bool = false) throws -> Relabelling.Summary {
        try wanted.refuseNUL()
        if isDry {
            return try read { try RelabellingPlan(wanted, of: description, path: path, $0.database).summary }
        }
        return try edit { database in
            let plan = try RelabellingPlan(wanted, of: StoreDescription(database, path: path), path: path, database)
            _ = try plan.apply(database)
            return plan.summary
        }
    }

    /// Ids and paths of all images, by id.
    public func imagePaths() throws -> [(id: Int, path: String)] {
        try read { snapshot in
            let rows = try snapshot.imageRows("ORDER BY image.id")
            var paths: [(id: Int, path: String)] = []
            while try rows.step() { paths.append((rows.id, rows.imagePath)) }
            return paths
        }
    }

    /// Where the labels come from, as the last run that said so was told; nil for a store that does not know.
    public func labelSource() throws -> String? { try read { try Self.labelSource($0.database) } }

    static func labelSource(_ database: Database) throws -> String? {
        try String.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'label_source'")
    }
}

/// The rows that a relabelling changes, worked out before the first of them is written.
struct RelabellingPlan {
    private struct ImageRow {
        var id: Int
        var label: Int?
        var split: String?
        var checksum: Int
    }

    private(set) var summary = Relabelling.Summary()
    /// As it is afterwards.
    let description: StoreDescription
    private let source: String?
    private var rows: [ImageRow] = []
    /// Names of the labels, in the order of their ids, from 1: that in which images first have them.
    private var labels: [String] = []
    private var numbers: [String: Int] = [:]

    /// - Throws: ``StoreError/damaged(path:detail:)`` for an image whose row is: a damaged row is not to get a new checksum.
    init(_ wanted: Relabelling, of stored: StoreDescription, path: String, _ database: Database) throws {
        source = wanted.source
        description = stored.naming(classes: wanted.classes ?? stored.classes)
        for channel in 0..<max(stored.classes.count, description.classes.count) {
            let (old, new) = (stored.classes[safe: channel], description.classes[safe: channel])
            if old != new { summary.classes.add("\(channel)", old, new) }
        }
        guard !wanted.edits.isEmpty || wanted.classes != nil else { return }
        let images = try ImageRows(database, path: path, "ORDER BY image.id")
        while try images.step() {
            summary.images += 1
            let (edit, oldSplit) = (wanted.edits[images.id] ?? LabelEdit(), images.split)
            let number = number(of: edit.label.value(orElse: images.label))
            let (label, split) = (number.map { labels[$0 - 1] }, edit.split.value(orElse: oldSplit))
            summary.note(images.imagePath, label: images.label, label)
            if !Self.isSame(oldSplit, split) { summary.splits.add(images.imagePath, oldSplit, split) }
            guard images.labelID != number || !Self.isSame(images.label, label) || !Self.isSame(oldSplit, split) else { continue }
            if !Self.isSame(images.label, label) || !Self.isSame(oldSplit, split) { summary.relabelled += 1 }
            rows.append(
                ImageRow(id: images.id, label: number, split: split, checksum: images.checksum(label: label, split: split)))
        }
    }

    private mutating func number(of label: String?) -> Int? {
        guard let label else { return nil }
        if let known = numbers[label] { return known }
        labels.append(label)
        numbers[label] = labels.count
        return labels.count
    }

    private static func isSame(_ a: String?, _ b: String?) -> Bool {
        if let a, let b { a.utf8.elementsEqual(b.utf8) } else { a == nil && b == nil }
    }

    /// Writes the rows, in the caller's transaction.
    /// - Returns: the ids of all labels, by name.
    func apply(_ database: Database) throws -> [String: Int64] {
        if let source, try Store.labelSource(database) != source {
            try database.execute(
                sql: "INSERT INTO meta VALUES ('label_source', ?1) ON CONFLICT(key) DO UPDATE SET value = ?1", arguments: [source]
            )
            try StoreDescription.insertChecksum(database)
        }
        guard !summary.isEmpty else { return try Self.labels(database) }
        // What refers to rows that are written anew is right again at the end.
        try database.execute(sql: "PRAGMA defer_foreign_keys = ON; DELETE FROM label")
        if summary.classes.count > 0 { try description.replaceClasses(database) }
        var ids: [String: Int64] = [:]
        for label in labels { _ = try PendingImages.label(label, &ids, classes: description.classes, database) }
        let update = try RawStatement(database, "UPDATE image SET label_id = ?, split = ?, checksum = ? WHERE id = ?")
        for row in rows {
            update.bind(1, row.label)
            update.bind(2, text: row.split)
            update.bind(3, row.checksum)
            update.bind(4, row.id)
            try update.run()
        }
        return ids
    }

    private static func labels(_ database: Database) throws -> [String: Int64] {
        let rows = try Row.fetchAll(database, sql: "SELECT name, id FROM label")
        return try Dictionary(
            rows.map { (try $0.decode(atIndex: 0), try $0.decode(atIndex: 1)) }, uniquingKeysWith: { first, _ in first })
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
