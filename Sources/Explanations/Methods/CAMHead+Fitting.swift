public import ActivationStore
import NeuralNetwork
public import Search
import Support

/// Multinomial logistic regression on the spatial means of a layer, which the store already holds.
///
/// Zhou et al. 2016, https://arxiv.org/abs/1512.04150, replace the fully connected layers by global average pooling and train anew; here
/// nothing but the last layer is trained, and to convergence.
extension CAMHead {
    /// Weights of the penalty that are tried, the strongest first, as each solution is the next one's start.
    public static let l2Candidates = [1, 0.1, 0.01, 1e-3, 1e-4]

    /// Fits one to the images of a store whose label is a class of the network: those of the split `test` judge it, those of `val` choose
    /// the penalty, all others train it, or where there are none, those of `val`, else of `test`. Without `val` a seeded fifth of the
    /// training images of each class chooses, and then trains with the rest.
    ///
    /// - Parameter layer: one whose means the store holds; nil for the one that feeds the network's classifier.
    /// - Throws: `ExplanationError.training` for a store without labels, class names, or means, or a class without an example;
    ///   `StoreError`.
    public init(fitting store: Store, layer name: String? = nil, seed: UInt64 = 0) throws {
        let description = store.description
        guard let layer = name ?? description.layers.last(where: { $0.hasMean })?.name, let means = try store.means(layer: layer)
        else {
            throw Self.refusal(
                store, "it holds no means of \(name.map { "layer \($0)" } ?? "any layer"); index it with --means all")
        }
        let classes = try Self.classes(of: store)
        let examples = try Self.examples(of: store, classes: classes)
        let channels = description.layers.first { $0.name == layer }?.channels ?? 0
        let scaling = FeatureScaling(means, count: channels, training: examples.train.map(\.image))
        let regression = LabelRegression(scaling: scaling, channels: channels, classes: classes.count)
        let (chooseFrom, chooseBy) = examples.choice(classes: classes.count, seed: seed)
        let best = regression.best(of: Self.l2Candidates, trainedOn: chooseFrom, judgedOn: chooseBy)
        let l2 = best?.l2 ?? Self.l2Candidates[0]
        let solution = regression.problem(examples.train, l2).solved(from: best?.parameters)
        let judges = examples.test.isEmpty ? chooseBy : examples.test
        // Without a test split nothing but the held-out images, before those trained it too, can judge.
        let judged = regression.judge(examples.test.isEmpty ? best?.parameters ?? [] : solution.parameters, judges)
        let (weights, bias) = scaling.unscaled(solution.parameters, classes: classes.count)
        self.init(
            layer: layer, classes: classes, channels: channels, weights: weights.map { Float($0) },
            bias: bias.map { Float($0) }, l2: l2, slope: solution.slope,
            trained: examples.train.count, judged: judges.count,
            judgedOn: !examples.test.isEmpty ? "test" : examples.val.isEmpty ? "held out" : "val",
            accuracy: Double(judged.right) / Double(max(judges.count, 1)),
            networkAccuracy: Double(judges.count(where: \.isRight)) / Double(max(judges.count, 1)))
    }

    private static func refusal(_ store: Store, _ problem: String) -> ExplanationError {
        .training(store: store.path, problem: problem)
    }

    /// The names of the classes, which labels tell apart.
    private static func classes(of store: Store) throws -> [String] {
        let classes = store.description.classes
        let first = store.description.firstOfSameName
        if let other = first.indices.first(where: { first[$0] != $0 }) {
            throw refusal(
                store,
                "classes \(first[other]) and \(other) are both named '\(classes[other])', so labels do not tell them apart; give them other names with relabel --classes"
            )
        }
        guard classes.count > 1 else {
            throw refusal(store, "it does not know the names of the classes; index it with --classes")
        }
        return classes
    }

    /// Images whose label is a class, with one to train with of each.
    private static func examples(of store: Store, classes: [String]) throws -> Examples {
        let examples = try Examples(store.images(), classes: classes)
        guard !examples.all.isEmpty else {
            throw refusal(
                store, "none of its images has a class of the network as label; index them from a folder for each class")
        }
        let counts = examples.trainingCounts(classes.count)
        if let index = counts.firstIndex(of: 0) {
            let missing = counts.count { $0 == 0 }
            throw refusal(
                store,
                missing == 1
                    ? "no image to train with is of class '\(classes[index])'; add some"
                    : "no image to train with is of any of \(missing) of its \(counts.count) classes, such as '\(classes[index])'; add some"
            )
        }
        return examples
    }

    /// Images that a class needs for one to be held out of five.
    private static let fewest = 5

