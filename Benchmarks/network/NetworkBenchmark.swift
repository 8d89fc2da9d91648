import ArgumentParser
import Foundation
import NeuralNetwork
import Synchronization

/// The network stage alone: forward, with the maxima and positions of every recorded neuron, on random input.
@main
struct NetworkBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network-benchmark", abstract: "Images a second of the network stage, maxima and positions included.")

    @Argument(help: "An ONNX file.")
    var model: String

    @Option(help: "Workers.")
    var jobs = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "Images a worker runs at once.")
    var batch = 2

    @Option(help: "Seconds to run, after a second's warm-up.")
    var seconds = 5.0

    @Flag(help: "Time of every layer, on one worker.")
    var layers = false

    func run() throws {
        var options = Network.Options()
        options.batch = batch
        let start = ContinuousClock.now
        let network = try Network(contentsOf: model, options: options)
        let loaded = ContinuousClock.now - start
        print(String(format: "load %.3f s", Double(loaded.components.attoseconds) * 1e-18 + Double(loaded.components.seconds)))
        if layers { return try printLayers(network) }
        let counter = Atomic<Int>(0)
        let stopped = Atomic<Bool>(false)
        let box = try (0..<jobs).map { _ in Unchecked(value: try Self.worker(network)) }
        let threads = box.map { worker in
            let thread = Thread {
                while !stopped.load(ordering: .relaxed) {
                    guard (try? worker.value.run()) != nil else { return }
                    counter.add(network.batch, ordering: .relaxed)
                }
            }
            thread.start()
            return thread
        }
        Thread.sleep(forTimeInterval: 1)
        let begin = (counter.load(ordering: .relaxed), ContinuousClock.now)
        Thread.sleep(forTimeInterval: seconds)
        let elapsed = ContinuousClock.now - begin.1
        let done = counter.load(ordering: .relaxed) - begin.0
        stopped.store(true, ordering: .relaxed)
        while threads.contains(where: { !$0.isFinished }) { Thread.sleep(forTimeInterval: 0.01) }
        let time = Double(elapsed.components.attoseconds) * 1e-18 + Double(elapsed.components.seconds)
        print(String(format: "forward neurodex %.1f images/s (%d workers, batch %d)", Double(done) / time, jobs, network.batch))
    }

    private func printLayers(_ network: Network) throws {
        let worker = try Self.worker(network)
        for _ in 0..<20 { try worker.run() }
        var best = [String: Double]()
        var order: [String] = []
        for _ in 0..<50 {
            for (layer, time) in try worker.runTimed() {
                if best[layer] == nil { order.append(layer) }
                best[layer] = min(best[layer] ?? .infinity, time)
            }
        }
        for layer in order {
            print(String(format: "%9.1f µs an image  ", (best[layer] ?? 0) * 1e6 / Double(network.batch)) + layer)
        }
        print(String(format: "%9.1f µs an image in all", best.values.reduce(0, +) * 1e6 / Double(network.batch)))
    }

    private static func worker(_ network: Network) throws -> Worker {
        let worker = try network.makeWorker()
        var random = SystemRandomNumberGenerator()
        for image in 0..<network.batch {
            let input = worker.input(image: image)
            for index in input.indices { input[index] = Float(Int(random.next() >> 48) - 32768) / 16384 }
        }
        return worker
    }
}

private struct Unchecked<Value>: @unchecked Sendable { let value: Value }
