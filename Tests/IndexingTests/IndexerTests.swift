import ActivationStore
import Foundation
import Images
import Indexing
import NeuralNetwork
import Synchronization
import TestSupport
import Testing

/// The pipeline: the same rows whatever runs beside what, and results in the order of the work.
@Suite struct IndexerTests {
    private func dump(jobs: Int, batch: Int, images: Int = 120) throws -> StoreDump {
        let folder = try TemporaryFolder()
        var options = Network.Options()
        options.batch = batch
        let network = try Network(contentsOf: Fixtures.path("petshop.onnx"), options: options)
        let recipe = Preprocessing(.torchvision, input: .init(width: 96, height: 96), channelCount: 3)
        let description = try StoreDescription(network, preprocessing: recipe, classes: [], blockImages: 50, topCount: 10)
        let writer = try StoreWriter.open(
            path: folder.file("a.sqlite"), description: description, run: RunRecord(toolVersion: "test"))
        var dataset = try Dataset(paths: [Fixtures.path("awkward"), Fixtures.path("petshop/test")])
        dataset.items = Array(dataset.items.prefix(images))
        let summary = try Indexer(network: network, preprocessing: recipe, jobs: jobs).run(dataset, into: writer)
        #expect(summary.indexed + summary.skipped == images)
        #expect(summary.skipped == 3)
        return try StoreDump(folder.file("a.sqlite"))
    }

    @Test func rowsDoNotDependOnTheNumberOfWorkers() throws {
        let one = try dump(jobs: 1, batch: 2)
        for jobs in [2, 3, 7] { #expect(try dump(jobs: jobs, batch: 2).differences(from: one) == [], "\(jobs) workers") }
    }

    @Test func rowsDoNotDependOnTheBatch() throws {
        let one = try dump(jobs: 2, batch: 1)
        for batch in [2, 3, 4] { #expect(try dump(jobs: 2, batch: batch).differences(from: one) == [], "batch of \(batch)") }
    }

    @Test func aCancelledRunKeepsWhatIsDoneAndGoesOn() throws {
        let folder = try TemporaryFolder()
        let network = try Network(contentsOf: Fixtures.path("petshop.onnx"))
        let recipe = Preprocessing(.torchvision, input: .init(width: 96, height: 96), channelCount: 3)
        let description = try StoreDescription(network, preprocessing: recipe, classes: [], blockImages: 16, topCount: 10)
        let dataset = try Dataset(paths: [Fixtures.path("petshop/test")])
        func run(_ name: String, stopAfter: Int) throws -> Indexer.Summary {
            let writer = try StoreWriter.open(
                path: folder.file(name), description: description, run: RunRecord(toolVersion: "test"))
            let asked = Atomic<Int>(0)
            return try Indexer(network: network, preprocessing: recipe, jobs: 2).run(
                dataset, into: writer, isCancelled: { asked.add(1, ordering: .relaxed).newValue > stopAfter })
        }
        let first = try run("a.sqlite", stopAfter: 60)
        #expect(first.interrupted)
        #expect(first.indexed > 0 && first.indexed <= 60)
        // How many there are to be is known until they are there.
        let cut = try Store.open(path: folder.file("a.sqlite"))
        #expect(try cut.summary().planned == dataset.items.count && cut.summary().images == first.indexed)
        var asked = 0
        let checked = try Rederivation(of: cut, model: nil).run(sample: 9) {
            asked += 1
            return asked > 2
        }
        #expect(checked.images == 2 && checked.findings.isEmpty)
        let second = try run("a.sqlite", stopAfter: .max)
        #expect(!second.interrupted)
        #expect(second.known == first.indexed)
        #expect(second.indexed == dataset.items.count - first.indexed)
        #expect(try Store.open(path: folder.file("a.sqlite")).summary().planned == nil)
        _ = try run("b.sqlite", stopAfter: .max)
        #expect(try StoreDump(folder.file("a.sqlite")).differences(from: StoreDump(folder.file("b.sqlite"))) == [])
    }

    @Test func eachPieceOfWorkIsTakenOnce() throws {
        let source = WorkSource((0..<1000).map { Dataset.Item(path: "\($0)") }, isCancelled: { false })
        let taken = Mutex<[Int]>([])
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            while let (sequence, item) = source.take() {
                #expect(item.path == "\(sequence)")
                taken.withLock { $0.append(sequence) }
            }
        }
        #expect(taken.withLock { $0.sorted() } == Array(0..<1000))
        source.stop()
        #expect(source.take() == nil)
    }

    @Test func resultsComeInOrderAndWorkersDoNotRunAhead() throws {
        let queue = ResultQueue<Int>(capacity: 8, producers: 3)
        let next = Atomic<Int>(0)
        let ahead = Atomic<Int>(0)
        let read = Atomic<Int>(0)
        for _ in 0..<3 {
            Thread.detachNewThread {
                while true {
                    let sequence = next.add(1, ordering: .relaxed).oldValue
                    guard sequence < 500, queue.put(sequence, sequence: sequence) else { break }
                    ahead.max(sequence - read.load(ordering: .relaxed), ordering: .relaxed)
                }
                queue.finish()
            }
        }
        var results: [Int] = []
        while let element = queue.take() {
            results.append(element)
            read.store(results.count, ordering: .relaxed)
            if results.count % 50 == 0 { usleep(2000) }
        }
        #expect(results == Array(0..<500))
        // One more than the capacity where a result was taken but not counted yet.
        #expect(ahead.load(ordering: .relaxed) <= 9)
    }

    @Test func aClosedQueueLetsWorkersGo() throws {
        let queue = ResultQueue<Int>(capacity: 2, producers: 1)
        let refused = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            var sequence = 0
            while queue.put(sequence, sequence: sequence) { sequence += 1 }
            queue.finish()
            refused.signal()
        }
        #expect(queue.take() == 0)
        queue.close()
        #expect(refused.wait(timeout: .now() + 10) == .success)
    }
}
