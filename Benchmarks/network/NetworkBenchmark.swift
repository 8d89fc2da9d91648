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

    @Flag(help: "Convolutions multiply numbers of 8 significant bits.")
    var bfloat16 = false

    @Flag(help: "CPU time of every step, on one worker.")
    var layers = false

    func run() throws {
        var options = Network.Options()
        options.batch = batch
        options.precision = bfloat16 ? .bfloat16 : .float32
        let start = ContinuousClock.now
        let network = try Network(contentsOf: model, options: options)
        let loaded = seconds(since: start)
        try Self.worker(network).run()
        print(String(format: "load %.3f s, first image %.3f s", loaded, seconds(since: start)))
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
        let (first, begin, cpu) = (counter.load(ordering: .relaxed), ContinuousClock.now, Self.cpuSeconds)
        Thread.sleep(forTimeInterval: seconds)
        let (time, used) = (self.seconds(since: begin), Self.cpuSeconds - cpu)
        let done = Double(counter.load(ordering: .relaxed) - first)
        stopped.store(true, ordering: .relaxed)
        while threads.contains(where: { !$0.isFinished }) { Thread.sleep(forTimeInterval: 0.01) }
        print(
            String(
                format: "forward neurodex %.1f images/s, %.1f ms of CPU time an image (%d workers, batch %d)", done / time,
                used * 1e3 / done, jobs, network.batch))
    }

    private func seconds(since start: ContinuousClock.Instant) -> Double {
        let time = (ContinuousClock.now - start).components
        return Double(time.seconds) + Double(time.attoseconds) * 1e-18
    }

    /// Of the whole process.
    private static var cpuSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
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
        var state: UInt32 = 1
        for image in 0..<network.batch {
            let input = worker.input(image: image)
            for index in input.indices {
                state = state &* 1_664_525 &+ 1_013_904_223
                input[index] = Float(Int(state >> 16) - 32768) / 16384
            }
        }
        return worker
    }
}

private struct Unchecked<Value>: @unchecked Sendable { let value: Value }
