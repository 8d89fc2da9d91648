import ActivationStore
import ArgumentParser
import Foundation
import Search
import Synchronization

/// What a large store costs: to ask, unless it is said to be grown.
@main
struct StoreBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "question-benchmark", abstract: "What a large store costs.",
        subcommands: [QuestionBenchmark.self, GrowingBenchmark.self], defaultSubcommand: QuestionBenchmark.self)
}

/// Every question to a synthetic store, timed in the library: seeded, heavy-tailed, ReLU-like activations written by the real writer.
struct QuestionBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "questions", abstract: "What every question costs on a large store.")

    @Argument(help: "The store; made if it is not there, used if it is.")
    var store: String

    @Option(help: "Images.")
    var images = 50_000

    @Option(help: "Divide the channels of every layer by this: 1 is all 26 560 of ResNet-50.")
    var divisor = 1

    @Option(help: "Labels of the images.")
    var labels = 1000

    @Flag(help: "Make the last channels scores of classes, one a label, so that answers are right or wrong.")
    var answers = false

    @Option(help: "A folder of JPEGs that the images are of, with thumbnails; to look at the store (see Benchmarks/explorer).")
    var photos: String?

    @Option(help: "Runs of a question at least, in half a second; those over a second run once. The median counts.")
    var runs = 5

    @Option(help: "Ask only questions whose name has this in it.")
    var only: String?

    func run() throws {
        if !FileManager.default.fileExists(atPath: store) {
            try SyntheticStore(images: images, divisor: divisor, labels: labels, photos: photos, answers: answers).write(
                to: store)
        }
        let bytes = try FileManager.default.attributesOfItem(atPath: store)[.size] as? Int ?? 0
        var opened: Store?
        print("| question | wall ms | CPU ms | memory MB | answers |\n|---|---|---|---|---|")
        try time("opening") {
            opened = try Store.open(path: store)
            return try opened?.imageCount() ?? 0
        }
        guard let opened else { return }
        for question in Self.questions(opened.description.layers.map(\.name)) {
            try time(question.name) { try question.ask(opened) }
        }
        let activations = try opened.imageCount() * opened.description.neuronCount
        print(
            String(
                format: "\n%.3f GB, %.3f bytes an activation", Double(bytes) / 1e9, Double(bytes) / Double(max(activations, 1))))
    }

    private struct Question {
        var name: String
        var ask: (Store) throws -> Int

        init(_ name: String, _ ask: @escaping (Store) throws -> Int) {
            self.name = name
            self.ask = ask
        }

        init(_ name: String, _ query: TopQuery) { self.init(name) { try query.run(in: $0).count } }
    }

    private static func questions(_ layers: [String]) -> [Question] { images(layers) + groups() + neurons() }

    private static func images(_ layers: [String]) -> [Question] {
        let one = ["l3:100"]
        func filtered(_ condition: String) -> [Question] {
            [
                Question("images where \(condition), alone") {
                    try SQLQuery(statement: "SELECT id FROM image_info WHERE \(condition)").run(in: $0).rows.count
                },
                Question("top 100 where \(condition)", TopQuery(neurons: one, count: 100, condition: condition)),
            ]
        }
        return [
            Question("top 5 of a neuron", TopQuery(neurons: one)),
            Question("top 100 of a neuron", TopQuery(neurons: one, count: 100)),
            Question("top 1000 of a neuron, by scan", TopQuery(neurons: one, count: 1000)),
            Question("lowest 100 of a neuron, by scan", TopQuery(neurons: one, count: 100, lowest: true)),
            Question("top 5 of all neurons", TopQuery(neurons: layers)),
            Question("5 of every tenth of a neuron", TopQuery(neurons: one, from: .decile)),
            Question("random 20 of a neuron", TopQuery(neurons: one, count: 20, from: .random)),
            Question("distinct top 20 of a neuron", TopQuery(neurons: one, count: 20, distinct: true)),
        ] + filtered("label = 'label 7'") + filtered("id % 2 = 0")
    }

    private static func groups() -> [Question] {
        let group = (0..<10).map { "l3:\($0 * 7)" }
        let combined = Combination.allCases.map { by in
            Question("\(by.rawValue) over 10 neurons, top 100") {
                try GroupQuery(by: by, options: TopQuery(neurons: group, count: 100)).run(in: $0).count
            }
        }
        let similar = Metric.allCases.map { metric in
            Question("nearest by \(metric.rawValue) over the last layer") {
                try SimilarQuery(image: "77", layer: ["pool"], metric: metric).run(in: $0).count
            }
        }
        let profiles = [10, 100].map { count in
            Question("profile of an image, \(count) neurons") { try ProfileQuery(image: "77", count: count).run(in: $0).count }
        }
        return combined + similar + profiles
    }

    private static func neurons() -> [Question] {
        [
            Question("statistics of all neurons") { try NeuronsQuery(sort: .maximum).run(in: $0).count },
            Question("histogram of a neuron") { try HistogramQuery(neuron: "l3:100").run(in: $0).counts.count },
            Question("labels of a neuron by AUROC") { try SelectivityQuery(layer: ["l3:100"]).run(in: $0).count },
            Question("neurons by AUROC for a label") { try SelectivityQuery(label: "label 7").run(in: $0).count },
            Question("every neuron × every label") { try SelectivityQuery(count: 1).run(in: $0).count },
            Question("contrast of two halves") { try ContrastQuery(a: "id % 2 = 0").run(in: $0).count },
            Question("suspects by the last layer") { try SuspectsQuery(layer: "pool").run(in: $0).count },
            Question("duplicates of the last layer") { try DuplicatesQuery(layer: ["pool"]).run(in: $0).count },
        ]
            + Partnering.allCases.map { by in
                // Layers of 2 048 channels that have nothing in common: the hardest assignment.
                Question("difference of two layers by \(by.rawValue)") {
                    try DiffQuery(layer: ["pool"], match: ["pool=l1"], by: by).run(from: $0, to: $0).neurons.count
                }
            }
    }

    private func time(_ what: String, _ body: () throws -> Int) throws {
        if let only, !what.contains(only), what != "opening" { return }
        var (walls, cpus, count): ([Double], [Double], Int) = ([], [], 0)
        let isDone = Mutex(false)
        let largest = Mutex(0)
        let watch = Thread {
            while !isDone.withLock({ $0 }) {
                let now = Self.memory()
                largest.withLock { $0 = max($0, now) }
                Thread.sleep(forTimeInterval: 0.02)
            }
        }
        let began = ContinuousClock.now
        while walls.count < runs || ContinuousClock.now - began < .seconds(0.5) {
            let (start, startCPU) = (ContinuousClock.now, Self.cpuSeconds())
            count = try body()
            walls.append((ContinuousClock.now - start) / .seconds(1))
            cpus.append(Self.cpuSeconds() - startCPU)
            if cpus[cpus.count - 1] > 1 { break }
        }
        func median(_ times: [Double]) -> Double { times.sorted()[times.count / 2] }
        // Watched in a run of its own, which takes the same memory.
        watch.start()
        if median(walls) < 120 { _ = try body() }
        isDone.withLock { $0 = true }
        while !watch.isFinished { Thread.sleep(forTimeInterval: 0.001) }
        let times = String(format: "%.2f | %.2f", median(walls) * 1000, median(cpus) * 1000)
        print("| \(what) | \(times) | \(largest.withLock { $0 }) | \(count) |")
        fflush(nil)
    }

    /// Seconds that the process computed, which other programs on the machine do not lengthen.
    static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Megabytes that the process holds now, without the pages of files that are mapped; 0 where the system does not say.
    private static func memory() -> Int {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") })
        else { return 0 }
        return (Int(line.split(separator: " ").dropLast().last ?? "") ?? 0) / 1024
    }
}
