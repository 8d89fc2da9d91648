import ActivationStore
import ArgumentParser
import Foundation

/// What writing, merging and appending cost beside the network: activations are made beforehand, and handed to the real writer.
struct GrowingBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "growing", abstract: "What writing, merging and appending cost.")

    @Argument(help: "A folder for the stores, which are removed afterwards.")
    var folder: String

    @Option(help: "Images to write, and to merge from two halves.")
    var images = 10_000

    @Option(help: "Divide the channels of every layer by this: 1 is all 26 560 of ResNet-50.")
    var divisor = 1

    @Option(help: "Rounds.")
    var rounds = 2

    @Option(help: "Only append 1000 images to a copy of this store, which question-benchmark has made.")
    var to: String?

    func run() throws {
        let pool = ActivationPool(try SyntheticStore(images: 0, divisor: divisor, labels: 1).description())
        let file = { (name: String) in folder + "/" + name }
        for round in 1...rounds {
            print("round \(round)")
            if let to {
                let copy = file("grown.sqlite")
                try? FileManager.default.removeItem(atPath: copy)
                try FileManager.default.copyItem(atPath: to, toPath: copy)
                defer { try? FileManager.default.removeItem(atPath: copy) }
                // Else the first transaction would wait for the copy.
                try Self.sync(copy)
                try write(pool, 1000, copy, path: "new")
            } else {
                let names = ["whole.sqlite", "half-1.sqlite", "half-2.sqlite", "merged.sqlite", "filled"].map(file)
                for name in names { try? FileManager.default.removeItem(atPath: name) }
                defer { for name in names { try? FileManager.default.removeItem(atPath: name) } }
                try write(pool, images, names[0], path: "whole")
                for name in names[1...2] { try write(pool, images / 2, name, path: name, isQuiet: true) }
                let bytes = try FileManager.default.attributesOfItem(atPath: names[0])[.size] as? Int ?? 0
                let writing = Stopwatch()
                try Self.fill(names[4], bytes: bytes)
                report("a file of as many bytes, nothing but written", writing.lap, activations: images * pool.neurons)
                // Its memory goes to the merge: a virtual machine may wait long for memory that it has not had before.
                try FileManager.default.removeItem(atPath: names[4])
                let merging = Stopwatch()
                try Store.merge(Array(names[1...2]), into: names[3], run: RunRecord(toolVersion: "benchmark"))
                report("merge", merging.lap, activations: images * pool.neurons)
            }
        }
    }

    private func write(_ pool: ActivationPool, _ images: Int, _ store: String, path: String, isQuiet: Bool = false) throws {
        let all = Stopwatch()
        let writer = try StoreWriter.open(path: store, description: pool.description, run: RunRecord(toolVersion: "benchmark"))
        let opened = all.lap
        for image in 0..<images { try pool.append(image, path: "\(path)/\(image).jpg", to: writer) }
        let appended = all.lap
        try writer.finish()
        guard !isQuiet else { return }
        report("open", opened)
        report("append", appended, activations: images * pool.neurons)
        report("append and finish", all.lap, activations: images * pool.neurons)
    }

    private static func sync(_ path: String) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.synchronize()
        try file.close()
    }

    /// What the machine takes to write a file, by pages as SQLite does, and to have it on the disk.
    private static func fill(_ path: String, bytes: Int) throws {
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        let page = Data((0..<16384).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        for _ in 0..<bytes / page.count { try file.write(contentsOf: page) }
        try file.synchronize()
        try file.close()
    }

    private func report(_ what: String, _ lap: Stopwatch.Lap, activations: Int? = nil) {
        var line =
            "  \(what): "
            + String(format: "%.2f s, %.2f s of CPU, of which the system %.2f", lap.wall, lap.cpu, lap.cpu - lap.user)
        if let activations {
            let millions = Double(activations) / 1e6
            line += String(
                format: "; %.1f million activations/s, %.1f by CPU time, %.1f by the program's own", millions / lap.wall,
                millions / lap.cpu, millions / lap.user)
        }
        print(line)
        fflush(nil)
    }
}

/// Activations of some images, made once and handed over again and again from different neurons.
private struct ActivationPool {
    let description: StoreDescription
    var neurons: Int { description.neuronCount }
    private let values: [Float]
    private let positions: [UInt32]

    /// 12 % zeros, and log-normal for the rest.
    init(_ description: StoreDescription) {
        self.description = description
        var generator = SyntheticStore.Generator(state: 1)
        func share() -> Float { Float(generator.next() >> 40) / Float(1 << 24) }
        values = (0..<description.neuronCount * 64).map { _ in
            share() < 0.12 ? 0 : exp(4 * (share() + share() + share()) - 6)
        }
        positions = description.layers.flatMap { layer in
            (0..<layer.channels).map { UInt32($0 % (layer.height * layer.width)) }
        }
    }

    func append(_ index: Int, path: String, to writer: StoreWriter) throws {
        let record = ImageRecord(
            path: path, sha256: Data(repeating: UInt8(truncatingIfNeeded: index), count: 32), width: 500, height: 375,
            bytes: 100_000, modified: 1, label: "label \(index % 100)", split: "train")
        let offset = index * 7919 % (neurons * 63)
        try values.withUnsafeBufferPointer { values in
            try positions.withUnsafeBufferPointer { positions in
                try writer.append(
                    image: record, values: UnsafeBufferPointer(rebasing: values[offset..<offset + neurons]), positions: positions,
                    means: UnsafeBufferPointer(start: nil, count: 0))
            }
        }
    }
}

private struct Stopwatch {
    struct Lap {
        var wall: Double
        var cpu: Double
        /// CPU time without what the system takes, for pages of files and memory above all: that depends on what else the machine has done.
        var user: Double
    }

    private let start = ContinuousClock.now
    private let before = Self.usage()
    var lap: Lap {
        let now = Self.usage()
        return Lap(wall: (ContinuousClock.now - start) / .seconds(1), cpu: now.cpu - before.cpu, user: now.user - before.user)
    }

    private static func usage() -> (cpu: Double, user: Double) {
        var usage = rusage()
        getrusage(CInt(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        let user = seconds(usage.ru_utime)
        return (user + seconds(usage.ru_stime), user)
    }
}
