import Foundation
import GRDB

/// A ``StoreDescription`` as rows of `meta`, `model`, `layer` and `class`.
extension StoreDescription {
    func insert(_ database: Database) throws {
        let facts: [(String, (any DatabaseValueConvertible)?)] = [
            ("block_images", blockImages), ("neurons", neuronCount), ("means", meanCount), ("top_count", topCount),
            ("byte_order", "little"), ("checksum", "crc32c"), ("derived_through", 0), ("preprocessing", preprocessing),
            ("preprocessing_hash", preprocessingHash),
        ]
        let choice = try model.choice.map { choice in
            (choice.beforeActivation ? "pre" : "post", String(decoding: try JSONEncoder().encode(choice.patterns), as: UTF8.self))
        }
        let occasional = [
            ("shard", shard?.description), ("thumbnails", thumbnailSide.map { "\($0)" }), ("output", model.output),
            ("precision", model.precision), ("record", choice?.0),
            ("outputs", try Self.list(model.others)), ("output_names", try Self.list(model.outputNames)),
            ("layers", choice?.1), ("answer", model.answer?.rawValue), ("inputs", model.inputs),
        ].filter { $0.1 != nil }
        for (key, value) in facts + occasional {
            try database.execute(sql: "INSERT INTO meta VALUES (?, ?)", arguments: [key, value])
        }
        try database.execute(
            sql: "INSERT INTO model VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                model.name, model.path, model.sha256, model.inputChannels, model.inputHeight, model.inputWidth, model.opset,
            ])
        for (ordinal, layer) in layers.enumerated() {
            let field = layer.receptiveField
            try database.execute(
                sql: "INSERT INTO layer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    ordinal + 1, ordinal, layer.name, layer.tensor, layer.operatorName, layer.firstNeuron, layer.channels,
                    layer.height, layer.width, layer.positionBytes, layer.hasMean, layer.isLogits, field?.height, field?.width,
                    field?.strideY, field?.strideX, field?.offsetY, field?.offsetX,
                ])
        }
        try insertClasses(database)
        try Self.insertChecksum(database)
    }

    /// As JSON; nil of none.
    private static func list(_ names: [String]) throws -> String? {
        names.isEmpty ? nil : String(decoding: try JSONEncoder().encode(names), as: UTF8.self)
    }

    private func insertClasses(_ database: Database) throws {
        for (channel, name) in classes.enumerated() {
            try database.execute(sql: "INSERT INTO class VALUES (?, ?)", arguments: [channel, name])
        }
    }

    /// Writes the names of the classes over those that are there, with the checksum.
    func replaceClasses(_ database: Database) throws {
        try database.execute(sql: "DELETE FROM class; DELETE FROM meta WHERE key = 'description_checksum'")
        try insertClasses(database)
        try Self.insertChecksum(database)
    }

    /// As in a store of version 3: of everything, in the order of the tables meta, model, layer and class.
    private var oldChecksum: Int {
        var sum = RowChecksum()
        for number in [blockImages, neuronCount, meanCount, topCount] { sum.add(number) }
        for text in [preprocessing, preprocessingHash, shard?.description, model.output] { sum.add(text) }
        for text in [model.name, model.path, model.sha256] { sum.add(text) }
        for number in [model.inputChannels, model.inputHeight, model.inputWidth, model.opset] { sum.add(number) }
        for layer in layers {
            for text in [layer.name, layer.tensor, layer.operatorName] { sum.add(text) }
            for number in [layer.firstNeuron, layer.channels, layer.height, layer.width, layer.positionBytes] { sum.add(number) }
            for fact in [layer.hasMean, layer.isLogits] { sum.add(fact ? 1 : 0) }
            let field = layer.receptiveField
            for number in [field?.height, field?.width] { sum.add(number) }
            for number in [field?.strideY, field?.strideX, field?.offsetY, field?.offsetX] { sum.add(number) }
        }
        for (channel, name) in classes.enumerated() {
            sum.add(channel)
            sum.add(name)
        }
        if let precision = model.precision { sum.add(precision) }
        return sum.value
    }

    /// - Throws: ``StoreError/damaged(path:detail:)``, also where its checksum differs, if the store is of a version that has one.
    init(_ database: Database, path: String) throws {
        let rows = StoredDescription(database: database, path: path)
        let model = try rows.model()
        let (layers, neurons) = try rows.layers()
        let classes = try rows.classes()
        let (blockImages, topCount): (Int, Int) = (try rows.fact("block_images"), try rows.fact("top_count"))
        let shard = try rows.occasional("shard").flatMap { Shard($0) }
        guard !layers.isEmpty, try neurons == rows.fact("neurons"), (1...Schema.largestBlock).contains(blockImages),
            (1...Self.longestList).contains(topCount)
        else { throw rows.contradiction }
        self.init(
            model: model, preprocessing: try rows.fact("preprocessing"), preprocessingHash: try rows.fact("preprocessing_hash"),
            layers: layers, classes: classes, blockImages: blockImages, topCount: topCount, shard: shard,
            thumbnailSide: try rows.occasional("thumbnails").flatMap { Int($0) }.flatMap {
                Thumbnail.sides.contains($0) ? $0 : nil
            })
        if let what = impossibility { throw StoreError.damaged(path: path, detail: what) }
        guard try Schema.keepsChecksums(database) else { return }
        let checksum = try CheckedTable.isKept(database) ? Self.checksum(database) : oldChecksum
        guard try checksum == rows.fact("description_checksum") else {
            throw StoreError.damaged(path: path, detail: "its tables meta, model, layer and class are not what was written")
        }
    }
}

