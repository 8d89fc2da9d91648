import CKernels
import GRDB
import Support

/// What a check of a whole store found.
public struct Verification: Equatable, Sendable {
    /// One sentence for each fault, saying what is lost. Empty: the store is whole.
    public var findings: [String] = []
    /// Faults not listed because there were too many.
    public var unlisted = 0
    public var images = 0
    public var activationRows = 0
    public var meanRows = 0
    public var statistics = 0
    public var topEntries = 0
    public var explanations = 0
    public var thumbnails = 0
    public var attributes = 0

    public var isWhole: Bool { findings.isEmpty }

    static let listed = 100

    mutating func report(_ sentence: String) {
        if findings.count < Self.listed { findings.append(sentence) } else { unlisted += 1 }
    }
}

extension Store {
    /// Reads everything and compares what can be compared: SQLite's own structure; that every block has every neuron's row with
    /// the right lengths, checksum and zone map; that image ids are dense; and that statistics and lists, made again from the
    /// blocks, are what the file says. Faults are returned, not thrown.
    public func verify() throws -> Verification {
        var result = Verification()
        do {
            try read { snapshot in
                let messages = try Activity.run("checking the file's structure") {
                    try snapshot.texts("PRAGMA integrity_check(20)")
                }
                for message in messages where message != "ok" {
                    result.report("SQLite's integrity check says: \(message).")
                }
                try StoreCheck(snapshot: snapshot).run(&result)
            }
        } catch let error as StoreError {
            result.report("The check could not go on: \(error).")
        }
        return result
    }
}

/// One check in one read transaction.
private struct StoreCheck {
    let snapshot: Snapshot
    var store: Store { snapshot.store }
    var database: Database { snapshot.database }
    var description: StoreDescription { store.description }

    func run(_ result: inout Verification) throws {
        let images = try Store.laneCount(database, blockImages: description.blockImages)
        guard try snapshot.canHold(lanes: images) else {
            result.report("The store tells of \(images) images, more than its bytes can hold: all is lost.")
            return
        }
        let blocks = Store.blocks(of: images, size: description.blockImages)
        result.images = try Int.fetchOne(database, sql: "SELECT count(*) FROM image") ?? 0
        let removed = try Store.removedCount(database)
        guard (0...images).contains(removed) else {
            result.report("The store tells of \(removed) removed images of \(images): which ones are there cannot be said.")
            return
        }
        if result.images + removed != images {
            let lost = images - removed - result.images
            result.report(
                "Image ids go up to \(images - 1)\(removed == 0 ? "" : ", \(removed) were removed,") but there are \(result.images) images: \(lost) are lost."
            )
        }
        try checkImages(&result)
        let derived = DerivedState(description, images: images)
        let isWhole = try Activity.run("checking activations", parts: blocks.count * description.neuronCount) {
            try checkActivations(blocks, derived, &result)
        }
        try checkMeans(blocks, &result)
        try checkExplanations(&result)
        try checkOthers(&result)
        // They cover removed images too, whose lanes are still there.
        guard try Store.derivedThrough(database) == images else {
            let through = try Store.derivedThrough(database)
            if through > images {
                result.report("Statistics cover \(through) images but there are \(images): \(through - images) are lost.")
            }
            return
        }
        // From damaged blocks nothing can be made again that would tell more.
        guard isWhole else { return }
        try Activity.run("checking statistics and lists", parts: 2) {
            try checkStatistics(derived, &result)
            Activity.step()
            try checkLists(derived, &result)
        }
    }

    private func name(_ neuron: Int) -> String {
        guard neuron >= 0, neuron < description.neuronCount else { return "the unknown neuron \(neuron)" }
        let layer = description.layer(ofNeuron: neuron)
        return "\(layer.name):\(neuron - layer.firstNeuron)"
    }

    private func lost(_ neuron: Int, _ block: Int, _ lanes: Int) -> String {
        let first = block * description.blockImages
        return "the activations of \(name(neuron)) on images \(first) to \(first + lanes - 1) are lost"
    }

