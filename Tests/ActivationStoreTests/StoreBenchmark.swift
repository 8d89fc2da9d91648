import ActivationStore
import Foundation
import TestSupport
import Testing

/// What writing and reading cost; run with NEURODEX_BENCHMARK=1, not among ordinary tests.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["NEURODEX_BENCHMARK"] != nil), .serialized)
struct StoreBenchmark {
    /// Seconds that the process computed, which other programs on the machine do not lengthen.
    private func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    @Test func writing() throws {
        let folder = try TemporaryFolder(onDisk: true)
        let path = folder.file("s.sqlite")
        let sides = [112, 56, 28, 14, 7]
        let layers = zip([64, 256, 512, 1024, 2240], sides).enumerated().map { index, shape in
            LayerRecord(
                name: "l\(index)", tensor: "t\(index)", operatorName: "Conv", channels: shape.0, height: shape.1, width: shape.1)
        }
        let dataset = RecordedDataset(images: 0, layers: layers, seed: 1)
        let neurons = dataset.description.neuronCount
        let images = 640 * 16 + 100

        // A pool of images, 12 % zeros and log-normal for the rest, handed over again and again from different neurons.
        var random = SeededGenerator(seed: 1)
        let pool = (0..<neurons * 64).map { _ -> Float in
            let u = Float.random(in: 0..<1, using: &random)
            return u < 0.12 ? 0 : exp(Float.random(in: -2...2, using: &random) + Float.random(in: -2...2, using: &random))
        }
        let places = [UInt32](unsafeUninitializedCapacity: neurons) { buffer, count in
            for neuron in 0..<neurons { buffer[neuron] = UInt32(neuron % 49) }
            count = neurons
        }
        let writer = try dataset.open(path)
        let clock = ContinuousClock()
        let start = clock.now
        let startCPU = cpuSeconds()
        var slowest = Duration.zero
        for index in 0..<images {
            let image = ImageRecord(
                path: "\(index)", sha256: Data(repeating: 1, count: 32), width: 1, height: 1, bytes: 1, modified: 1, label: "a")
            let offset = (index * 7919) % (neurons * 63)
            let before = clock.now
            try pool.withUnsafeBufferPointer { values in
                try places.withUnsafeBufferPointer { positions in
                    try writer.append(
                        image: image, values: UnsafeBufferPointer(rebasing: values[offset..<offset + neurons]),
                        positions: positions, means: UnsafeBufferPointer(start: nil, count: 0))
                }
            }
            slowest = max(slowest, clock.now - before)
        }
        let appended = clock.now - start
        let appendedCPU = cpuSeconds() - startCPU
        try writer.finish()
        let all = clock.now - start
        let activations = Double(images * neurons)
        let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        print("appending: \(activations / 1e6 / (appended / .seconds(1))) million activations/s, slowest append \(slowest)")
        print("appending, by CPU time: \(activations / 1e6 / appendedCPU) million/s")
        print("finishing: \(all - appended); together \(activations / 1e6 / (all / .seconds(1))) million/s")
        print("bytes for an activation: \(Double(bytes) / activations)")

        let store = try Store.open(path: path)
        let opened = clock.now
        let column = try store.column(neuron: 3000)
        print("one neuron's column of \(column.values.count) images: \(clock.now - opened)")
        let verified = clock.now
        #expect(try store.verify().findings == [])
        print("verify: \(clock.now - verified)")
        let resumed = clock.now
        let again = try dataset.open(path)
        print("opening to go on: \(clock.now - resumed)")
        #expect(again.imageCount == images)
    }
}
