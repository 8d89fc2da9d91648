public import ActivationStore
public import ArgumentParser
import CKernels
public import Support

/// How far two images are from each other, by their activations a and b.
public enum Metric: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// Σ|a − b|
    case l1
    /// √Σ(a − b)²
    case l2
    /// max|a − b|
    case linf
    /// 1 − a·b / √(a·a · b·b), from 0 to 2
    case cosine
}

/// The images nearest to one by the activations of a layer or of any neurons. Exact, computed in double precision in the order of the
/// neurons' ids; ties by image id. Images whose distance is no number (NaN among the activations, or no length for the cosine) are
/// never listed, and neither is the image itself.
public struct SimilarQuery: ImageQuery {
    public static let name = "similar"
    public static let abstract = "Find the images that activate neurons most like a given one does."
    public static let usage = "<image>"
    public static let figureKind: AnswerFigure.Kind? = .sheet
    public static let discussion = """
        Examples:

          neurodex similar shop.sqlite cat-43.jpg -k 8 --sheet similar.png
          neurodex similar shop.sqlite 12 --layer conv4 --where "label <> 'cat'"

        IMAGE is a path or an id of the store, or any other file, on which the network is then run once.
        """

    @Argument(help: "A path or an id of the store, or any other file.", completion: .images)
    public var image: String

    @Option(
        help: ArgumentHelp(
            "Compare by this layer, or LAYER:CHANNEL; may be repeated (default: the last layer before the class scores).",
            valueName: "layer"), completion: .neurons)
    public var layer: [String] = []

    @Option(help: "How distance is measured.")
    public var metric: Metric = .l2

    @Option(name: .customShort("k"), help: "How many images.")
    public var count = 5

    @Option(name: .customLong("where"), help: "Only images that meet this SQL condition, as in top.")
    public var condition: String?

    /// The image's activations if it is not in the store; set by the program that runs the network.
    public var given: GivenImage?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(
        image: String, layer: [String] = [], metric: Metric = .l2, count: Int = 5, condition: String? = nil,
        given: GivenImage? = nil
    ) {
        self.image = image
        self.layer = layer
        self.metric = metric
        self.count = count
        self.condition = condition
        self.given = given
    }

    public static func samples(_ ground: SampleGround) -> [SimilarQuery] {
        [
            SimilarQuery(image: ground.image, layer: [ground.layer], count: 4),
            SimilarQuery(image: ground.image, layer: ground.layers, metric: .cosine, count: 4),
        ]
    }

    public var operands: [String] { [image] }
    public var selection: String? { condition }

    public func check(isDrawn: Bool) throws { guard count >= 1 else { throw QueryError.wrongCount(count) } }

    public var options: [String] {
        Spelling.option("--layer", layer) + Spelling.option("--metric", metric.rawValue) + Spelling.option("-k", "\(count)")
            + Spelling.option("--where", condition)
    }

    public struct Hit: Hashable, TableRow {
        /// From 1.
        public var rank: Int
        /// Path.
        public var image: String
        public var imageID: Int
        public var label: String?
        public var distance: Double

        public static let columns: [ListColumn<Hit>] = list {
            column("rank", \.rank)
            column("image", \.image).shortened
            column("image_id", \.imageID).forPrograms
            column("label", \.label).shortened
            column("distance", \.distance).after("rank")
        }

        public init(rank: Int, image: String, imageID: Int, label: String?, distance: Double) {
            self.rank = rank
            self.image = image
            self.imageID = imageID
            self.label = label
            self.distance = distance
        }
    }

    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> Findings<Hit> {
        let found = try found(in: store)
        var remarks: [Remark] = []
        if found.isInfinite {
            remarks.append(
                .plain("an activation of \(image) is infinite, so every image is infinitely far from it, or at no distance"))
        }
        for (images, what) in [
            (
                found.unlisted,
                "cannot be compared, as activations are NaN, infinite or, for the cosine, all zero, and are not listed"
            ),
            (found.infinite, "are infinitely far, as an activation is infinite, and come last"),
        ] where images > 0 {
            remarks.append(.plain("images that \(what): \(images)"))
        }
        if found.hits.isEmpty { remarks.append(try reasonForNothing(in: store)) }
        return Findings(found.hits, remarks: remarks)
    }

