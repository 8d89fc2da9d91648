import CKernels
import GRDB
import Support

/// Growing by images that another store has already, column by column.
extension StoreWriter {
    /// Appends the images of `source`, in order, but those that were removed.
    ///
    /// Rows are checked as they are read, so that damage is not carried on under a new checksum.
    /// - Parameter plan: images that are not taken, and paths that are written otherwise.
    /// - Precondition: `source` is of the same model, preprocessing and layers.
    /// - Throws: ``StoreError/damaged(path:detail:)`` for a row of `source` that is damaged, ``StoreError/duplicateImage(path:image:)``;
    ///   what of `source` was committed before stays.
    package func append(contentsOf source: Store, _ plan: MergePlan = MergePlan()) throws {
        let (leftOut, paths) = (plan.leftOut[source.path] ?? [], plan.paths[source.path] ?? [:])
        for record in try source.skipped() { try appendSkipped(record) }
        try source.read { snapshot in
            let (presence, blocks) = try (snapshot.presence(), snapshot.blocks())
            try Activity.run(parts: blocks.count) {
                for (block, lanes) in blocks.enumerated() {
                    let first = block * source.description.blockImages
                    let kept = (0..<lanes).filter { presence?[first + $0] != 0 && !leftOut.contains(first + $0) }
                    try append(kept, ofBlock: block, lanes: lanes, of: snapshot, paths)
                    Activity.step()
                }
            }
        }
    }

    /// In as many pieces as the block being filled has room for.
    private func append(
        _ kept: [Int], ofBlock block: Int, lanes: Int, of source: Snapshot, _ paths: [Int: String]
    ) throws {
        var taken = 0
        while taken < kept.count {
            let room = description.blockImages - buffer.count
            let part = Array(kept[taken..<min(kept.count, taken + room)])
            try append(part: part, ofBlock: block, lanes: lanes, of: source, paths)
            taken += part.count
        }
    }

    private func append(
        part kept: [Int], ofBlock block: Int, lanes: Int, of source: Snapshot, _ paths: [Int: String]
    ) throws {
        let ids = kept.map { block * source.description.blockImages + $0 }
        var images = try source.images(ids: ids)
        if !paths.isEmpty {
            for (index, id) in zip(images.indices, ids) { images[index].path = paths[id] ?? images[index].path }
        }
        for image in images { try admit(image) }
        let runs = Self.runs(kept)
        buffer.transpose()
        let start = buffer.count
        func copy(_ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, width: Int) {
            var target = to + start * width
            for run in runs {
                target.copyMemory(from: from + run.lowerBound * width, byteCount: run.count * width)
                target += run.count * width
            }
        }
        let layers = description.layers.map(\.neurons)
        try source.readers.forEach(layers, rows: description.neuronCount) { source, parts in
            let scan = try source.scan()
            try parts.take { neurons in
                try scan.rows(block: block, lanes: lanes, neurons: neurons) { row in
                    let column = buffer.column(layer: row.layer, channel: row.channel)
                    copy(row.values, column.values, width: 4)
                    if column.width > 0 { copy(row.positions, column.positions, width: column.width) }
                }
            }
        }
        try BlockRows.readMeans(source, block: block, lanes: lanes) {
            layer, channel, bytes in
            if let column = buffer.meanColumn(layer: layer, channel: channel) { copy(bytes, column, width: 4) }
        }
        try take(images, lanes: start + kept.count)
    }

    /// Lanes as ranges of neighbours.
    private static func runs(_ lanes: [Int]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for lane in lanes {
            if let last = runs.last, last.upperBound == lane {
                runs[runs.count - 1] = last.lowerBound..<lane + 1
            } else {
                runs.append(lane..<lane + 1)
            }
        }
        return runs
    }
}

extension Snapshot {
    /// The records of images that are there, in the order of `ids`.
    func images(ids: [Int]) throws -> [ImageRecord] {
        guard let first = ids.first, let last = ids.last else { return [] }
        let wanted = Set(ids)
        let found = try images("WHERE image.id BETWEEN ? AND ? ORDER BY image.id", [first, last])
        let thumbnails = try Store.thumbnails(database, ids: ids)
        return found.filter { wanted.contains($0.id) }.map { image in
            ImageRecord(
                path: image.path, sha256: image.sha256, width: image.width, height: image.height, bytes: image.bytes,
                modified: image.modified, label: image.label, split: image.split, predictedClass: image.predictedClass,
                predictedScore: image.predictedScore.map { Float($0) }, thumbnail: thumbnails[image.id])
        }
    }
}