    /// What has to be said of the images that a head is fitted to: labels that are no class, and classes with few images.
    /// - Throws: `StoreError`.
    public static func remarks(fitting store: Store) throws -> [Remark] {
        let (images, classes) = (try store.images(), store.description.classes)
        let examples = Examples(images, classes: classes)
        var remarks: [Remark] = []
        let foreign = images.filter { image in image.label.map { !classes.contains($0) } ?? false }
        if let example = foreign.first {
            remarks.append(
                .notJudged(
                    images: foreign.count, of: images.count, example: example.path,
                    reason: "the label \(example.label ?? "") is no class of the network, and they are left out"))
        }
        let counts = examples.trainingCounts(classes.count)
        let few = counts.indices.filter { counts[$0] < fewest }
        guard let example = few.first else { return remarks }
        let isUnjudged = few.count == counts.count && examples.val.isEmpty && examples.test.isEmpty
        return remarks + [
            .fewImages(
                few: few.count, of: counts.count, fewest: fewest, example: classes[example], images: counts[example],
                consequence: isUnjudged
                    ? "none could be held out, so how well the layer does is not known" : "the layer may not know them")
        ]
    }

    /// The class's activation map, Σ_k w(class,k) A_k(y,x): [height, width] of the layer.
    ///
    /// - Precondition: `index` is the index of a class.
    /// - Throws: `NetworkError` where the network has no such layer.
    public func map(of subject: InputImage, classIndex index: Int, by explainer: Explainer) throws -> ExplanationMap {
        precondition(classes.indices.contains(index), "class \(index) of \(classes.count)")
        let layer = try explainer.network.layer(named: layer)
        let own = weights[index * channels..<(index + 1) * channels].map(Double.init)
        let activation = try explainer.activations(of: layer, on: subject)
        let values = (0..<layer.height * layer.width).map { place in
            Float(own.indices.reduce(0.0) { $0 + own[$1] * Double(activation[place * own.count + $1]) })
        }
        var map = ExplanationMap(channels: 1, height: layer.height, width: layer.width, values: values, isSigned: true)
        map.note = "CAM at \(self.layer) by a fitted last layer"
        return map
    }
}

/// The labelled images of a store, by what they are for.
private struct Examples {
    struct Example {
        /// Its row among the means.
        var image: Int
        var label: Int
        /// Whether the network tells it rightly.
        var isRight: Bool
    }

    var train: [Example] = []
    var val: [Example] = []
    var test: [Example] = []

    var all: [Example] { train + val + test }

    /// By class, the images to train with.
    func trainingCounts(_ classes: Int) -> [Int] {
        train.reduce(into: [Int](repeating: 0, count: classes)) { $0[$1.label] += 1 }
    }

    init(_ images: [StoredImage], classes: [String]) {
        let indices = Dictionary(classes.enumerated().map { ($1, $0) }) { first, _ in first }
        for image in images {
            guard let label = image.label.flatMap({ indices[$0] }) else { continue }
            let example = Example(image: image.id, label: label, isRight: image.predictedClass == label)
            switch image.split {
            case "test", "testing": test.append(example)
            case "val", "valid", "validation": val.append(example)
            default: train.append(example)
            }
        }
        // Of a store of one split, that split trains.
        if train.isEmpty { swap(&train, &val) }
        if train.isEmpty { swap(&train, &test) }
    }

    /// What the penalty is chosen with: images to train, and images to judge by.
    func choice(classes: Int, seed: UInt64) -> (train: [Example], judge: [Example]) {
        guard val.isEmpty else { return (train, val) }
        var noise = GaussianNoise(seed: seed)
        var (kept, held): ([Example], [Example]) = ([], [])
        for label in 0..<classes {
            var own = train.filter { $0.label == label }
            for last in own.indices.dropFirst().reversed() { own.swapAt(last, Int(noise.bits() % UInt64(last + 1))) }
            held += own.prefix(own.count / 5)
            kept += own.dropFirst(own.count / 5)
        }
        return (kept, held)
    }
}

/// Logistic regression of labels on the scaled means of a layer's channels.
private struct LabelRegression {
    let scaling: FeatureScaling
    let channels: Int
    let classes: Int

    func problem(_ part: [Examples.Example], _ l2: Double) -> LogisticRegression {
        LogisticRegression(
            features: scaling.features(part.map(\.image)), labels: part.map(\.label), featureCount: channels,
            classCount: classes, l2: l2)
    }

    func judge(_ parameters: [Double], _ part: [Examples.Example]) -> (right: Int, loss: Double) {
        LogisticRegression.evaluate(
            parameters, features: scaling.features(part.map(\.image)), labels: part.map(\.label), featureCount: channels,
            classCount: classes)
    }

    /// The penalty that is right most often, then with the smallest loss, then the strongest; and what it comes to.
    func best(
        of penalties: [Double], trainedOn training: [Examples.Example], judgedOn judges: [Examples.Example]
    ) -> (l2: Double, parameters: [Double])? {
        var best: (l2: Double, parameters: [Double], right: Int, loss: Double)?
        var start: [Double]?
        Activity.run("fitting the last layer", parts: penalties.count + 1) {
            for l2 in penalties {
                let parameters = problem(training, l2).solved(from: start, tolerance: 1e-5).parameters
                start = parameters
                let (right, loss) = judge(parameters, judges)
                if best.map({ (right, -loss) > ($0.right, -$0.loss) }) ?? true { best = (l2, parameters, right, loss) }
                Activity.step()
            }
        }
        return best.map { ($0.l2, $0.parameters) }
    }
}
