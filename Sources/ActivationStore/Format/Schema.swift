/// The store's format: numbers that `schema.sql` also holds, and the arithmetic of its keys.
package enum Schema {
    /// The version this program writes, `PRAGMA user_version`.
    package static let version = 6
    /// 'NDX1', `PRAGMA application_id`.
    package static let applicationID = 0x4E44_5831
    package static let pageSize = 16384
    /// Of SQLite.
    static let largestPage = 65536
    /// Neurons a store can hold: the low bits of a block's key.
    package static let neuronLimit = 1 << 20
    /// Images in a block whose rows fit a page with the widest positions: 40 bytes for the row's header, 35 that SQLite keeps.
    package static let largestBlock = (pageSize - 75) / (4 + 4)

    /// The statements of `schema.sql`.
    package static var sql: String { String(decoding: PackageResources.schema_sql, as: UTF8.self) }

    /// What brings a store of version `n` to version `n + 1`, at index `n - 1`. One entry a version, never edited.
    package static let migrations: [String] = [
        """
        CREATE TABLE explanation(
            id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE CHECK (length(key) = 32), method TEXT NOT NULL,
            arguments TEXT NOT NULL, target TEXT NOT NULL, image_path TEXT, image_sha256 BLOB, value REAL, note TEXT,
            channels INTEGER NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL,
            is_signed INTEGER NOT NULL CHECK (is_signed IN (0, 1)), map BLOB NOT NULL, picture BLOB NOT NULL,
            checksum INTEGER NOT NULL, record TEXT, checks TEXT, seconds REAL NOT NULL, created TEXT NOT NULL,
            tool_version TEXT NOT NULL) STRICT;
        CREATE INDEX explanation_by_image ON explanation(image_sha256);
        CREATE TABLE cam_head(
            id INTEGER PRIMARY KEY CHECK (id = 1), layer TEXT NOT NULL, classes TEXT NOT NULL, channels INTEGER NOT NULL,
            weights BLOB NOT NULL, bias BLOB NOT NULL, l2 REAL NOT NULL, slope REAL NOT NULL, trained INTEGER NOT NULL,
            judged INTEGER NOT NULL, judged_on TEXT NOT NULL, accuracy REAL NOT NULL, network_accuracy REAL NOT NULL) STRICT;
        """,
        // Checksums of images, and of what is derived, which is made again from the blocks: what was there may be damaged.
        """
        ALTER TABLE image ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
        DROP TABLE neuron_statistics;
        CREATE TABLE neuron_statistics(
            neuron_id INTEGER PRIMARY KEY, count INTEGER NOT NULL, nan_count INTEGER NOT NULL, infinite_count INTEGER NOT NULL,
            zero_count INTEGER NOT NULL, minimum REAL, maximum REAL, mean REAL, m2 REAL, histogram_first INTEGER NOT NULL,
            histogram BLOB NOT NULL, settled_count INTEGER NOT NULL, settled_mean REAL NOT NULL, settled_m2 REAL NOT NULL,
            checksum INTEGER NOT NULL) STRICT;
        DROP TABLE top_list;
        CREATE TABLE top_list(neuron_id INTEGER PRIMARY KEY, list TEXT NOT NULL, checksum INTEGER NOT NULL) STRICT;
        """,
        // Checksums of what had none. Few rows, so that tables are written anew and defined as those of new stores.
        """
        ALTER TABLE run RENAME TO older;
        CREATE TABLE run(
            id INTEGER PRIMARY KEY, tool_version TEXT NOT NULL, started TEXT NOT NULL, finished TEXT,
            status TEXT NOT NULL CHECK (status IN ('running', 'done', 'interrupted', 'failed')), host TEXT, arguments TEXT,
            jobs INTEGER, images_done INTEGER NOT NULL DEFAULT 0, images_skipped INTEGER NOT NULL DEFAULT 0, seconds REAL,
            checksum INTEGER NOT NULL) STRICT;
        INSERT INTO run SELECT *, 0 FROM older;
        DROP TABLE older;
        ALTER TABLE skipped_image RENAME TO older;
        CREATE TABLE skipped_image(
            path TEXT PRIMARY KEY, reason TEXT NOT NULL, bytes INTEGER, mtime_ns INTEGER, checksum INTEGER NOT NULL)
            STRICT, WITHOUT ROWID;
        INSERT INTO skipped_image SELECT *, 0 FROM older;
        DROP TABLE older;
        ALTER TABLE cam_head RENAME TO older;
        CREATE TABLE cam_head(
            id INTEGER PRIMARY KEY CHECK (id = 1), layer TEXT NOT NULL, classes TEXT NOT NULL, channels INTEGER NOT NULL,
            weights BLOB NOT NULL, bias BLOB NOT NULL, l2 REAL NOT NULL, slope REAL NOT NULL, trained INTEGER NOT NULL,
            judged INTEGER NOT NULL, judged_on TEXT NOT NULL, accuracy REAL NOT NULL, network_accuracy REAL NOT NULL,
            checksum INTEGER NOT NULL) STRICT;
        INSERT INTO cam_head SELECT *, 0 FROM older;
        DROP TABLE older;
        DROP VIEW image_info;
        CREATE VIEW image_info AS
        SELECT i.id, i.path, i.width, i.height, i.bytes, i.mtime_ns, b.name AS label, i.split,
            i.predicted_class_id AS predicted_index, c.name AS predicted, i.predicted_score AS score,
            CASE WHEN b.class_id IS NOT NULL THEN b.class_id = i.predicted_class_id OR k.name = c.name END AS correct,
            lower(hex(i.sha256)) AS sha256
        FROM image i
        LEFT JOIN label b ON b.id = i.label_id
        LEFT JOIN class c ON c.id = i.predicted_class_id
        LEFT JOIN class k ON k.id = b.class_id;
        """,
        "CREATE TABLE thumbnail(image_id INTEGER PRIMARY KEY, jpeg BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;",
        """
        CREATE TABLE attribute(
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL CHECK (kind IN ('binary', 'number')),
            list TEXT NOT NULL, checksum INTEGER NOT NULL) STRICT;
        CREATE VIEW image_attribute AS
        SELECT i.id AS image_id, a.name AS attribute, e.value AS value
        FROM attribute a
        JOIN json_each(a.list) e
        CROSS JOIN image i ON i.id = e.key
        WHERE e.value IS NOT NULL;
        """,
    ]

    /// The key of a neuron's row in a block.
    @inlinable
    package static func key(block: Int, neuron: Int) -> Int64 {
        Int64(block) << 20 | Int64(neuron)
    }

    /// The keys of all rows of a block.
    package static func keys(block: Int) -> ClosedRange<Int64> {
        key(block: block, neuron: 0)...key(block: block, neuron: neuronLimit - 1)
    }
}