    public func figure(of hits: Findings<Hit>, in store: Store) throws -> AnswerFigure? {
        var row = SheetPlan.Row(title: "nearest to \(image)")
        if given == nil, let own = try? store.image(named: image) {
            row.pictures.append(SheetPlan.Picture(imageID: own.id, note: "itself", label: own.label))
        }
        row.pictures += hits.map { SheetPlan.Picture(imageID: $0.imageID, note: shortNumber($0.distance), label: $0.label) }
        return .sheet(SheetPlan([row]))
    }

    public struct Found: Sendable {
        public var hits: [Hit]
        /// Images that were compared but are at no distance, as activations are NaN, infinite on both sides or, for the cosine, all zero.
        public var unlisted: Int
        /// Images that are infinitely far, as an activation is infinite; they are listed last.
        public var infinite: Int
        /// Whether an activation of the image itself is infinite: then no image is at a finite distance.
        public var isInfinite: Bool
    }

    /// As ``run(in:)``, with what cannot be seen in the hits.
    public func found(in store: Store) throws -> Found {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        let subject = try QueryImage(image, given: given, in: store)
        let references = layer.isEmpty ? [store.description.descriptiveLayer.name] : layer
        let neurons = try NeuronSet(references, in: store.description)
        return try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            var mask =
                try snapshot.mask(where: condition)
                ?? [UInt8](repeating: 1, count: fold.images)
            let values = try subject.activations(neurons, fold).values
            if let id = subject.id { mask[id] = 0 }
            guard neurons.ranges.allSatisfy({ range in values[range].allSatisfy { !$0.isNaN } }) else {
                throw QueryError.noDistance(image: image, reason: "one of its activations is NaN")
            }
            let distances = try distances(values, neurons, fold, mask)
            let names = try ImageNames(snapshot)
            let compared = distances.indices.filter { mask[$0] == 1 }
            let hits = try largest(distances.map { -$0 }, mask: mask, count: count).enumerated().map { index, found in
                let (path, label) = try names.of(found)
                return Hit(rank: index + 1, image: path, imageID: found, label: label, distance: distances[found])
            }
            return Found(
                hits: hits, unlisted: compared.count { distances[$0].isNaN },
                infinite: compared.count { distances[$0].isInfinite },
                isInfinite: neurons.ranges.contains { range in values[range].contains { $0.isInfinite } })
        }
    }

    private func distances(_ values: [Float], _ neurons: NeuronSet, _ fold: BlockFold, _ mask: [UInt8]) throws -> [Double] {
        func own(_ neuron: Int) -> Double { Double(values[neuron]) }
        switch metric {
        case .l1: return try fold.scores(NDX_L1, neurons, mask: mask, reference: own)
        case .l2: return try fold.scores(NDX_L2, neurons, mask: mask, reference: own).map { $0.squareRoot() }
        case .linf: return try fold.scores(NDX_LINF, neurons, mask: mask, reference: own)
        case .cosine:
            let square = neurons.ranges.reduce(0.0) { $1.reduce($0) { $0 + own($1) * own($1) } }
            guard square > 0, square.isFinite else {
                throw QueryError.noDistance(image: image, reason: "its activations are all zero, or infinite")
            }
            let (products, squares) = try fold.productsAndSquares(neurons, mask: mask, reference: own)
            return zip(products, squares).map { product, other in
                let distance = 1 - product / (square * other).squareRoot()
                return distance.isNaN ? .nan : min(max(distance, 0), 2)
            }
        }
    }
}

extension SimilarQuery: ReasonedQuery {
    public func reasonForNothing(in store: Store) throws -> Remark {
        if let empty = try store.emptiness(where: condition) { return empty }
        return .nothing(
            lookedAt: "\(try store.imageCount()) images",
            because: "there is no other than the image itself, or their distances to it are no numbers (NaN, or of no length)")
    }
}