/// The rows that a description is read from.
private struct StoredDescription {
    let database: Database
    let path: String

    var contradiction: StoreError {
        .damaged(path: path, detail: "its tables meta, layer and class contradict each other")
    }

    /// A value of `meta` that every store has.
    func fact<Value: DatabaseValueConvertible>(_ key: String) throws -> Value {
        guard let value = try Value.fetchOne(database, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key]) else {
            throw StoreError.damaged(path: path, detail: "its table meta has no \(key)")
        }
        return value
    }

    /// A value of `meta` that not every store has.
    func occasional(_ key: String) throws -> String? {
        try String.fetchOne(database, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
    }

    func model() throws -> ModelRecord {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM model") else {
            throw StoreError.damaged(path: path, detail: "its table model is empty")
        }
        return try ModelRecord(
            name: row.decode(forColumn: "name"), path: row.decode(forColumn: "path"), sha256: row.decode(forColumn: "sha256"),
            inputChannels: row.decode(forColumn: "input_channels"), inputHeight: row.decode(forColumn: "input_height"),
            inputWidth: row.decode(forColumn: "input_width"), opset: row.decode(forColumn: "opset"),
            output: occasional("output"),
            others: list("outputs"), precision: occasional("precision"),
            choice: LayerChoice(record: occasional("record"), layers: occasional("layers")),
            answer: occasional("answer").flatMap { AnswerForm(rawValue: $0) }, inputs: occasional("inputs"),
            outputNames: list("output_names"))
    }

    /// A list of names that not every store has.
    private func list(_ key: String) throws -> [String] {
        guard let text = try occasional(key) else { return [] }
        guard let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
            throw StoreError.damaged(path: path, detail: "its table meta has \(key) that are no list of names")
        }
        return names
    }

    /// In order, and how many neurons they have.
    func layers() throws -> (layers: [LayerRecord], neurons: Int) {
        var layers: [LayerRecord] = []
        var neurons = 0
        for (ordinal, row) in try Row.fetchAll(database, sql: "SELECT * FROM layer ORDER BY ordinal").enumerated() {
            let layer = try LayerRecord(row: row)
            let sides = 1...StoreDescription.largestSide
            guard sides.contains(layer.height), sides.contains(layer.width), (1...Schema.neuronLimit).contains(layer.channels),
                try row.decode(forColumn: "ordinal") == ordinal, try row.decode(forColumn: "first_neuron") == neurons,
                try row.decode(forColumn: "position_bytes") == layer.positionBytes
            else { throw contradiction }
            layers.append(layer)
            neurons += layer.channels
            guard neurons <= Schema.neuronLimit else { throw contradiction }
        }
        return (layers, neurons)
    }

    /// By channel.
    func classes() throws -> [String] {
        try Row.fetchAll(database, sql: "SELECT id, name FROM class ORDER BY id").enumerated().map { channel, row in
            guard try row.decode(atIndex: 0) == channel else { throw contradiction }
            return try row.decode(atIndex: 1)
        }
    }
}

extension LayerChoice {
    /// Nil where one is not there, or tells nothing.
    fileprivate init?(record: String?, layers: String?) {
        guard let record, let layers, let patterns = try? JSONDecoder().decode([String].self, from: Data(layers.utf8))
        else { return nil }
        self.init(beforeActivation: record == "pre", patterns: patterns)
    }
}

extension LayerRecord {
    fileprivate init(row: Row) throws {
        var field: ReceptiveFieldRecord?
        if let height: Int = try row.decode(forColumn: "receptive_field_height") {
            field = try ReceptiveFieldRecord(
                height: height, width: row.decode(forColumn: "receptive_field_width"),
                strideY: row.decode(forColumn: "receptive_field_stride_y"),
                strideX: row.decode(forColumn: "receptive_field_stride_x"),
                offsetY: row.decode(forColumn: "receptive_field_offset_y"),
                offsetX: row.decode(forColumn: "receptive_field_offset_x"))
        }
        try self.init(
            name: row.decode(forColumn: "name"), tensor: row.decode(forColumn: "tensor"),
            operatorName: row.decode(forColumn: "operator"), channels: row.decode(forColumn: "channels"),
            height: row.decode(forColumn: "height"), width: row.decode(forColumn: "width"), receptiveField: field,
            hasMean: row.decode(forColumn: "has_mean"), isLogits: row.decode(forColumn: "is_logits"))
    }
}
