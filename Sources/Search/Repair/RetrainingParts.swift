import ActivationStore
import Support

/// The labelled images of a store, by what they are for.
struct RetrainingParts {
    /// Ids, ascending.
    private(set) var train: [Int] = []
    private(set) var choose: [Int] = []
    private(set) var judge: [Int] = []
    /// Of each lane, the class that is its label.
    private(set) var classOfImage: [Int?]
    private(set) var judgedOn = "--judge"
    private(set) var remarks: [Remark] = []

    init(_ store: Store, _ images: [StoredImage], _ options: LastLayerRetraining.Options) throws {
        let classes = store.description.classes
        guard classes.count > 1, Set(classes).count == classes.count else { throw RetrainingError.noClasses(store: store.path) }
        let indices = Dictionary(classes.enumerated().map { ($1, $0) }) { first, _ in first }
        classOfImage = [Int?](repeating: nil, count: (images.last?.id ?? -1) + 1)
        for image in images { classOfImage[image.id] = image.label.flatMap { indices[$0] } }
        let labelled = images.filter { classOfImage[$0.id] != nil }
        if let other = images.first(where: { classOfImage[$0.id] == nil }), !labelled.isEmpty {
            remarks.append(
                .notJudged(
                    images: images.count - labelled.count, of: images.count, example: other.path,
                    reason: "they have no label that is a class of the network, and are left out"))
        }
        func part(_ condition: String?, _ isDefault: (String?) -> Bool) throws -> [Int] {
            guard let condition else { return labelled.filter { isDefault($0.split) }.map(\.id) }
            let met = Set(try store.imageIDs(where: condition))
            return labelled.map(\.id).filter(met.contains)
        }
        let (test, validation): (Set<String?>, Set<String?>) = (["test", "testing"], ["val", "valid", "validation"])
        judge = try part(options.judge) { test.contains($0) }
        choose = try part(options.choose) { validation.contains($0) }
        train = try part(options.train) { !test.contains($0) && !validation.contains($0) }
        try separate(options, Dictionary(images.map { ($0.id, $0.path) }) { first, _ in first })
        guard !train.isEmpty else { throw RetrainingError.noImages(option: "--train", store: store.path) }
        if options.judge == nil { judgedOn = judge.isEmpty ? "images that chose the penalty" : "test" }
        if judge.isEmpty { judge = choose }
        guard !judge.isEmpty else { throw RetrainingError.noImages(option: "--judge", store: store.path) }
        if choose.isEmpty {
            // A fifth of the training images, every fifth of each class.
            var seen: [Int: Int] = [:]
            choose = train.filter { image in
                let label = classOfImage[image] ?? 0
                seen[label, default: 0] += 1
                return (seen[label] ?? 0) % 5 == 0
            }
            let held = Set(choose)
            train.removeAll(where: held.contains)
        }
    }

    /// What the user named for two things is an error; what one option names is taken from those that go by split.
    private mutating func separate(_ options: LastLayerRetraining.Options, _ paths: [Int: String]) throws {
        func both(_ a: [Int], _ b: [Int], _ names: (String, String)) throws {
            let shared = a.filter(Set(b).contains)
            guard let first = shared.first else { return }
            throw RetrainingError.inBoth(option: names.0, other: names.1, images: shared.count, example: paths[first] ?? "")
        }
        if options.train != nil, options.judge != nil { try both(train, judge, ("--train", "--judge")) }
        if options.train != nil, options.choose != nil { try both(train, choose, ("--train", "--choose")) }
        if options.choose != nil, options.judge != nil { try both(choose, judge, ("--choose", "--judge")) }
        let (named, inTrain) = (Set((options.judge == nil ? [] : judge) + (options.choose == nil ? [] : choose)), Set(train))
        if options.train == nil {
            train.removeAll(where: named.contains)
        } else {
            if options.judge == nil { judge.removeAll(where: inTrain.contains) }
            if options.choose == nil { choose.removeAll(where: inTrain.contains) }
        }
        if options.judge != nil, options.choose == nil { choose.removeAll(where: Set(judge).contains) }
        if options.choose != nil, options.judge == nil { judge.removeAll(where: Set(choose).contains) }
    }

