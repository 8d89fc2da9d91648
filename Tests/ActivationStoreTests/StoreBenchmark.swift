import ActivationStore
import Foundation
import GRDB
import Search
import TestSupport
import Testing

/// What writing and reading cost; run with NEURODEX_BENCHMARK=1, not among ordinary tests.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["NEURODEX_BENCHMARK"] != nil), .serialized)
struct StoreBenchmark {
    /// Images of ResNet-50's 26 560 recorded channels, four fifths of them with maps of at most 256 cells.
    @Test func writingAndReading() throws {
        let sides = [112, 56, 28, 14, 7]
        let layers = zip([64, 2048, 3072, 10240, 11136], sides).enumerated().map { index, shape in
            LayerRecord(
                name: "l\(index)", tensor: "t\(index)", operatorName: "Conv", channels: shape.0, height: shape.1, width: shape.1)
        }
        let folder = try TemporaryFolder(onDisk: true)
        let path = folder.file("s.sqlite")
        try measure(path, RecordedDataset(images: 0, layers: layers, seed: 1), images: 6400)
    }

    /// What `index` pays for a folder of 240 photographs and SqueezeNet's 7952 neurons.
    @Test func aSmallFolder() throws {
        let layers = [(64, 112), (2048, 56), (2048, 28), (3792, 14)].enumerated().map { index, shape in
            LayerRecord(
                name: "l\(index)", tensor: "t\(index)", operatorName: "Conv", channels: shape.0, height: shape.1, width: shape.1)
        }
        let folder = try TemporaryFolder(onDisk: true)
        try measure(folder.file("s.sqlite"), RecordedDataset(images: 0, layers: layers, seed: 1), images: 240)
    }

    private func measure(_ path: String, _ dataset: RecordedDataset, images: Int) throws {
        let neurons = dataset.description.neuronCount
        print("\(neurons) neurons × \(images) images")
        // A pool of images, 12 % zeros and log-normal for the rest, handed over again and again from different neurons.
        var random = SeededGenerator(seed: 1)
        let pool = (0..<neurons * 64).map { _ -> Float in
            let u = Float.random(in: 0..<1, using: &random)
            return u < 0.12 ? 0 : exp(Float.random(in: -2...2, using: &random) + Float.random(in: -2...2, using: &random))
        }
        let places = (0..<neurons).map { UInt32($0 % 49) }
        let writer = try dataset.open(path)
        let appending = Stopwatch()
        var slowest = 0.0
        for index in 0..<images {
            let image = ImageRecord(
                path: "images/\(index).jpg", sha256: Data(repeating: 1, count: 32), width: 1, height: 1, bytes: 1, modified: 1,
                label: index % 100 == 0 ? "rare" : "common")
            let offset = (index * 7919) % (neurons * 63)
            let one = Stopwatch()
            try pool.withUnsafeBufferPointer { values in
                try places.withUnsafeBufferPointer { positions in
                    try writer.append(
                        image: image, values: UnsafeBufferPointer(rebasing: values[offset..<offset + neurons]),
                        positions: positions, means: UnsafeBufferPointer(start: nil, count: 0))
                }
            }
            slowest = max(slowest, one.wall)
        }
        let millions = Double(images * neurons) / 1e6
        report("append, million activations/s", millions / appending.wall, cpu: millions / appending.cpu)
        print("  slowest append \(slowest) s")
        let finishing = Stopwatch()
        try writer.finish()
        report("finish, s", finishing.wall, cpu: finishing.cpu)
        report("both, million activations/s", millions / appending.wall, cpu: millions / appending.cpu)
        let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        print("  bytes an activation \(Double(bytes) / millions / 1e6)")

        let store = try Store.open(path: path)
        let name = "l3:1000"
        try time("top 5 of one neuron, ms") { try TopQuery(neurons: [name]).run(in: store).count }
        let all = dataset.description.layers.map(\.name)
        try time("top 5 of all neurons, ms") { try TopQuery(neurons: all).run(in: store).count }
        try time("top 1000 of one neuron, from the blocks, ms") {
            try TopQuery(neurons: [name], count: 1000).run(in: store).count
        }
        try time("top 100 of one neuron where label = 'rare', ms") {
            try TopQuery(neurons: [name], count: 100, condition: "label = 'rare'").run(in: store).count
        }
        try time("top_image by SQL, rank <= 5, ms") {
            let sql = "SELECT path, value FROM top_image WHERE layer = 'l3' AND channel = 1000 AND rank <= 5"
            return try store.read { snapshot in
                var rows = 0
                try snapshot.rows(sql) { _ in rows += 1 }
                return rows
            }
        }
        try time("verify, ms", runs: 1) {
            let check = try store.verify()
            #expect(check.findings == [])
            return check.activationRows
        }
        try time("open to go on, ms", runs: 1) { try dataset.open(path).imageCount }
    }

    private struct Stopwatch {
        private let start = ContinuousClock.now
        private let startCPU = Self.cpuSeconds()
        var wall: Double { (ContinuousClock.now - start) / .seconds(1) }
        var cpu: Double { Self.cpuSeconds() - startCPU }

        /// Seconds that the process computed, which other programs on the machine do not lengthen.
        private static func cpuSeconds() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
    }

    private func report(_ what: String, _ wall: Double, cpu: Double) {
        print("  \(what): \(String(format: "%.3f (by CPU time %.3f)", wall, cpu))")
    }

    /// The best of some runs, since the first one reads the file.
    private func time(_ what: String, runs: Int = 5, _ body: () throws -> Int) throws {
        var (wall, cpu, count) = (Double.infinity, Double.infinity, 0)
        for _ in 0..<runs {
            let one = Stopwatch()
            count = try body()
            wall = min(wall, one.wall)
            cpu = min(cpu, one.cpu)
        }
        report("\(what) (\(count))", wall * 1000, cpu: cpu * 1000)
    }
}
