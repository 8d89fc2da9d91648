public import ActivationStore
public import ArgumentParser
import CKernels
public import Support

/// What several neurons' activations on an image come to. Computed in double precision, in the order of the neurons' ids.
public enum Combination: String, Sendable, CaseIterable, ExpressibleByArgument {
    case sum, mean, min, max, l2
}

/// The images on which several neurons together are strongest. Exact, ties by image id; an image on which one of them is NaN, or
/// whose sum is (+∞ and −∞), is never listed.
public struct GroupQuery: Query {
    public static let name = "group"
    public static let abstract = "Find the images that activate a group of neurons most."

    @Option(help: "How the neurons' activations on an image are combined.")
    public var by: Combination

    @OptionGroup public var query: TopQuery

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(by combination: Combination, options query: TopQuery) {
        by = combination
        self.query = query
    }

    /// One image of the list.
    public struct Hit: Hashable, TableRow {
        /// From 1; with `--from decile`, within the tenth.
        public var rank: Int
        /// Path.
        public var image: String
        public var imageID: Int
        public var label: String?
        public var value: Double
        /// With `--from decile`: 1 … 10, 10 being the strongest tenth.
        public var decile: Int?

        public static let columns: [ListColumn<Hit>] = list {
            column("rank", \.rank)
            column("image", \.image).shortened
            column("image_id", \.imageID).forPrograms
            column("label", \.label).shortened
            column("value", \.value).after("rank")
            column("decile", title: "tenth", \.decile).absent { $0.decile != nil }.first
        }

        public init(rank: Int, image: String, imageID: Int, label: String?, value: Double, decile: Int? = nil) {
            self.rank = rank
            self.image = image
            self.imageID = imageID
            self.label = label
            self.value = value
            self.decile = decile
        }
    }

    /// - Throws: ``StoreError`` and ``QueryError``.
    public func run(in store: Store) throws -> [Hit] {
        let choice = try query.checkedChoice()
        let neurons = try NeuronSet(query.neurons, in: store.description)
        return try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            let mask = try snapshot.mask(where: query.condition)
            let scores = try combined(neurons, fold, mask)
            let chooser = Chooser(
                choice: choice, count: query.count, seed: query.seed, mask: mask,
                distinct: query.distinct ? Distinct(fold) : nil)
            let names = try ImageNames(snapshot)
            return try chooser.parts(of: scores).flatMap { part in
                try part.images.enumerated().map { index, image in
                    let (path, label) = try names.of(image)
                    return Hit(
                        rank: index + 1, image: path, imageID: image, label: label, value: scores[image], decile: part.decile)
                }
            }
        }
    }

    public var selection: String? { query.condition }
    public var options: [String] { query.options + Spelling.option("--by", by.rawValue) }
    public var operands: [String] { query.operands }

    public func remarks(on hits: [Hit], in store: Store) throws -> [Remark] {
        hits.isEmpty ? [try query.reasonForNothing(in: store)] : []
    }

    public func figure(of hits: [Hit], in store: Store) throws -> AnswerFigure? {
        guard !hits.isEmpty else { return nil }
        let name = "\(by.rawValue) of \(query.neurons.joined(separator: ", "))"
        var rows: [SheetPlan.Row] = []
        for hit in hits {
            if hit.rank == 1 { rows.append(SheetPlan.Row(title: hit.decile.map { "\(name), tenth \($0)" } ?? name)) }
            rows[rows.count - 1].pictures.append(
                SheetPlan.Picture(imageID: hit.imageID, note: shortNumber(hit.value), label: hit.label))
        }
        return .sheet(SheetPlan(rows))
    }

    private func combined(_ neurons: NeuronSet, _ fold: BlockFold, _ mask: [UInt8]?) throws -> [Double] {
        switch by {
        case .sum: return try fold.scores(NDX_SUM, neurons, mask: mask)
        case .mean: return try fold.scores(NDX_SUM, neurons, mask: mask).map { $0 / Double(neurons.count) }
        case .min: return try fold.scores(NDX_SMALLEST, neurons, initial: .infinity, mask: mask).map { $0 + 0 }
        case .max: return try fold.scores(NDX_LARGEST, neurons, initial: -.infinity, mask: mask).map { $0 + 0 }
        case .l2: return try fold.scores(NDX_SQUARES, neurons, mask: mask).map { $0.squareRoot() }
        }
    }
}
