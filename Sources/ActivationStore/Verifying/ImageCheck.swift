import GRDB

extension Snapshot {
    /// Checks all images and labels, and the indexes that conditions on them go by; once for every version of the file. Stores before version 3
    /// have nothing to check them by.
    /// - Throws: ``StoreError/damaged(path:detail:)``.
    package func checkImages() throws {
        try store.checked.value(self) {
            guard try Schema.keepsChecksums(database) else { return }
            try ImageCheck(store: store, database: database).run()
        }
    }
}

/// A row that was damaged shows by its checksum, and one that an index lacks, or has in the wrong place, by what the index comes to as a whole.
private struct ImageCheck {
    let store: Store
    let database: Database

    func run() throws {
        var (paths, hashes, labels) = (Total(), Total(), Total())
        let rows = try ImageRows(database, path: store.path, "ORDER BY image.id")
        var last = -1
        while try rows.step() {
            guard rows.id > last else { throw ImageRows.damage(rows.id, path: store.path) }
            last = rows.id
            paths.add(rows.id, rows.pathBytes)
            hashes.add(rows.id, rows.hashBytes)
            labels.add(rows.id, rows.labelID)
        }
        try compare(
            paths, "sqlite_autoindex_image_1", "SELECT id, path FROM image INDEXED BY sqlite_autoindex_image_1 ORDER BY path")
        try compare(hashes, "image_by_sha256", "SELECT id, sha256 FROM image INDEXED BY image_by_sha256 ORDER BY sha256, id")
        try compare(labels, "image_by_label", "SELECT id, label_id FROM image INDEXED BY image_by_label ORDER BY label_id, id")
        try checkLabels()
    }

    /// That a label is the class of its name; its name itself is covered by the images that have it.
    private func checkLabels() throws {
        let classes = Dictionary(store.description.classes.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        // Their numbers and names were checked when the store was opened.
        if let other = try Int.fetchOne(database, sql: "SELECT id FROM class WHERE typeof(name) <> 'text'") {
            throw StoreError.damaged(path: store.path, detail: "the name of class \(other) in its table class is no text")
        }
        var names = Total()
        let rows = try RawStatement(database, "SELECT id, name, class_id FROM label NOT INDEXED ORDER BY id")
        while try rows.step() {
            let name = rows.text(1) ?? ""
            guard rows.kind(1) == .text, [.null, .integer].contains(rows.kind(2)),
                classes[name] == (rows.isNull(2) ? nil : rows.int(2))
            else {
                throw StoreError.damaged(
                    path: store.path, detail: "the row of label \(name) in its table label is not what was written")
            }
            names.add(rows.int(0), rows.bytes(1))
        }
        try compare(
            names, "sqlite_autoindex_label_1", "SELECT id, name FROM label INDEXED BY sqlite_autoindex_label_1 ORDER BY name")
    }

    private func compare(_ wanted: Total, _ index: String, _ sql: String) throws {
        var found = Total()
        let rows = try RawStatement(database, sql)
        var last: Entry?
        while try rows.step() {
            let entry: Entry
            switch rows.kind(1) {
            case .text, .blob:
                entry = Entry(number: 0, bytes: Array(rows.bytes(1)), id: rows.int(0))
                found.add(entry.id, rows.bytes(1))
            default:
                let number = rows.isNull(1) ? nil : rows.int(1)
                entry = Entry(number: number ?? .min, bytes: [], id: rows.int(0))
                found.add(entry.id, number)
            }
            if let last, !(last < entry) { return try refuse(index) }
            last = entry
        }
        if found != wanted { try refuse(index) }
    }

    private func refuse(_ index: String) throws {
        throw StoreError.damaged(path: store.path, detail: "its index \(index) is not that of its rows")
    }

    /// Of an index, in its order.
    private struct Entry: Comparable {
        let number: Int
        let bytes: [UInt8]
        let id: Int

        static func < (a: Entry, b: Entry) -> Bool {
            if a.number != b.number { return a.number < b.number }
            if a.bytes != b.bytes { return a.bytes.lexicographicallyPrecedes(b.bytes) }
            return a.id < b.id
        }
    }

    /// Of pairs of an id and a key, in any order.
    private struct Total: Equatable {
        private var count = 0
        private var sum: UInt64 = 0

        mutating func add(_ id: Int, _ key: UnsafeRawBufferPointer) {
            var own = RowChecksum()
            own.add(id)
            own.add(key)
            add(own)
        }

        mutating func add(_ id: Int, _ key: Int?) {
            var own = RowChecksum()
            own.add(id)
            own.add(key)
            add(own)
        }

        private mutating func add(_ own: RowChecksum) {
            count += 1
            // Spread, so that sums do not cancel as the CRC's bits would.
            sum &+= (UInt64(own.value) &+ 1) &* 0x9E37_79B9_7F4A_7C15
        }
    }
}
