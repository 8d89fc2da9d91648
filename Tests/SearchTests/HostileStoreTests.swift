import ActivationStore
import Foundation
import GRDB
import Search
import TestSupport
import Testing

/// Stores that somebody made to break a reader. They are of version 2, which has no checksums to notice by.
@Suite struct HostileStoreTests {
    private static func loose(_ table: String) -> String {
        "CREATE TABLE x AS SELECT * FROM \(table); DROP TABLE \(table); ALTER TABLE x RENAME TO \(table);"
    }

    private static let deeds: [String] = [
        "UPDATE meta SET value = 1 << 60 WHERE key = 'block_images'", "UPDATE meta SET value = 0 WHERE key = 'block_images'",
        "UPDATE meta SET value = -1 WHERE key = 'top_count'", "UPDATE meta SET value = 1 << 60 WHERE key = 'top_count'",
        "UPDATE meta SET value = 'many' WHERE key = 'neurons'", "UPDATE meta SET value = 1 << 62 WHERE key = 'neurons'",
        "UPDATE meta SET value = 1 << 62 WHERE key = 'derived_through'",
        "UPDATE meta SET value = -7 WHERE key = 'derived_through'", "INSERT INTO meta VALUES ('removed', -5)",
        "INSERT INTO meta VALUES ('removed', 1 << 62)", "INSERT INTO meta VALUES ('removed', 9223372036854775807)",
        "INSERT INTO meta VALUES ('removed', -9223372036854775807)", "INSERT INTO meta VALUES ('removed', x'00')",
        "DELETE FROM meta", "DELETE FROM layer", "DELETE FROM model", "DELETE FROM class", "DELETE FROM label",
        "UPDATE layer SET channels = 1 << 40", "UPDATE layer SET channels = 9223372036854775807",
        "UPDATE layer SET channels = -3",
        "UPDATE layer SET first_neuron = 1 WHERE ordinal = 1", "UPDATE layer SET first_neuron = -1 WHERE ordinal = 0",
        "UPDATE layer SET height = 1 << 40, width = 1 << 40", "UPDATE layer SET height = 0",
        "UPDATE layer SET height = -2, width = -2",
        "UPDATE layer SET height = 1, width = 1", "UPDATE layer SET position_bytes = 4", "UPDATE layer SET has_mean = 1",
        "UPDATE layer SET is_logits = 1", "UPDATE layer SET name = '' WHERE ordinal = 0", "UPDATE class SET id = id + 1000000",
        "UPDATE label SET class_id = -9", "UPDATE label SET id = 9223372036854775807 WHERE id = 1",
        "UPDATE image SET id = 1 << 60 WHERE id = 3", "UPDATE image SET id = 9223372036854775807 WHERE id = 3",
        "UPDATE image SET id = -5 WHERE id = 3", "UPDATE image SET id = id - 30", "UPDATE image SET label_id = -1",
        "UPDATE image SET label_id = 9223372036854775807", "UPDATE image SET sha256 = x''", "DELETE FROM image",
        "UPDATE image SET predicted_class_id = 9223372036854775807", "DELETE FROM activation_block",
        "UPDATE activation_block SET id = -1 WHERE id = 0", "UPDATE activation_block SET id = 9223372036854775807 WHERE id = 0",
        "UPDATE activation_block SET n = 1 << 50", "UPDATE activation_block SET n = -1",
        "UPDATE activation_block SET value = zeroblob(7)", "UPDATE activation_block SET value = x''",
        "UPDATE activation_block SET value = zeroblob(100000000) WHERE id = 3", "UPDATE activation_block SET position = x''",
        "UPDATE activation_block SET position = zeroblob(1000)", "UPDATE activation_block SET checksum = -1",
        "UPDATE mean_block SET mean = x''", "UPDATE mean_block SET id = -id",
        "UPDATE top_list SET list = '[[4294967295,1,4294967295]]'",
        "UPDATE neuron_statistics SET count = -1, histogram_first = 9223372036854775807",
        "UPDATE neuron_statistics SET histogram_first = -9223372036854775807, settled_count = -1",
        "DROP VIEW image_info; CREATE VIEW image_info AS SELECT * FROM image_info",
        "DROP VIEW image_info; CREATE VIEW image_info AS SELECT * FROM top_image; DROP VIEW top_image; CREATE VIEW top_image AS SELECT * FROM image_info",
        "DROP VIEW image_info; CREATE VIEW image_info AS SELECT 1 << 62 AS id, NULL AS label, NULL AS split, 1 AS correct",
        "DROP VIEW image_info; CREATE VIEW image_info AS SELECT 'x' AS id, 'cat' AS label, x'00' AS split, 1 AS correct",
        "DROP TABLE top_list; CREATE VIEW top_list AS SELECT 1 AS neuron_id, '[]' AS list",
        "ALTER TABLE layer RENAME TO other; CREATE VIEW layer AS SELECT * FROM layer",
        "ALTER TABLE image RENAME TO other; CREATE VIEW image AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT * FROM n",
        loose("layer") + "UPDATE layer SET name = NULL", loose("layer") + "UPDATE layer SET channels = NULL",
        loose("layer") + "UPDATE layer SET receptive_field_height = 1", loose("layer") + "UPDATE layer SET has_mean = 'x'",
        loose("model") + "UPDATE model SET name = NULL, sha256 = x'ff'", loose("meta") + "UPDATE meta SET value = NULL",
        loose("class") + "UPDATE class SET name = NULL", loose("label") + "UPDATE label SET name = NULL, id = 1",
        loose("image") + "UPDATE image SET path = NULL", loose("image") + "UPDATE image SET id = NULL",
        loose("image") + "UPDATE image SET width = 'wide', sha256 = NULL, mtime_ns = x'00'",
        loose("activation_block") + "UPDATE activation_block SET value = NULL",
        loose("activation_block") + "UPDATE activation_block SET id = NULL, n = NULL",
        loose("activation_block") + "UPDATE activation_block SET value = 'text', position = 7",
        loose("neuron_statistics") + "UPDATE neuron_statistics SET count = NULL, histogram = NULL",
        loose("run") + "UPDATE run SET status = NULL, started = NULL",
        loose("skipped_image") + "INSERT INTO skipped_image VALUES (NULL, NULL, NULL, NULL)",
    ]

    /// No crash, and no more memory or time than the file is worth: the suite would not end.
    @Test(arguments: deeds) func anErrorOrAnAnswer(deed: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        let dataset = RecordedDataset(
            images: 53, layers: RecordedDataset.layers(channels: [9, 5, 3, 2]), classes: ["cat", "dog"], blockImages: 16,
            topCount: 12, seed: 8)
        try dataset.write(path)
        try makeOlder(path, version: 2)
        let database = try DatabaseQueue(path: path)
        try database.writeWithoutTransaction { database in
            try database.execute(
                sql: "PRAGMA legacy_alter_table = ON; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;")
            try database.execute(sql: deed)
        }
        try database.close()

        let start = ContinuousClock.now
        for (query, answer) in zip(Questionnaire(dataset).queries, Questionnaire(dataset).answers(of: path)) {
            guard case .failure(let error) = answer else { continue }
            #expect(error is StoreError || error is QueryError, "\(query): \(error)")
        }
        guard let store = try? Store.open(path: path) else { return }
        _ = try? store.verify()
        _ = try? store.summary()
        _ = try? store.imageIDs()
        _ = try? store.skipped()
        _ = try? store.means(layer: "layer1")
        _ = try? store.activations(ofImage: 20)
        _ = try? store.column(neuron: 0)
        #expect(ContinuousClock.now - start < .seconds(60), "\(deed)")
    }
}
