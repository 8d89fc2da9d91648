public import ActivationStore
public import ArgumentParser
import Foundation
public import Support

/// The images that excite neurons most, or least. Exact: equal to sorting all images, ties by image id, NaN left out.
///
/// One neuron's list comes from `top_list` if that covers all images and is long enough, else from a scan of the blocks.
public struct TopQuery: Query {
    public static let name = "top"
    public static let abstract = "Find the images that activate neurons most."

    @Argument(help: "LAYER:CHANNEL, LAYER for all its neurons, or class:NAME for a logit.", completion: .neurons)
    public var neurons: [String]

    @Option(name: .customShort("k"), help: "How many images for each neuron.")
    public var count = 5

    @Option(
        help: ArgumentHelp(
            "Which images: the strongest, the weakest, some of every tenth of the distribution, random ones, or those nearest to a value.",
            valueName: "top|lowest|decile|random|near:VALUE"))
    public var from: Choice = .top

    @Flag(help: "The images that excite them least; the same as --from lowest.")
    public var lowest = false

    @Option(help: "Of --from random: another number draws other images.")
    public var seed = 0

    @Flag(help: "Leave out images that are nearly the same as one listed before.")
    public var distinct = false

    @Option(
        name: .customLong("where"),
        help: "Only images that meet this SQL condition on path, label, split, width, height, predicted, score, correct …")
    public var condition: String?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(
        neurons: [String], count: Int = 5, lowest: Bool = false, condition: String? = nil, from: Choice = .top, seed: Int = 0,
        distinct: Bool = false
    ) {
        self.neurons = neurons
        self.count = count
        self.lowest = lowest
        self.condition = condition
        self.from = from
        self.seed = seed
        self.distinct = distinct
    }

    public var operands: [String] { neurons }
    public var selection: String? { condition }

    public var options: [String] {
        Spelling.option("-k", "\(count)") + Spelling.option("--from", (lowest ? .lowest : from).argument)
            + Spelling.option("--seed", "\(seed)")
            + Spelling.flag("--distinct", distinct) + Spelling.option("--where", condition)
    }

    /// What `--from` and `--lowest` come to.
    /// - Throws: ``QueryError`` for what cannot be asked.
    package func checkedChoice() throws -> Choice {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        guard !neurons.isEmpty else { throw QueryError.noNeuron }
        guard !lowest || from == .top || from == .lowest else { throw QueryError.conflict("--lowest", "--from") }
        guard !distinct || from != .decile else { throw QueryError.conflict("--distinct", "--from decile") }
        return lowest ? .lowest : from
    }

    /// One image in a neuron's list.
    public struct Hit: Hashable, NeuronRow {
        public let layer: String
        public let channel: Int
        /// From 1.
        public let rank: Int
        /// Path.
        public let image: String
        public let imageID: Int
        public let label: String?
        public let value: Float
        /// Cell of the layer's map.
        public let y: Int
        public let x: Int
        /// With `--from decile`: 1 … 10, 10 being the strongest tenth. `rank` is within it then.
        public let decile: Int?

        public static let columns: [ListColumn<Hit>] = list {
            neuronColumn
            layerColumn
            channelColumn
            column("rank", \.rank)
            column("image", \.image).shortened
            column("image_id", \.imageID).forPrograms
            column("label", \.label).shortened
            column("value", \.value).after("rank")
            column("y", \.y)
            column("x", \.x)
            column("decile", title: "tenth", \.decile).absent { $0.decile != nil }.after("neuron")
        }

        public init(
            layer: String, channel: Int, rank: Int, image: String, imageID: Int, label: String?, value: Float, y: Int, x: Int,
            decile: Int? = nil
        ) {
            self.layer = layer
            self.channel = channel
            self.rank = rank
            self.image = image
            self.imageID = imageID
            self.label = label
            self.value = value
            self.y = y
            self.x = x
            self.decile = decile
        }
    }

    /// Hits by neuron in the order asked for, then by rank. A neuron asked for twice is answered twice.
    /// - Throws: ``StoreError`` and ``QueryError``.
    public func run(in store: Store) throws -> [Hit] {
        var hits: [Hit] = []
        try visit(store, atOnce: .max) { part in
            if hits.isEmpty { hits = part } else { hits += part }
        }
        return hits
    }

    /// As ``run(in:)``, by parts of some `count` hits, so that an answer of any size takes no more memory than a part.
    public func visit(_ store: Store, atOnce count: Int = 1 << 17, _ body: ([Hit]) throws -> Void) throws {
        let choice = try checkedChoice()
        let references = try neurons.map { try NeuronReference($0, in: store.description) }
        try store.read { snapshot in
            let images = try snapshot.blocks().reduce(0, +)
            let mask = try snapshot.mask(where: condition)
            let isKept =
                try mask == nil && !distinct && choice == .top && images > 0
                && min(self.count, images) <= store.description.topCount && snapshot.isDerivedComplete()
            let expected = references.reduce(0) { $0 + $1.neurons.count * min(self.count, images) }
            let names = try ImageNames(snapshot, expected: expected, of: images)
            if isKept { return try visitKept(references, names, snapshot, atOnce: count, body) }
            var hits: [Hit] = []
            hits.reserveCapacity(min(expected, 1 << 20, count))
            func add(_ neuron: Int, _ layer: LayerRecord, _ entries: [TopScan.Entry], decile: Int? = nil) throws {
                for (index, entry) in entries.enumerated() {
                    hits.append(Self.hit(neuron, layer, index + 1, entry, try names.of(entry.image), decile: decile))
                }
                guard hits.count >= count else { return }
                try body(hits)
                hits.removeAll(keepingCapacity: true)
            }
            if !distinct, choice == .top || choice == .lowest {
                let scan = TopScan(snapshot: snapshot, count: self.count, lowest: choice == .lowest, mask: mask)
                for reference in references {
                    try scan.run(reference.neurons) { try add($0, reference.layer, $1) }
                }
            } else {
                let spread = try Spread(choice, query: self, mask: mask, snapshot)
                for reference in references {
                    for neuron in reference.neurons {
                        for part in try spread.parts(of: neuron) {
                            try add(neuron, reference.layer, part.entries, decile: part.decile)
                        }
                    }
                }
            }
            if !hits.isEmpty { try body(hits) }
        }
    }

