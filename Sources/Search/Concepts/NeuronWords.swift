public import ActivationStore
public import Support

/// Words for neurons, from vectors of images and words that one image–text model made: soft WPMI of CLIP-Dissect (Oikarinen and
/// Weng, [CLIP-Dissect](https://arxiv.org/abs/2204.10965), 2023).
public struct NeuronWords: Sendable {
    /// `LAYER:CHANNEL` or `LAYER`; the last layer before the class scores, if there is none.
    public var neurons: [String]
    /// A NumPy array, images × numbers: a row for each image of the store, by id.
    public var vectors: String
    /// A NumPy array, words × numbers.
    public var words: String
    /// A text, a word a line.
    public var names: String
    /// A word whose neurons are wanted.
    public var wanted: String?
    /// Of a neuron's strongest images, how many are looked at; nil for a tenth of the images, 5 to 100.
    public var strongest: Int?
    /// Of neurons, how many are listed: those that have most of the wanted word, or of their best one.
    public var count: Int?
    public var condition: String?

    public init(
        neurons: [String], vectors: String, words: String, names: String, wanted: String? = nil, strongest: Int? = nil,
        count: Int? = nil, condition: String? = nil
    ) {
        (self.neurons, self.vectors, self.words, self.names) = (neurons, vectors, words, names)
        (self.wanted, self.strongest, self.count, self.condition) = (wanted, strongest, count, condition)
    }

    public struct Hit: Hashable, NeuronRow {
        public var layer: String
        public var channel: Int
        /// The wanted one, or the best; nil of a neuron that is the same on all images.
        public var word: String?
        /// By how much more the neuron has of the word than neurons of its layer have, as a logarithm.
        public var score: Double?
        /// The words that it has most of beside, the best first, with commas between.
        public var others: String

        public static let columns: [ListColumn<Hit>] = list {
            neuronColumn
            layerColumn
            channelColumn
            column("word", \.word).shortened
            column("score", \.score)
            column("others", title: "other words", \.others).shortened
        }
    }

    /// Words beside the best that are listed.
    private static let others = 4

    /// Hits by neuron; with `count` or a wanted word by score, the largest first.
    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> Findings<Hit> {
        let references = try (neurons.isEmpty ? [store.description.descriptiveLayer.name] : neurons).map {
            try NeuronReference($0, in: store.description)
        }
        return try store.read { snapshot in
            let mask = try snapshot.filledMask(where: condition)
            let vectors = try WordVectors(.init(vectors: vectors, words: words, names: names), snapshot)
            let word = try wanted.map { try place(of: $0, in: vectors.names) }
            let images = vectors.ids.count { mask == nil || mask?[$0] == 1 }
            let size = min(strongest ?? max(5, min(100, images / 10)), images)
            var (hits, silent): ([Hit], [Hit]) = ([], [])
            for layer in store.description.layers {
                let channels = references.filter { $0.layer.name == layer.name }.flatMap(\.neurons)
                guard !channels.isEmpty else { continue }
                let lists = try strongest(size, of: layer, mask, vectors, snapshot)
                let search = WordSearch(vectors, strongest: lists)
                let found = search.best(Self.others + 1, word: word)
                for neuron in Set(channels).sorted() {
                    let place = neuron - layer.firstNeuron
                    let hit = hit(layer.name, place, found.words[place], found.scores[place], word, vectors.names)
                    hits.append(hit)
                    if hit.word == nil { silent.append(hit) }
                }
            }
            if count != nil || wanted != nil {
                let order = largest(hits.map { $0.score ?? .nan }, mask: nil, count: count ?? hits.count)
                hits = order.map { hits[$0] }
            }
            return Findings(hits, remarks: remarks(size, images, vectors, silent))
        }
    }

    private func place(of word: String, in names: [String]) throws -> Int {
        if let place = names.firstIndex(of: word) ?? names.firstIndex(where: { $0.lowercased() == word.lowercased() }) {
            return place
        }
        throw QueryError.unknownWord(name: word, file: self.names, suggestions: Suggestion.nearest(to: word, among: names))
    }

    /// Rows of the vectors of each neuron's strongest images; none of a neuron that is the same on all images.
    private func strongest(
        _ size: Int, of layer: LayerRecord, _ mask: [UInt8]?, _ vectors: WordVectors, _ snapshot: Snapshot
    ) throws -> [[Int]] {
        var rows: [Int: Int] = [:]
        for (row, id) in vectors.ids.enumerated() { rows[id] = row }
        var lists: [[Int]] = []
        let weakest = try weakest(of: layer, mask, snapshot)
        try TopScan(snapshot: snapshot, count: size, lowest: false, mask: mask).run(layer.neurons) { neuron, entries in
            let isConstant = entries.first.map { $0.value == weakest[neuron - layer.firstNeuron] } ?? true
            lists.append(isConstant ? [] : entries.compactMap { rows[$0.image] })
        }
        return lists
    }

    private func weakest(of layer: LayerRecord, _ mask: [UInt8]?, _ snapshot: Snapshot) throws -> [Float?] {
        var values: [Float?] = []
        try TopScan(snapshot: snapshot, count: 1, lowest: true, mask: mask).run(layer.neurons) {
            values.append($1.first?.value)
        }
        return values
    }

    private func hit(
        _ layer: String, _ channel: Int, _ found: [WordSearch.Found], _ score: Double, _ word: Int?, _ names: [String]
    ) -> Hit {
        guard let best = found.first else { return Hit(layer: layer, channel: channel, others: "") }
        let shown = word.map { WordSearch.Found(word: $0, score: score) } ?? best
        let others = found.filter { $0.word != shown.word }.prefix(Self.others)
        return Hit(
            layer: layer, channel: channel, word: names[shown.word], score: shown.score,
            others: others.map { names[$0.word] }.joined(separator: ", "))
    }

    private func remarks(_ size: Int, _ images: Int, _ vectors: WordVectors, _ silent: [Hit]) -> [Remark] {
        var remarks: [Remark] = [
            .plain("of each neuron its \(size) strongest of \(images) images, and \(vectors.names.count) words")
        ]
        if let example = silent.first {
            remarks.append(
                .plain("\(silent.count) neurons have no word, such as \(example.neuron): they are the same on all images"))
        }
        return remarks
    }
}
