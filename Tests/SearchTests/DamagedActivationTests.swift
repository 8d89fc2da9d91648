import ActivationStore
import CKernels
import Foundation
import GRDB
import Search
import TestSupport
import Testing

/// A damaged or forged store gives an error that names the row, and never another answer.
@Suite struct DamagedActivationTests {
    private static let dataset = RecordedDataset(
        images: 40, layers: RecordedDataset.layers(), classes: ["cat", "dog"], blockImages: 16, seed: 8)

    /// What `sql` fails with on a store that was changed by `statements`.
    private func failure(_ sql: String, after statements: String, arguments: StatementArguments = StatementArguments()) throws
        -> String
    {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        try Self.dataset.write(path)
        let store = try Store.open(path: path)
        try DatabaseQueue(path: path).writeWithoutTransaction {
            try $0.execute(sql: "PRAGMA ignore_check_constraints = 1")
            try $0.execute(sql: statements, arguments: arguments)
        }
        do {
            return "\(try SQLQuery(statement: sql).run(in: store).rows.count) rows"
        } catch {
            return "\(error)".replacingOccurrences(of: path, with: "s")
        }
    }

    /// Of layer1, channel 2 (20 × 20 cells, two bytes a position) in block 1.
    private static let key = 1 << 20 | 6

    @Test(arguments: [
        ("n = 15", "the lengths are wrong"), ("n = 17", "the lengths are wrong"), ("n = -1", "the lengths are wrong"),
        ("value = zeroblob(63)", "the lengths are wrong"), ("value = x''", "the lengths are wrong"),
        ("value = zeroblob(100000)", "the lengths are wrong"), ("position = x''", "the lengths are wrong"),
        ("position = zeroblob(33)", "the lengths are wrong"), ("checksum = checksum + 1", "the checksum differs"),
        ("checksum = checksum + 4294967296", "the checksum differs"), ("checksum = -1", "the checksum differs"),
        ("value = zeroblob(64)", "the checksum differs"), ("position = zeroblob(32)", "the checksum differs"),
        ("value_max = 1e9", "the maximum differs from the values"), ("value_max = 0.1", "the maximum is no value of a float"),
        ("value_max = 1e300", "the maximum is no value of a float"), ("value_max = NULL", "the maximum differs from the values"),
        ("value_max = -1e9", "the maximum differs from the values"),
    ])
    func everyFaultOfARowIsNamed(_ change: String, _ fault: String) throws {
        let changed = "UPDATE activation_block SET \(change) WHERE id = \(Self.key)"
        let message =
            "s is damaged: \(fault) in the row of layer layer1, channel 2 in block 1 (images 16 to 31); run: neurodex verify s"
        for sql in [
            "SELECT * FROM activation", "SELECT * FROM activation WHERE layer = 'layer1' AND channel = 2 ORDER BY value DESC",
            "SELECT value FROM activation WHERE neuron_id = 6 AND image_id = 17",
            "SELECT sum(value) FROM activation GROUP BY layer",
            // Which a row of too low a maximum would be passed by in.
            "SELECT * FROM activation ORDER BY value DESC LIMIT 1", "SELECT * FROM activation WHERE value > 1e6",
        ] {
            #expect(try failure(sql, after: changed) == message)
        }
        // What does not need the row is answered.
        #expect(try failure("SELECT * FROM activation WHERE layer = 'layer1' AND channel = 1", after: changed) == "40 rows")
        #expect(try failure("SELECT * FROM activation WHERE neuron_id = 6 AND image_id < 16", after: changed) == "16 rows")
    }