    private func checkImages(_ result: inout Verification) throws {
        let before = result.findings.count + result.unlisted
        let rows = try snapshot.imageRows("ORDER BY image.id")
        while try rows.stepUnchecked() {
            guard !rows.isIntact else { continue }
            result.report(
                "The row of image \(rows.id) (\(rows.imagePath)) differs from its checksum: what is known of it is lost.")
        }
        guard result.findings.count + result.unlisted == before else { return }
        do {
            try snapshot.checkImages()
        } catch StoreError.damaged(_, let detail) {
            result.report("Images cannot be looked up: \(detail).")
        }
    }

    /// True if every row is as it should be.
    private func checkActivations(_ blocks: [Int], _ derived: DerivedState, _ result: inout Verification) throws -> Bool {
        let before = result.findings.count + result.unlisted
        let neurons = description.neuronCount
        let select = try RawStatement(
            database, "SELECT id, n, value_max, checksum, value, position FROM activation_block ORDER BY id")
        var expected = 0
        while try select.step() {
            let key = select.int(0)
            let (block, neuron) = (key >> 20, key & (Schema.neuronLimit - 1))
            guard neuron < neurons, blocks.indices.contains(block) else {
                result.report("Row \(key) of activation_block belongs to no image and no neuron.")
                continue
            }
            while expected < block * neurons + neuron {
                let (block, neuron) = expected.quotientAndRemainder(dividingBy: neurons)
                result.report("A row of block \(block) is missing: \(lost(neuron, block, blocks[block])).")
                expected += 1
            }
            expected += 1
            result.activationRows += 1
            Activity.step()
            check(select, block: block, neuron: neuron, lanes: blocks[block], derived, &result)
        }
        while expected < blocks.count * neurons {
            let (block, neuron) = expected.quotientAndRemainder(dividingBy: neurons)
            result.report("A row of block \(block) is missing: \(lost(neuron, block, blocks[block])).")
            expected += 1
        }
        return result.findings.count + result.unlisted == before
    }

    private func check(
        _ row: RawStatement, block: Int, neuron: Int, lanes: Int, _ derived: DerivedState, _ result: inout Verification
    ) {
        let layer = description.layer(ofNeuron: neuron)
        let width = layer.positionBytes
        let values = row.bytes(4)
        let positions = row.bytes(5)
        guard row.int(1) == lanes, values.count == lanes * 4, positions.count == lanes * width, let start = values.baseAddress
        else {
            result.report("A row of block \(block) does not hold \(lanes) images: \(lost(neuron, block, lanes)).")
            return
        }
        guard checksum(values, positions) == row.int(3) else {
            result.report("A checksum of block \(block) differs: \(lost(neuron, block, lanes)).")
            return
        }
        let maximum = ndx_column_maximum(start, lanes)
        // Not rounded to a float: readers refuse what is none.
        let zone = row.isNull(2) ? Double.nan : row.double(2)
        if Double(maximum) != zone && !(maximum.isNaN && zone.isNaN) {
            result.report(
                "The maximum of \(name(neuron)) in block \(block) is \(maximum), and its row says \(zone); searches may miss it.")
        }
        let positionStart = positions.baseAddress ?? start
        for lane in 0..<lanes where ndx_position(positionStart, width, lane) >= layer.height * layer.width {
            result.report("A position of \(name(neuron)) in block \(block) is outside the layer's map.")
            break
        }
        derived.fold(
            neuron: neuron, values: start, positions: positionStart, width: width, lanes: 0, lanes, block: block)
    }

    private func checkMeans(_ blocks: [Int], _ result: inout Verification) throws {
        let select = try RawStatement(database, "SELECT n, checksum, mean FROM mean_block WHERE id = ?")
        for (block, lanes) in blocks.enumerated() {
            for layer in description.layers where layer.hasMean {
                for neuron in layer.neurons {
                    select.bind(1, Schema.key(block: block, neuron: neuron))
                    let first = block * description.blockImages
                    let what = "the means of \(name(neuron)) on images \(first) to \(first + lanes - 1) are lost"
                    if try !select.step() {
                        result.report("A row of means of block \(block) is missing: \(what).")
                    } else if select.int(0) != lanes || select.bytes(2).count != lanes * 4 {
                        result.report("A row of means of block \(block) does not hold \(lanes) images: \(what).")
                    } else if checksum(select.bytes(2)) != select.int(1) {
                        result.report("A checksum of the means of block \(block) differs: \(what).")
                    } else {
                        result.meanRows += 1
                    }
                    select.reset()
                }
            }
        }
    }

