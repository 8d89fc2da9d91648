import ActivationStore
import CKernels
import Foundation
import GRDB
import Search

/// Edits of a small store, of which every question is asked then: it has to give an answer or an error.
///
/// The first byte of the input says which version the store has. What follows are edits of eight bytes: what to do, where (3 bytes), and with
/// what (4 bytes). Some change bytes of the file, behind the checksums; others change values of tables and make the checksums good again, as
/// somebody would who means harm.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    var bytes = first & 1 == 0 ? seeds.present : seeds.former
    let edits = stride(from: 1, to: min(count, 1 + 8 * 24) - 7, by: 8).map { Edit(input[$0..<$0 + 8]) }
    for edit in edits where edit.kind < 3 { edit.apply(to: &bytes) }
    let path = seeds.path
    for ending in ["", "-wal", "-shm", "-journal"] { unlink(path + ending) }
    guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else { return 0 }
    let statements = edits.filter { $0.kind >= 3 }
    if !statements.isEmpty { try? change(path, statements) }
    ask(path)
    return 0
}

private struct Edit {
    let kind: Int
    let place: Int
    let value: Int

    init(_ bytes: ArraySlice<UInt8>) {
        func number(_ range: Range<Int>) -> Int {
            bytes.dropFirst(range.lowerBound).prefix(range.count).reduce(0) { $0 << 8 | Int($1) }
        }
        (kind, place, value) = (number(0..<1) % 6, number(1..<4), number(4..<8))
    }

    private static let page = 16384

    func apply(to bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        switch kind {
        case 0: bytes[place % bytes.count] = UInt8(truncatingIfNeeded: value)
        case 1:
            let pages = bytes.count / Self.page
            guard pages > 1 else { return }
            let (from, to) = (place % pages * Self.page, value % pages * Self.page)
            bytes.replaceSubrange(to..<to + Self.page, with: bytes[from..<from + Self.page])
        default: bytes.removeLast(place % bytes.count)
        }
    }

    /// An UPDATE of one column of a row, or of all rows.
    func statement(_ columns: [(table: String, column: String)]) -> String {
        let (table, column) = columns[place % columns.count]
        let number = value & 0xffff
        let values = [
            "NULL", "0", "-1", "1", "\(number)", "-\(number)", "1 << \(number % 63)", "9223372036854775807",
            "-9223372036854775808",
            "1e300", "9e999", "'\(number)'", "x''", "x'00'", "zeroblob(\(number))", "zeroblob(\(number * 64))",
            "\(column) + 1", "\(column) - \(number)", "\(column) || 'x'", "substr(\(column), 1, \(number % 40))",
        ]
        let row = value >> 16 & 0x7f
        let chosen = kind == 5 ? "" : " WHERE rowid IN (SELECT rowid FROM \(table) LIMIT 1 OFFSET \(row))"
        return "UPDATE \(table) SET \(column) = \(values[(value >> 24) % values.count])\(chosen)"
    }
}

/// Changes values, and makes the checksums of blocks good again.
private func change(_ path: String, _ edits: [Edit]) throws {
    let database = try DatabaseQueue(path: path)
    try database.writeWithoutTransaction { database in
        database.add(
            function: DatabaseFunction("crc32c", argumentCount: 2, pure: true) { values in
                let crc = (Data.fromDatabaseValue(values[0]) ?? Data()).withUnsafeBytes {
                    ndx_checksum(0, $0.baseAddress, $0.count)
                }
                return Int(
                    (Data.fromDatabaseValue(values[1]) ?? Data()).withUnsafeBytes { ndx_checksum(crc, $0.baseAddress, $0.count) })
            })
        try database.execute(
            sql:
                "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF"
        )
        let columns = try Row.fetchAll(
            database,
            sql: """
                SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
                WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY 1, c.cid
                """
        ).map { (table: try $0.decode(String.self, atIndex: 0), column: try $0.decode(String.self, atIndex: 1)) }
        guard !columns.isEmpty else { return }
        for edit in edits { try? database.execute(sql: edit.statement(columns)) }
        try? database.execute(sql: "UPDATE activation_block SET checksum = crc32c(value, position)")
        try? database.execute(sql: "UPDATE mean_block SET checksum = crc32c(mean, x'')")
    }
    try database.close()
}

