import Foundation
import Support

extension Store {
    /// Joins stores of parts of a dataset into one: its rows are those of one run over all their images, in the order of the shards' numbers, or
    /// in the order given where they have none.
    ///
    /// - Parameters:
    ///   - shards: stores of the same model, preprocessing, layers and classes.
    ///   - isPartial: whether shards may be missing.
    /// - Throws: ``StoreError``: `exists` where `path` is taken; `differs`; `shards` where one is missing or comes twice, or was not indexed to
    ///   its end; `damaged`, `duplicateImage`. Nothing is left at `path` then.
    public static func merge(_ shards: [String], into path: String, isPartial: Bool = false, run: RunRecord) throws {
        try merge(shards.map { try open(path: $0) }, into: path, isPartial: isPartial, run: run)
    }

    /// As ``merge(_:into:isPartial:run:)``, of stores that are open; each is read by as many connections as it has readers.
    package static func merge(
        _ shards: [Store], into path: String, isPartial: Bool = false, plan: MergePlan = MergePlan(), run: RunRecord
    ) throws {
        precondition(!shards.isEmpty, "nothing to merge")
        guard !path.isEmpty else { throw StoreError.unnamed }
        guard !FileManager.default.fileExists(atPath: path) else { throw StoreError.exists(path: path) }
        let stores = try ordered(shards, isPartial: isPartial)
        let first = stores[0].description
        let lock = try WriterLock(store: path)
        defer { withExtendedLifetime(lock) {} }
        try StoreName.refuseLeftJournal(path)
        try StoreName.replace(path, by: .merging) { temporary in
            var whole = first.whole
            whole.thumbnailSide = stores.compactMap { $0.description.thumbnailSide }.max()
            let writer = try StoreWriter.open(path: temporary, description: whole, run: run)
            let sources = Set(try stores.map { try $0.labelSource() })
            if sources.count == 1, let source = sources.first { _ = try writer.relabel(Relabelling(source: source)) }
            try Activity.run("joining stores", parts: stores.count) {
                for store in stores {
                    try writer.append(contentsOf: store, plan)
                    Activity.step()
                }
            }
            try writer.appendAttributes(of: stores, plan)
            if let origin = plan.origin { try writer.record(origin) }
            try writer.finish()
        }
    }

    /// Sorted by number; as they are where none has one.
    /// - Throws: ``StoreError``: `differs`, `shards` for stores that cannot be joined.
    package static func ordered(_ stores: [Store], isPartial: Bool) throws -> [Store] {
        let sorted = try sorted(stores, isPartial: isPartial)
        for store in sorted.dropFirst() {
            if let difference = sorted[0].description.whole.difference(from: store.description.whole) {
                throw StoreError.differs(
                    path: store.path, property: difference.property, expected: difference.expected, found: difference.found)
            }
        }
        return sorted
    }

    private static func sorted(_ stores: [Store], isPartial: Bool) throws -> [Store] {
        func refusal(_ problem: String) -> StoreError { .shards(problem: problem) }
        for store in stores where try store.lastRunStatus() != .done {
            guard isPartial else {
                throw refusal("\(store.path) was not indexed to its end; run its command again, or merge with --partial")
            }
        }
        let numbers = stores.compactMap(\.description.shard)
        guard !numbers.isEmpty else { return stores }
        guard numbers.count == stores.count else {
            let path = stores.first { $0.description.shard == nil }?.path ?? ""
            throw refusal("\(path) is no shard, and the others are")
        }
        let count = numbers[0].count
        if let other = stores.first(where: { $0.description.shard?.count != count }), let shard = other.description.shard {
            throw refusal("\(other.path) is shard \(shard), and \(stores[0].path) is one of \(count)")
        }
        let byNumber = Dictionary(grouping: stores) { $0.description.shard?.index ?? 0 }
        if let twice = byNumber.first(where: { $0.value.count > 1 }) {
            throw refusal(
                "shard \(twice.key)/\(count) comes twice: \(twice.value.map(\.path).joined(separator: ", "))")
        }
        let missing = (1...count).filter { byNumber[$0] == nil }
        guard missing.isEmpty || isPartial else {
            throw refusal(
                "shard\(missing.count == 1 ? "" : "s") \(missing.prefix(10).map(String.init).joined(separator: ", ")) of \(count) \(missing.count == 1 ? "is" : "are") missing; name all, or merge with --partial"
            )
        }
        return stores.sorted { ($0.description.shard?.index ?? 0) < ($1.description.shard?.index ?? 0) }
    }
}

/// What of stores that are joined is not taken as it is, by the store's path and the image's id.
public struct MergePlan: Sendable {
    /// Images that another store has too.
    public var leftOut: [String: Set<Int>] = [:]
    /// Paths of images that mean something else in the whole.
    public var paths: [String: [Int: String]] = [:]
    /// What paths mean in the whole; nil where no store says.
    public var origin: ImageOrigin?

    public init() {}
}