    private func checkExplanations(_ result: inout Verification) throws {
        guard try Store.keepsExplanations(database) else { return }
        try CheckedTable.explanation.visit(database, "ORDER BY id") { row, isIntact in
            if try isIntact && Store.isWhole(row, database) {
                result.explanations += 1
            } else {
                let facts = ["id", "method", "target"].map { (row[$0] as DatabaseValue).description }
                result.report(
                    "Explanation \(facts[0]) (\(facts[1]) of \(facts[2])) differs from its checksum; asked for again it is made anew."
                )
            }
        }
    }

    /// Runs, files that were skipped, and the fitted last layer.
    private func checkOthers(_ result: inout Verification) throws {
        let tables: [(CheckedTable, String)] = [
            (.run, "what it says is lost"), (.skippedImage, "index the images again to try the file again"),
            (.camHead, "fit it anew with: neurodex cam fit"),
        ]
        try checkThumbnails(&result)
        try checkAttributes(&result)
        for (table, consequence) in tables where try database.tableExists(table.name) {
            try table.visit(database) { row, isIntact in
                guard !isIntact else { return }
                result.report(
                    "The row of \(table.title(row)) in the table \(table.name) differs from its checksum; \(consequence).")
            }
        }
    }

    private func checkThumbnails(_ result: inout Verification) throws {
        guard try Store.keepsThumbnails(database) else { return }
        let images = try Set(Int.fetchCursor(database, sql: "SELECT id FROM image"))
        try CheckedTable.thumbnail.visit(database) { row, isIntact in
            let id = row["image_id"] as DatabaseValue
            if !isIntact {
                result.report(
                    "The thumbnail of image \(id) differs from its checksum; index the image again with --thumbnails to make it anew."
                )
            } else if Int.fromDatabaseValue(id).map({ images.contains($0) }) != true {
                result.report("There is a thumbnail of an image \(id), which is not in the store.")
            } else {
                result.thumbnails += 1
            }
        }
    }

    private func checkAttributes(_ result: inout Verification) throws {
        guard try Store.keepsAttributes(database) else { return }
        let images = try Store.laneCount(database, blockImages: description.blockImages)
        try CheckedTable.attribute.visit(database, "ORDER BY name") { row, isIntact in
            let name = (row["name"] as DatabaseValue).description
            let texts = ["name", "kind", "list"].compactMap { String.fromDatabaseValue(row[$0] as DatabaseValue) }
            let attribute = texts.count == 3 ? Attribute(name: texts[0], kind: texts[1], list: texts[2]) : nil
            guard isIntact, let attribute else {
                result.report(
                    "The attribute \(name) differs from its checksum, or is no list of numbers: its values are lost; neurodex attributes --import writes it anew."
                )
                return
            }
            result.attributes += 1
            if attribute.values.count > images {
                result.report("The attribute \(name) has values of \(attribute.values.count) images; the store has \(images).")
            }
        }
    }

    private func checkStatistics(_ derived: DerivedState, _ result: inout Verification) throws {
        let stored = try Int.fetchOne(database, sql: "SELECT count(*) FROM neuron_statistics") ?? 0
        let neurons = try Store.derivedThrough(database) == 0 ? 0 : description.neuronCount
        if stored != neurons { result.report("There are statistics of \(stored) neurons, not of \(neurons).") }
        let rows = try snapshot.statisticsRows()
        for neuron in 0..<neurons {
            var found: NeuronStatistics?
            do {
                try rows.visit(neuron..<neuron + 1) { found = NeuronStatistics(row: $0) }
            } catch is StoreError {
                found = nil
            }
            if found != nil { result.statistics += 1 }
            if found != derived.result(neuron: neuron) {
                result.report("The statistics of \(name(neuron)) are not those of its activations.")
            }
        }
    }

    private func checkLists(_ derived: DerivedState, _ result: inout Verification) throws {
        guard try Store.derivedThrough(database) > 0 else { return }
        let lists = try snapshot.topLists()
        for neuron in 0..<description.neuronCount {
            let found = try? lists.list(neuron: neuron)
            result.topEntries += found?.count ?? 0
            if found != derived.strongest(neuron: neuron) {
                result.report("The list of the strongest images of \(name(neuron)) is not that of its activations.")
            }
        }
    }
}
