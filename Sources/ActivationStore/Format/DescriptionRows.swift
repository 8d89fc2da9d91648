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
            ("outputs", model.others.isEmpty ? nil : String(decoding: try JSONEncoder().encode(model.others), as: UTF8.self)),
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
        func fact<Value: DatabaseValueConvertible>(_ key: String) throws -> Value {
            guard let value = try Value.fetchOne(database, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key]) else {
                throw StoreError.damaged(path: path, detail: "its table meta has no \(key)")
            }
            return value
        }
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM model") else {
            throw StoreError.damaged(path: path, detail: "its table model is empty")
        }
        func occasional(_ key: String) throws -> String? {
            try String.fetchOne(database, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
        }
        let others = try occasional("outputs").map { text in
            guard let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
                throw StoreError.damaged(path: path, detail: "its table meta has outputs that are no list of names")
            }
            return names
        }
        let model = try ModelRecord(
            name: row.decode(forColumn: "name"), path: row.decode(forColumn: "path"), sha256: row.decode(forColumn: "sha256"),
            inputChannels: row.decode(forColumn: "input_channels"), inputHeight: row.decode(forColumn: "input_height"),
            inputWidth: row.decode(forColumn: "input_width"), opset: row.decode(forColumn: "opset"),
            output: occasional("output"),
            others: others ?? [], precision: occasional("precision"),
            choice: LayerChoice(record: occasional("record"), layers: occasional("layers")),
            answer: occasional("answer").flatMap { AnswerForm(rawValue: $0) }, inputs: occasional("inputs"))
        func contradiction() -> StoreError {
            .damaged(path: path, detail: "its tables meta, layer and class contradict each other")
        }
        var layers: [LayerRecord] = []
        var neurons = 0
        for (ordinal, row) in try Row.fetchAll(database, sql: "SELECT * FROM layer ORDER BY ordinal").enumerated() {
            let layer = try LayerRecord(row: row)
            let sides = 1...Self.largestSide
            guard sides.contains(layer.height), sides.contains(layer.width), (1...Schema.neuronLimit).contains(layer.channels),
                try row.decode(forColumn: "ordinal") == ordinal, try row.decode(forColumn: "first_neuron") == neurons,
                try row.decode(forColumn: "position_bytes") == layer.positionBytes
            else { throw contradiction() }
            layers.append(layer)
            neurons += layer.channels
            guard neurons <= Schema.neuronLimit else { throw contradiction() }
        }
        let rows = try Row.fetchAll(database, sql: "SELECT id, name FROM class ORDER BY id")
        let classes: [String] = try rows.enumerated().map { channel, row in
            guard try row.decode(atIndex: 0) == channel else { throw contradiction() }
            return try row.decode(atIndex: 1)
        }
        let blockImages: Int = try fact("block_images")
        let topCount: Int = try fact("top_count")
        let shard = try occasional("shard").flatMap { Shard($0) }
        guard !layers.isEmpty, try neurons == fact("neurons"), (1...Schema.largestBlock).contains(blockImages),
            (1...Self.longestList).contains(topCount)
        else { throw contradiction() }
        self.init(
            model: model, preprocessing: try fact("preprocessing"), preprocessingHash: try fact("preprocessing_hash"),
            layers: layers, classes: classes, blockImages: blockImages, topCount: topCount, shard: shard,
            thumbnailSide: try occasional("thumbnails").flatMap { Int($0) }.flatMap { Thumbnail.sides.contains($0) ? $0 : nil })
        if let what = impossibility { throw StoreError.damaged(path: path, detail: what) }
        guard try Schema.keepsChecksums(database) else { return }
        let checksum = try CheckedTable.isKept(database) ? Self.checksum(database) : oldChecksum
        guard try checksum == fact("description_checksum") else {
            throw StoreError.damaged(path: path, detail: "its tables meta, model, layer and class are not what was written")
        }
    }

    /// What makes `self`, which a run wants to write, unfit for a store that is `stored`: the first property that differs.
    func difference(from stored: StoreDescription) -> (property: String, expected: String, found: String)? {
        func input(_ model: ModelRecord) -> String { "\(model.inputChannels)×\(model.inputHeight)×\(model.inputWidth)" }
        if model.sha256 != stored.model.sha256 {
            return (
                "model", "\(model.name) (SHA-256 \(model.sha256.prefix(12))…)",
                "\(stored.model.name) (SHA-256 \(stored.model.sha256.prefix(12))…)"
            )
        }
        if model.output != stored.model.output {
            return ("output", model.output ?? "the model's first output", stored.model.output ?? "the model's first output")
        }
        if model.inputs != stored.model.inputs {
            return ("values of inputs beside the image (--input)", model.inputs ?? "none", stored.model.inputs ?? "none")
        }
        if model.others != stored.model.others {
            func text(_ names: [String]) -> String {
                names.isEmpty ? "one output" : "also the outputs \(names.joined(separator: ", "))"
            }
            return ("outputs", text(model.others), text(stored.model.others))
        }
        if model.precision != stored.model.precision {
            return ("precision", model.precision ?? "float32", stored.model.precision ?? "float32")
        }
        if input(model) != input(stored.model) { return ("input size", input(model), input(stored.model)) }
        if preprocessingHash != stored.preprocessingHash {
            let facts = Self.differingFields(preprocessing, stored.preprocessing)
            return ("preprocessing", facts.0, facts.1)
        }
        for (wanted, kept) in zip(layers, stored.layers) where wanted != kept {
            let facts = (wanted.summary, kept.summary)
            return facts.0 == facts.1
                ? ("layer list", "other facts of layer \(wanted.name)", "layer \(kept.name)") : ("layer list", facts.0, facts.1)
        }
        if layers.count != stored.layers.count {
            return ("layer list", "\(layers.count) layers", "\(stored.layers.count) layers")
        }
        if let index = classes.indices.first(where: { !stored.classes.indices.contains($0) || classes[$0] != stored.classes[$0] })
        {
            let kept = stored.classes.indices.contains(index) ? stored.classes[index] : "none"
            return ("class list", "class \(index) = \(classes[index])", "class \(index) = \(kept)")
        }
        if classes.count != stored.classes.count {
            return ("class list", "\(classes.count) classes", "\(stored.classes.count) classes")
        }
        if topCount != stored.topCount { return ("--top", "\(topCount)", "\(stored.topCount)") }
        if blockImages != stored.blockImages { return ("block size", "\(blockImages)", "\(stored.blockImages)") }
        if shard != stored.shard {
            func text(_ shard: Shard?) -> String { shard.map { "shard \($0)" } ?? "all of the dataset" }
            return ("part of the dataset", text(shard), text(stored.shard))
        }
        return nil
    }

    /// Of two JSON objects, the fields that differ; both whole where they are no such objects.
    private static func differingFields(_ wanted: String, _ stored: String) -> (String, String) {
        let decoder = JSONDecoder()
        guard let first = try? decoder.decode([String: Field].self, from: Data(wanted.utf8)),
            let second = try? decoder.decode([String: Field].self, from: Data(stored.utf8))
        else { return (wanted, stored) }
        let names = Set(first.keys).union(second.keys).filter { first[$0] != second[$0] }.sorted()
        func text(_ fields: [String: Field]) -> String {
            names.map { "\($0) \(shown($0, fields))" }.joined(separator: ", ")
        }
        /// Sizes with the height first: texts that say nothing of Pillow, those of neurodex 0.1, have the width first.
        func shown(_ name: String, _ fields: [String: Field]) -> String {
            let text = fields[name]?.text ?? "none"
            let sides = text.split(separator: "x")
            guard fields["pillow"] == nil, ["crop", "resize"].contains(name), sides.count == 2 else { return text }
            return "\(sides[1])x\(sides[0])"
        }
        return (text(first), text(second))
    }

    /// A value of a JSON object, as it is shown.
    private struct Field: Decodable, Equatable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            func short(_ number: Double) -> String {
                number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
            }
            if let numbers = try? container.decode([Double].self) {
                text = numbers.map(short).joined(separator: ",")
            } else if let number = try? container.decode(Double.self) {
                text = short(number)
            } else {
                text = try container.decode(String.self)
            }
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

    fileprivate var summary: String {
        "\(name) (\(channels)×\(height)×\(width) of \(tensor)\(hasMean ? ", with means" : ""))"
    }
}
