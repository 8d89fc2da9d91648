import Foundation
public import Images
public import NeuralNetwork

/// Tries ways to prepare pictures for a network on some of them: wrong preprocessing costs accuracy without any error.
public struct RecipeTrial: Sendable {
    /// A way to prepare pictures, with a name for people.
    public struct Recipe: Sendable, Equatable {
        public var name: String
        public var preprocessing: Preprocessing

        public init(name: String, preprocessing: Preprocessing) {
            (self.name, self.preprocessing) = (name, preprocessing)
        }
    }

    /// How the network did on pictures prepared so.
    public struct Outcome: Sendable, Encodable {
        public var recipe: String
        public var preprocessing: Preprocessing
        /// The recipe in a line.
        public var pictures: String
        public var images: Int
        /// Of those whose label is the name of a class.
        public var labelled: Int
        public var right: Int
        /// right / labelled; nil without labels.
        public var accuracy: Double? { labelled > 0 ? Double(right) / Double(labelled) : nil }
        /// Means over the images of the largest probability, by softmax of the scores, and of the entropy in nats.
        public var topProbability: Double
        public var entropy: Double

        private enum CodingKeys: String, CodingKey {
            case recipe, pictures, images, labelled, right, accuracy, entropy
            case topProbability = "top_probability"
        }

        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(recipe, forKey: .recipe)
            try values.encode(pictures, forKey: .pictures)
            try values.encode(images, forKey: .images)
            try values.encode(labelled, forKey: .labelled)
            try values.encode(right, forKey: .right)
            try values.encode(accuracy, forKey: .accuracy)
            try values.encode(topProbability, forKey: .topProbability)
            try values.encode(entropy, forKey: .entropy)
        }
    }

    private let network: Network
    private let scores: Range<Int>
    private let channels: [String: Set<Int>]
    private let jobs: Int

    /// Nil for a network that answers with no scores of classes.
    ///
    /// - Parameter classes: the names of the network's classes, by channel; empty if they are not known.
    public init?(_ network: Network, classes: [String], jobs: Int) {
        guard let layer = network.layers.last(where: { $0.isLogits }), layer.channels > 1, layer.height * layer.width == 1 else {
            return nil
        }
        (self.network, self.jobs) = (network, max(1, jobs))
        scores = layer.firstNeuron..<layer.firstNeuron + layer.channels
        channels = Dictionary(grouping: classes.indices) { classes[$0] }.mapValues { Set($0) }
    }

    /// Whether the label is the name of a class.
    public func isJudged(_ item: Dataset.Item) -> Bool { item.label.map { channels[$0] != nil } ?? false }

    /// A sample of `count` images, evenly over the list; those that can be judged first.
    public func sample(of items: [Dataset.Item], count: Int) -> [Dataset.Item] {
        let judged = items.filter(isJudged)
        let chosen = judged.count >= min(count, items.count) / 2 && !judged.isEmpty ? judged : items
        guard chosen.count > count else { return chosen }
        return (0..<count).map { chosen[$0 * chosen.count / count] }
    }

    /// The usual ways to scale pixel values, each with the picture's shorter side resized and its centre cropped.
    public static func scalings(for input: Network.Input) -> [Recipe] {
        let size = Size(width: input.width, height: input.height)
        let crop = Preprocessing(.torchvision, input: size, channelCount: input.channels)
        func scaled(_ name: String, mean: Double, deviation: Double, divisor: Double = 255) -> Recipe {
            var recipe = crop
            recipe.mean = recipe.mean.map { _ in mean }
            recipe.deviation = recipe.deviation.map { _ in deviation }
            recipe.divisor = divisor
            return Recipe(name: name, preprocessing: recipe)
        }
        var bytes = scaled("0…255", mean: 0, deviation: 1, divisor: 1)
        bytes.preprocessing.levels.areNumbers = true
        guard !input.takesBytes else { return [bytes] }
        var recipes = [
            Recipe(name: "torchvision", preprocessing: crop), scaled("−1…1", mean: 0.5, deviation: 0.5),
            scaled("0…1", mean: 0, deviation: 1), bytes,
        ]
        if input.channels == 3 {
            recipes.append(
                Recipe(name: "caffe (BGR)", preprocessing: Preprocessing(.caffe, input: size, channelCount: input.channels)))
        }
        return recipes
    }

    /// Other ways to bring a picture into the network's frame with the values of `recipe`.
    public static func framings(of recipe: Recipe) -> [Recipe] {
        let crop = recipe.preprocessing.crop
        func variant(_ name: String, _ change: (inout Preprocessing) -> Void) -> Recipe {
            var changed = recipe.preprocessing
            change(&changed)
            return Recipe(name: "\(recipe.name), \(name)", preprocessing: changed)
        }
        let whole = Framing.Resize.exact(width: crop.width, height: crop.height)
        return [
            variant("bicubic") { $0.interpolation = .bicubic },
            variant("whole picture") { $0.resize = whole },
            variant("whole picture, bicubic") { ($0.resize, $0.interpolation) = (whole, .bicubic) },
            variant("no margin") { $0.resize = .shorterSide(min(crop.width, crop.height)) },
            variant("letterbox") {
                let letterbox = Preprocessing(.letterbox, input: crop, channelCount: $0.channelCount)
                ($0.resize, $0.interpolation, $0.padding) = (letterbox.resize, letterbox.interpolation, letterbox.padding)
            },
            variant("BGR") { if $0.channels == .rgb { $0.channels = .bgr } },
        ].filter { $0.preprocessing != recipe.preprocessing }
    }

    /// The usual ways: the scalings, and the framings of the best of them, best first; ties in the order in which they are tried.
    ///
    /// - Parameter progress: told how many recipes were tried, of how many.
    /// - Throws: `NetworkError`.
    public func usual(on items: [Dataset.Item], progress: (Int, Int) -> Void = { _, _ in }) throws -> [Outcome] {
        let scalings = Self.scalings(for: network.input)
        let total = scalings.count + (scalings.first.map { Self.framings(of: $0).count } ?? 0)
        var tried: [(recipe: Recipe, outcome: Outcome)] = []
        func attempt(_ recipe: Recipe) throws {
            tried.append((recipe, try outcome(of: recipe, on: items)))
            progress(tried.count, total)
        }
        for recipe in scalings { try attempt(recipe) }
        if let best = Self.ranked(tried).first { for recipe in Self.framings(of: best.recipe) { try attempt(recipe) } }
        return Self.ranked(tried).map(\.outcome)
    }

    private static func ranked(_ tried: [(recipe: Recipe, outcome: Outcome)]) -> [(recipe: Recipe, outcome: Outcome)] {
        tried.enumerated().sorted { first, second in
            let (a, b) = (first.element.outcome, second.element.outcome)
            let keys = ((a.accuracy ?? a.topProbability), (b.accuracy ?? b.topProbability))
            return keys.0 == keys.1 ? first.offset < second.offset : keys.0 > keys.1
        }.map(\.element)
    }

    /// How the network does on the images that can be decoded, prepared by a recipe.
    ///
    /// - Throws: `NetworkError`.
    public func outcome(of recipe: Recipe, on items: [Dataset.Item]) throws -> Outcome {
        let tally = Tally()
        let jobs = min(jobs, max(1, items.count))
        DispatchQueue.concurrentPerform(iterations: jobs) { job in
            let part = items[items.count * job / jobs..<items.count * (job + 1) / jobs]
            do {
                tally.add(try counted(with: recipe.preprocessing, over: part))
            } catch {
                tally.fail(error)
            }
        }
        let sums = try tally.total()
        let count = Double(max(1, sums.images))
        return Outcome(
            recipe: recipe.name, preprocessing: recipe.preprocessing, pictures: recipe.preprocessing.summary, images: sums.images,
            labelled: sums.labelled,
            right: sums.right, topProbability: sums.top / count, entropy: sums.entropy / count)
    }

    private struct Sums {
        var images = 0, labelled = 0, right = 0
        var top = 0.0, entropy = 0.0
    }

    /// What the threads found, behind a lock.
    private final class Tally: @unchecked Sendable {
        private let lock = NSLock()
        private var sums = Sums()
        private var error: (any Error)?

        func add(_ part: Sums) {
            lock.withLock {
                sums.images += part.images
                sums.labelled += part.labelled
                sums.right += part.right
                sums.top += part.top
                sums.entropy += part.entropy
            }
        }

        func fail(_ error: any Error) { lock.withLock { self.error = error } }

        func total() throws -> Sums {
            try lock.withLock {
                if let error { throw error }
                return sums
            }
        }
    }

    private func counted(with preprocessing: Preprocessing, over items: ArraySlice<Dataset.Item>) throws -> Sums {
        let worker = try network.makeWorker()
        let reader = ImageReader()
        var sums = Sums()
        for item in items {
            guard let framed = try? reader.read(contentsOf: item.path, framing: preprocessing.framing) else { continue }
            preprocessing.write(framed.image, to: worker.input(image: 0))
            try worker.run()
            let values = worker.maxima(image: 0)
            let logits = scores.map { Double(values[$0]) }
            guard let largest = logits.max(), largest.isFinite else { continue }
            let exponentials = logits.map { exp($0 - largest) }
            let whole = exponentials.reduce(0, +)
            sums.images += 1
            sums.top += 1 / whole
            sums.entropy -= exponentials.reduce(0) { $0 + ($1 > 0 ? $1 / whole * log($1 / whole) : 0) }
            guard let wanted = item.label.flatMap({ channels[$0] }) else { continue }
            sums.labelled += 1
            if let answer = logits.firstIndex(of: largest), wanted.contains(answer) { sums.right += 1 }
        }
        return sums
    }
}
