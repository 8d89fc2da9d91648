public import ActivationStore
import Foundation
public import Images
public import NeuralNetwork
import Support
import Synchronization

/// Runs a network over a dataset and writes what its neurons did to a store.
///
/// Each worker has a thread of its own, on which it reads, decodes, resizes and runs its images; one more thread writes. Images
/// reach the store in the dataset's order, so the store's rows do not depend on the number of workers.
public struct Indexer: Sendable {
    /// What a run did.
    public struct Summary: Equatable, Sendable {
        /// Run and stored.
        public var indexed = 0
        /// In the store before, and not changed since.
        public var known = 0
        /// Files that could not be decoded, those of earlier runs included.
        public var skipped = 0
        /// The first of them, with reasons.
        public var skippedExamples: [SkippedRecord] = []
        /// In the store before, but their files have changed since: run anew.
        public var changed: [String] = []
        /// In the store before under a path that is no more.
        public var renamed: [Renaming] = []
        /// Files that the store has by two paths: it was made before a file was known by whatever path.
        public var twice: Repetition?
        /// What the network gave that is no number, on the images of this run.
        public var notNumbers = NotNumbers()
        public var interrupted = false
        /// Seconds that the writing thread spent on the store.
        public var writingSeconds = 0.0
        /// Seconds in all.
        public var seconds = 0.0

        /// What there is before any image is run.
        mutating func take(_ plan: IndexPlan) {
            known = plan.known
            skipped = plan.skipped.count
            skippedExamples = Array(plan.skipped.prefix(10))
            renamed = plan.renamings.map { Renaming(from: $0.from, to: $0.to) }
            twice = plan.twice
        }
    }

    /// A file that was found under another path.
    public struct Renaming: Equatable, Sendable {
        public var from: String
        public var to: String
    }

    public struct Progress: Sendable {
        /// Images done in this run, skipped ones included.
        public var done: Int
        /// Images to do in this run.
        public var total: Int
        public var skipped: Int
        /// Since the first image was begun.
        public var seconds: Double
    }

    private let network: Network
    private let preprocessing: Preprocessing
    private let jobs: Int

    /// - Parameter jobs: workers, each with a thread and memory of its own; a core each is best.
    public init(network: Network, preprocessing: Preprocessing, jobs: Int) {
        precondition(jobs >= 1, "at least one worker")
        self.network = network
        self.preprocessing = preprocessing
        self.jobs = jobs
    }

    /// Indexes the images of `dataset` that are not in the store yet, or have changed since they were, and finishes the store: see ``IndexPlan``.
    /// A file that the store knows under a path that is no more keeps its activations, and gets its new path, label and split.
    ///
    /// - Parameters:
    ///   - progress: called on the calling thread, after every image.
    ///   - isCancelled: asked between images; once true, what is done is kept and the run ends.
    /// - Throws: `StoreError` or `NetworkError`; whole blocks that were committed stay.
    public func run(
        _ dataset: Dataset, into writer: StoreWriter, progress: (Progress) -> Void = { _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> Summary {
        let start = ContinuousClock.now
        var summary = Summary()
        let plan = IndexPlan(dataset, known: try KnownFiles(writer))
        try writer.rename(plan.renamings.map { ($0.id, $0.to, $0.label, $0.split, $0.modified) })
        summary.take(plan)
        for record in plan.refused { try writer.appendSkipped(record) }
        let total = plan.items.count
        // What is done before anybody could stop it needs no plan.
        if total > 0 { try writer.plan(images: total - plan.replaced.count) }
        let queue = ResultQueue<Outcome>(capacity: max(64, 4 * jobs * network.batch), producers: jobs)
        let source = WorkSource(plan.items, isCancelled: isCancelled)
        let workers = try startWorkers(source, queue, thumbnailSide: writer.description.thumbnailSide)
        var done = 0
        var failure: (any Error)?
        while let outcome = queue.take() {
            let began = ContinuousClock.now
            do {
                try store(outcome, in: writer, plan.replaced, &summary)
            } catch {
                failure = error
                break
            }
            summary.writingSeconds += (ContinuousClock.now - began).seconds
            done += 1
            progress(Progress(done: done, total: total, skipped: summary.skipped, seconds: (ContinuousClock.now - start).seconds))
        }
        queue.close()
        source.stop()
        workers.wait()
        if let failure { throw failure }
        summary.interrupted = done < total
        let began = ContinuousClock.now
        try writer.finish(status: summary.interrupted ? .interrupted : .done)
        summary.writingSeconds += (ContinuousClock.now - began).seconds
        summary.seconds = (ContinuousClock.now - start).seconds
        return summary
    }

    /// - Returns: left by each worker when it has ended.
    private func startWorkers(
        _ source: WorkSource, _ queue: ResultQueue<Outcome>, thumbnailSide side: Int?
    ) throws -> DispatchGroup {
        let group = DispatchGroup()
        for worker in try (0..<jobs).map({ _ in try IndexWorker(network, preprocessing, thumbnailSide: side) }) {
            let box = UncheckedBox(worker)
            group.enter()
            let thread = Thread {
                box.value.work(from: source, to: queue)
                queue.finish()
                group.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        return group
    }

    private func store(
        _ outcome: Outcome, in writer: StoreWriter, _ replaced: [ExactString: Int], _ summary: inout Summary
    ) throws {
        switch outcome {
        case .indexed(let result):
            summary.notNumbers.look(at: result.values, of: result.image.path)
            try result.values.withUnsafeBufferPointer { values in
                try result.positions.withUnsafeBufferPointer { positions in
                    try result.means.withUnsafeBufferPointer { means in
                        try writer.append(
                            image: result.image, values: values, positions: positions, means: means,
                            replacing: replaced[ExactString(result.image.path)])
                    }
                }
            }
            summary.indexed += 1
            if replaced[ExactString(result.image.path)] != nil { summary.changed.append(result.image.path) }
        case .skipped(let record):
            try writer.appendSkipped(record)
            summary.skipped += 1
            if summary.skippedExamples.count < 10 { summary.skippedExamples.append(record) }
        case .failed(let error):
            throw error
        }
    }
}

/// What became of one file.
enum Outcome: Sendable {
    case indexed(IndexedImage)
    case skipped(SkippedRecord)
    case failed(any Error)
}

struct IndexedImage: Sendable {
    var image: ImageRecord
    var values: [Float]
    var positions: [UInt32]
    var means: [Float]
}

/// Deals out the images that are to be done, each once.
package final class WorkSource: Sendable {
    private let items: [Dataset.Item]
    private let isCancelled: @Sendable () -> Bool
    private let next = Atomic<Int>(0)
    private let stopped = Atomic<Bool>(false)

    package init(_ items: [Dataset.Item], isCancelled: @escaping @Sendable () -> Bool) {
        self.items = items
        self.isCancelled = isCancelled
    }

    package func take() -> (sequence: Int, item: Dataset.Item)? {
        guard !stopped.load(ordering: .relaxed), !isCancelled() else { return nil }
        let sequence = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return sequence < items.count ? (sequence, items[sequence]) : nil
    }

    package func stop() { stopped.store(true, ordering: .relaxed) }
}

/// Carries what one thread hands over to another for good.
package struct UncheckedBox<Value>: @unchecked Sendable {
    package let value: Value
    package init(_ value: Value) { self.value = value }
}

extension Duration {
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