    @Test func missingRowsAndWrongPlacesAreNamed() throws {
        #expect(
            try failure("SELECT max(value) FROM activation", after: "DELETE FROM activation_block WHERE id = \(Self.key)")
                == "s is damaged: there is no row of layer layer1, channel 2 in block 1 (images 16 to 31); run: neurodex verify s"
        )
        // A position outside the map, under a checksum that fits.
        var bytes = Data(count: 64) + Data(repeating: 0xFF, count: 32)
        bytes[0] = 0
        let checksum = bytes.withUnsafeBytes { ndx_checksum(0, $0.baseAddress, $0.count) }
        let forged = "UPDATE activation_block SET value = ?, position = ?, value_max = 0.0, checksum = ? WHERE id = \(Self.key)"
        let arguments: StatementArguments = [bytes.prefix(64), bytes.suffix(32), Int64(checksum)]
        #expect(
            try failure("SELECT y FROM activation WHERE neuron_id = 6", after: forged, arguments: arguments)
                == "s is damaged: a position is outside the map in the row of layer layer1, channel 2 in block 1 (images 16 to 31); "
                + "run: neurodex verify s")
        #expect(try failure("SELECT value FROM activation WHERE neuron_id = 6", after: forged, arguments: arguments) == "40 rows")
    }

    /// A key that was damaged into another row's: SQLite finds the one or the other by it, and either row's checksum fits.
    @Test func keysOfOtherRowsAreSeen() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        // Without means, whose rows have the same keys.
        var layers = RecordedDataset.layers()
        for index in layers.indices { layers[index].hasMean = false }
        let dataset = RecordedDataset(images: 40, layers: layers, blockImages: 16, seed: 8)
        try dataset.write(path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        /// As SQLite writes a key of block 1 into its page: seven bits a byte.
        func written(_ neuron: Int) -> Data { Data([0xC0, 0x80, UInt8(neuron)]) }
        func values(_ neuron: Int) throws -> [[String]] {
            let query = SQLQuery(
                statement: "SELECT value FROM activation WHERE neuron_id = \(neuron) AND image_id BETWEEN 16 AND 31")
            return try query.run(in: Store.open(path: path)).rows.map { row in row.map { "\($0)" } }
        }
        let right = try (0..<14).map(values)
        var (misled, refused) = (0, 0)
        for damaged in 0..<14 {
            for neuron in 0..<14 where neuron != damaged {
                let place = try #require(whole.range(of: written(damaged)))
                #expect(whole[place.upperBound...].range(of: written(damaged)) == nil, "the key is found once")
                var bytes = whole
                bytes.replaceSubrange(place, with: written(neuron))
                try bytes.write(to: URL(fileURLWithPath: path))
                let found = try DatabaseQueue(path: path).read {
                    try Data.fetchOne($0, sql: "SELECT value FROM activation_block WHERE id = \(1 << 20 | neuron)")
                }
                let other = dataset.values[16..<32].map { $0[damaged] }.withUnsafeBytes { Data($0) }
                if found == other { misled += 1 }
                do {
                    #expect(try values(neuron) == right[neuron], "\(damaged) as \(neuron)")
                } catch let error as StoreError {
                    #expect("\(error)".contains("s.sqlite is damaged: "), "\(error)")
                    refused += 1
                }
            }
        }
        #expect(misled > 20 && refused >= misled)
    }

    @Test(arguments: [
        (
            "UPDATE meta SET value = 0 WHERE key = 'block_images'",
            "meta.block_images is 0, and has to be a number from 1 to 65536"
        ),
        ("UPDATE meta SET value = 'big' WHERE key = 'byte_order'", "meta.byte_order is big, and this program knows little alone"),
        ("UPDATE meta SET value = 'md5' WHERE key = 'checksum'", "meta.checksum is md5, and this program knows crc32c alone"),
        ("DELETE FROM meta WHERE key = 'neurons'", "meta lacks block_images, neurons, byte_order or checksum"),
        ("UPDATE meta SET value = 13 WHERE key = 'neurons'", "meta.neurons is 13, and the layers have 14 channels"),
        ("UPDATE layer SET channels = 900000 WHERE ordinal = 3", "meta.neurons is 14, and the layers have 900009 channels"),
        ("UPDATE layer SET channels = 0 WHERE ordinal = 3", "layer.channels is 0, and has to be a number from 1 to 1048567"),
        ("UPDATE layer SET first_neuron = 5 WHERE ordinal = 1", "layer.first_neuron is 5, and has to be a number from 4 to 4"),
        ("UPDATE layer SET width = 9223372036854775807 WHERE ordinal = 0", "layer.width is 9223372036854775807, and has to be"),
        (
            "UPDATE layer SET position_bytes = 4 WHERE ordinal = 0",
            "layer.position_bytes is 4, and has to be a number from 1 to 1"
        ),
        ("UPDATE image SET id = -1 WHERE id = 3", "image.id is -1, and has to be"),
        ("UPDATE image SET id = 4294967295 WHERE id = 3", "image.id is 4294967295, and has to be"),
        (
            "UPDATE activation_block SET id = 9223372036854775807 WHERE id = 0",
            "activation_block.id is 9223372036854775807, and has"
        ),
        (
            "UPDATE activation_block SET n = 17 WHERE id = (SELECT max(id) FROM activation_block)",
            "activation_block.n is 17, and has to"
        ),
    ])
    func everyFaultOfTheTablesIsNamed(_ change: String, _ fault: String) throws {
        let message = try failure("SELECT count(*) FROM activation", after: change)
        #expect(message.hasPrefix("s is damaged: \(fault)"), "\(change): \(message)")
    }

    /// An image id that no block has, or images that are not there and were not removed: which images there are is then not known.
    @Test(arguments: [
        ("UPDATE image SET id = 4294967294 WHERE id = 39", "there are 40 images of 4294967295"),
        ("DELETE FROM image WHERE id IN (3, 5)", "there are 38 images of 40"),
    ])
    func imagesThatWereNotRemovedAreMissed(_ change: String, _ fault: String) throws {
        for condition in ["neuron_id = 6 AND image_id < 32", "neuron_id = 6", "image_id = 3"] {
            #expect(
                try failure("SELECT * FROM activation WHERE \(condition)", after: change)
                    == "s is damaged: \(fault), and meta.removed counts 0 that are no more; run: neurodex verify s")
        }
    }

    /// Views in place of tables that would go in circles.
    @Test func tablesThatAskForTheTableAreRefused() throws {
        for table in ["layer", "image", "meta"] {
            let change =
                "PRAGMA legacy_alter_table = 1; ALTER TABLE \(table) RENAME TO old; CREATE VIEW \(table) AS SELECT * FROM activation"
            let message = try failure("SELECT * FROM activation", after: change)
            #expect(message.hasPrefix("s has a table old, which no neurodex made, and is not read with it"), "\(message)")
        }
    }
}