    /// How many of some images each group has.
    func counts(_ images: [Int], _ groups: RetrainingGroups) -> [Int] {
        images.reduce(into: [Int](repeating: 0, count: groups.names.count)) { counts, image in
            if let group = groups.ofImage[image] { counts[group] += 1 }
        }
    }

    /// As many training images of each group, without repetition.
    func draw(_ size: Int, _ groups: RetrainingGroups, _ noise: inout SplitMix64) -> [Int] {
        groups.names.indices.flatMap { group -> ArraySlice<Int> in
            var own = train.filter { groups.ofImage[$0] == group }
            for last in own.indices.dropFirst().reversed() {
                own.swapAt(last, Int(noise.next() % UInt64(last + 1)))
            }
            return own.prefix(size)
        }
    }
}

extension Store {
    /// The features of a last layer on all images: lanes × features.
    /// - Throws: ``RetrainingError/otherScores(store:layer:image:stored:computed:)`` where the store's scores are not made of them.
    func features(_ features: LastLayerRetraining.Features, _ images: [StoredImage]) throws -> [Float] {
        guard let layer = description.layers.first(where: { $0.name == features.layer }), layer.channels == features.count else {
            throw RetrainingError.noLayer(store: path, tensors: [features.layer])
        }
        return try read { snapshot in
            let fold = try BlockFold(snapshot)
            let values = try fold.values(of: layer)
            guard let scores = description.layers.last(where: { $0.isLogits }) else { return values }
            let some = Array(images.prefix(Self.checkedImages))
            for (image, stored) in zip(some, try fold.values(of: scores, on: some.map(\.id))) {
                let largest = stored.reduce(1) { max($0, abs($1)) }
                for (index, score) in stored.enumerated() {
                    let own = features.weights[index * features.count..<(index + 1) * features.count]
                    let sum = zip(own, values[(image.id * features.count)...]).reduce(Double(features.bias[index])) {
                        $0 + Double($1.0) * Double($1.1)
                    }
                    guard abs(Float(sum) - score) <= 0.01 * largest else {
                        throw RetrainingError.otherScores(
                            store: path, layer: layer.name, image: image.path, stored: score, computed: Float(sum))
                    }
                }
            }
            return values
        }
    }

    /// Whose scores are made again.
    private static var checkedImages: Int { 100 }

    /// What groups are made of besides labels.
    func attributes(
        _ options: LastLayerRetraining.Options, _ parts: RetrainingParts
    ) throws -> [RetrainingGroups.Attribute] {
        let lanes = parts.classOfImage.count
        let conditions = try options.conditions.map { condition in
            var holds = [Bool](repeating: false, count: lanes)
            for image in try imageIDs(where: condition) { holds[image] = true }
            return RetrainingGroups.Attribute(name: condition, holds: holds)
        }
        return try conditions
            + options.neurons.map { name in
                let reference = try NeuronReference(name, in: description)
                guard reference.neurons.count == 1 else { throw QueryError.oneNeuron(name) }
                let values = try column(neuron: reference.neurons.lowerBound).values
                guard let threshold = RetrainingGroups.threshold(parts.train.map { values[$0] }) else {
                    throw RetrainingError.constant(neuron: name)
                }
                return RetrainingGroups.Attribute(
                    name: "\(name) > \(shortNumber(Double(threshold)))", holds: (0..<lanes).map { values[$0] > threshold })
            }
    }
}

extension BlockFold {
    /// A layer's values on a few images, which are all that is read: one list an image.
    fileprivate func values(of layer: LayerRecord, on chosen: [Int]) throws -> [[Float]] {
        var mask = [UInt8](repeating: 0, count: images)
        for image in chosen { mask[image] = 1 }
        var values = Dictionary(uniqueKeysWithValues: chosen.map { ($0, [Float](repeating: 0, count: layer.channels)) })
        try rows(NeuronSet([layer.neurons]), mask: mask) { first, row in
            for lane in 0..<row.count where mask[first + lane] != 0 {
                values[first + lane]?[row.neuron - layer.firstNeuron] =
                    row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self)
            }
        }
        return chosen.map { values[$0] ?? [] }
    }
}