    /// From the kept lists, which are shared among readers; some lists at a time.
    private func visitKept(
        _ references: [NeuronReference], _ names: ImageNames, _ snapshot: Snapshot, atOnce: Int,
        _ body: ([Hit]) throws -> Void
    ) throws {
        let count = min(count, snapshot.description.topCount)
        let parts = references.flatMap { reference in
            NeuronSet([reference.neurons]).parts(of: max(1, min(256, atOnce / count))).map {
                (layer: reference.layer, neurons: $0)
            }
        }
        var first = 0
        while first < parts.count {
            var (end, hits) = (first, 0)
            repeat {
                hits += parts[end].neurons.count * count
                end += 1
            } while end < parts.count && hits < atOnce
            try body(kept(parts[first..<end], count: count, names, snapshot))
            first = end
        }
    }

    private func kept(
        _ parts: ArraySlice<(layer: LayerRecord, neurons: Range<Int>)>, count: Int, _ names: ImageNames,
        _ snapshot: Snapshot
    ) throws -> [Hit] {
        let parts = Array(parts)
        let found = PartialResults<Hit>(capacities: parts.map { $0.neurons.count * count })
        func find(_ index: Int, _ lists: TopLists, _ name: (Int) throws -> ImageNames.Name) throws {
            let part = parts[index]
            try lists.visit(neurons: part.neurons, limit: count) { neuron, rank, entry in
                found.append(Self.hit(neuron, part.layer, rank, .init(entry), try name(entry.image)), to: index)
            }
        }
        if names.hasAll {
            let rows = parts.reduce(0) { $0 + $1.neurons.count } * count
            try snapshot.readers.forEach(Array(parts.indices), rows: rows) { snapshot, indices in
                let lists = try snapshot.topLists()
                try indices.take { try find($0, lists, names.known) }
            }
        } else {
            let lists = try snapshot.topLists()
            for index in parts.indices { try find(index, lists, names.of) }
        }
        return found.joined()
    }

    private static func hit(
        _ neuron: Int, _ layer: LayerRecord, _ rank: Int, _ entry: TopScan.Entry, _ name: ImageNames.Name, decile: Int? = nil
    ) -> Hit {
        Hit(
            layer: layer.name, channel: neuron - layer.firstNeuron, rank: rank, image: name.path, imageID: entry.image,
            label: name.label, value: entry.value, y: entry.position / layer.width, x: entry.position % layer.width,
            decile: decile)
    }
}

extension TopQuery: ReasonedQuery {
    public func reasonForNothing(in store: Store) throws -> Remark {
        try store.emptiness(where: condition)
            ?? .nothing(
                lookedAt: "\(try store.imageCount()) images", because: "what was asked for is NaN on all that could be listed")
    }
}

extension TopQuery {
    public func figure(of hits: [Hit], in store: Store) throws -> AnswerFigure? {
        guard !hits.isEmpty else { return nil }
        return .sheet(SheetPlan(try SheetPlan.rows(of: hits, in: store), advice: "name fewer neurons or a smaller -k"))
    }
}

extension SheetPlan {
    /// What neurons saw, a row a neuron: its hits stand together, and rank 1 begins the next.
    public static func rows(of hits: [TopQuery.Hit], in store: Store) throws -> [Row] {
        var rows: [Row] = []
        for hit in hits {
            if rows.isEmpty || hit.rank == 1 { rows.append(Row(of: hit, in: store.description)) }
            rows[rows.count - 1].pictures.append(
                Picture(
                    imageID: hit.imageID, path: hit.image, note: String(format: "%.4g", Double(hit.value)), label: hit.label,
                    place: Place(layer: hit.layer, channel: hit.channel, y: hit.y, x: hit.x)))
        }
        return rows
    }
}

extension SheetPlan.Row {
    /// The row that a neuron's first hit begins.
    fileprivate init(of first: TopQuery.Hit, in description: StoreDescription) {
        let tenth = first.decile.map { ", tenth \($0)" } ?? ""
        self.init(title: "\(first.layer):\(first.channel)\(tenth)")
        // Of a neuron that has several rows, the first.
        if (first.decile ?? 10) == 10 { neuron = first.neuron }
        guard let layer = description.layers.first(where: { $0.name == first.layer }) else { return }
        if layer.isLogits, description.classes.indices.contains(first.channel) {
            subtitle = "class:\(description.classes[first.channel])"
        } else if let field = layer.receptiveField {
            subtitle = "\(layer.operatorName), sees \(field.height)×\(field.width) pixels"
        } else {
            subtitle = layer.operatorName
        }
    }
}