private func ask(_ path: String) {
    do {
        let store = try Store.open(path: path)
        for query in questions { attempt { try answer(query, store) } }
        attempt { _ = try store.verify() }
        attempt { _ = try store.summary() }
        attempt { _ = try store.skipped() }
        attempt { _ = try store.explanations() }
        attempt { _ = try store.camHead() }
        attempt { _ = try store.means(layer: "b") }
        attempt { _ = try store.activations(ofImage: 9) }
        attempt { _ = try store.column(neuron: 0) }
    } catch is StoreError {
    } catch {
        fatalError("opening: \(error)")
    }
}

private func attempt(_ body: () throws -> Void) {
    do {
        try body()
    } catch {
        guard error is StoreError || error is QueryError else { fatalError("not an error of a store: \(error)") }
    }
}

private func answer(_ query: some Query, _ store: Store) throws { _ = try query.report(from: store) }

nonisolated(unsafe) private let questions: [any Query] = {
    func samples<Q: Query>(_: Q.Type) -> [any Query] {
        Q.samples(SampleGround(layers: ["a", "b", "logits"], image: "5.png", label: "cat", className: "dog"))
    }
    return queries.flatMap { samples($0) } + [SQLQuery(statement: "SELECT * FROM top_image LIMIT 9", timeLimit: 1)]
}()

/// A store of this version and one of version 2, which has no checksums but those of blocks; and where the input's file goes.
private struct Seeds {
    let present: [UInt8]
    let former: [UInt8]
    let path: String
}

private let seeds: Seeds = {
    do {
        return try makeSeeds()
    } catch {
        fatalError("no store to begin with: \(error)")
    }
}()

private func makeSeeds() throws -> Seeds {
    let path = "\(FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : "/tmp")/neurodex-fuzz-\(getpid()).sqlite"
    unlink(path)
    let layers = [("a", 6, 5), ("b", 3, 20), ("logits", 2, 1)].map { name, channels, side in
        LayerRecord(
            name: name, tensor: name, operatorName: "Conv", channels: channels, height: side, width: side, hasMean: name == "b",
            isLogits: name == "logits")
    }
    let writer = try StoreWriter.open(
        path: path,
        description: StoreDescription(
            model: ModelRecord(
                name: "m", path: "m.onnx", sha256: "00", inputChannels: 3, inputHeight: 8, inputWidth: 8, opset: 17),
            preprocessing: "{}", preprocessingHash: "0", layers: layers, classes: ["cat", "dog"], blockImages: 8, topCount: 5),
        run: RunRecord(toolVersion: "fuzz"))
    for image in 0..<21 {
        let values = (0..<11).map { Float((image * 7 + $0 * 5) % 13) - 2 }
        let positions = (0..<11).map { UInt32($0 < 6 ? image % 25 : $0 < 9 ? image * 19 % 400 : 0) }
        try values.withUnsafeBufferPointer { values in
            try positions.withUnsafeBufferPointer { positions in
                try [Float](repeating: 0.5, count: 3).withUnsafeBufferPointer { means in
                    try writer.append(
                        image: ImageRecord(
                            path: "p/\(image).png", sha256: Data(repeating: UInt8(image), count: 32), width: 9, height: 8,
                            bytes: 7,
                            modified: 6, label: image % 3 == 0 ? "cat" : "dog", split: "train", predictedClass: image % 2,
                            predictedScore: 1), values: values, positions: positions, means: means)
                }
            }
        }
    }
    try writer.appendSkipped(SkippedRecord(path: "x.png", reason: "broken"))
    try writer.finish()
    let present = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let database = try DatabaseQueue(path: path)
    try database.writeWithoutTransaction { database in
        for table in ["image", "neuron_statistics", "top_list", "run", "skipped_image", "cam_head"] {
            try database.execute(sql: "ALTER TABLE \(table) DROP COLUMN checksum")
        }
        try database.execute(
            sql: "DELETE FROM meta WHERE key IN ('description_checksum', 'record', 'layers'); PRAGMA user_version = 2")
    }
    try database.close()
    return Seeds(present: present, former: Array(try Data(contentsOf: URL(fileURLWithPath: path))), path: path)
}
