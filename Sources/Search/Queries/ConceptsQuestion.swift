public import ActivationStore
public import ArgumentParser
import Support

/// `concepts`: formulas of labels and attributes for neurons, or with `--vectors` words.
public struct ConceptsQuestion: Query, FileReadingQuery {
    public static let name = ConceptsQuery.name
    public static let abstract = ConceptsQuery.abstract
    public static let usage = ConceptsQuery.usage
    public static let figureKind = ConceptsQuery.figureKind
    public static let discussion =
        ConceptsQuery.discussion + """


            With --vectors, words instead: those that a neuron's strongest images have more of than other neurons' of its layer, by vectors of images and words \
            that an image–text model such as CLIP made (soft WPMI of CLIP-Dissect); with --find, the neurons that have most of one word. \
            --vectors, --words and --names go together; docs/concepts.md shows how to make them.
            """

    @OptionGroup public var formulas: ConceptsQuery
    @OptionGroup public var files: VectorOptions

    /// `--vectors` and what goes with it.
    public struct VectorOptions: ParsableArguments {
        @Option(
            help: ArgumentHelp(
                "Find words instead of formulas: a NumPy array with a row for each image of the store, in the order of ids.",
                valueName: "file"), completion: .file())
        public var vectors: String?

        @Option(
            help: ArgumentHelp("With --vectors: a NumPy array with a row for each word, by the same model.", valueName: "file"),
            completion: .file())
        public var words: String?

        @Option(help: ArgumentHelp("With --vectors: the words, one a line.", valueName: "file"), completion: .file())
        public var names: String?

        @Option(help: ArgumentHelp("With --vectors: the neurons that have most of this word.", valueName: "word"))
        public var find: String?

        @Option(
            help: ArgumentHelp(
                "With --vectors: how many of a neuron's strongest images are looked at (default: a tenth of the images, 5 to 100).",
                valueName: "count"))
        public var strongest: Int?

        public init() {}

        /// None.
        fileprivate init(strongest: Int?) {
            (vectors, words, names, find, self.strongest) = (nil, nil, nil, nil, strongest)
        }

        fileprivate var options: [String] {
            Spelling.option("--vectors", vectors) + Spelling.option("--words", words) + Spelling.option("--names", names)
                + Spelling.option("--find", find) + Spelling.option("--strongest", strongest.map { "\($0)" })
        }
    }

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(_ formulas: ConceptsQuery) {
        self.formulas = formulas
        files = VectorOptions(strongest: nil)
    }

    public static func samples(_ ground: SampleGround) -> [ConceptsQuestion] {
        ConceptsQuery.samples(ground).map { ConceptsQuestion($0) }
    }

    public var options: [String] {
        (files.vectors == nil ? formulas.options : wordOptions) + files.options
    }
    public var operands: [String] { formulas.operands }
    public var filesRead: [String] { [files.vectors, files.words, files.names].compactMap { $0 } }

    private var wordOptions: [String] {
        Spelling.option("-k", formulas.count.map { "\($0)" }) + Spelling.option("--where", formulas.condition)
    }

    public func check(isDrawn: Bool) throws {
        try formulas.check(isDrawn: isDrawn)
        guard files.vectors != nil else {
            guard files.options.isEmpty else {
                throw ValidationError("\(files.options[0]) goes with --vectors: name the images' vectors too")
            }
            return
        }
        guard files.words != nil, files.names != nil else {
            throw ValidationError("--vectors needs --words FILE.npy, the words' vectors, and --names FILE.txt, the words")
        }
        if let strongest = files.strongest, strongest < 1 {
            throw QueryError.outside(option: "--strongest", value: "\(strongest)", range: "1 and more")
        }
        let plain = ConceptsQuery(count: formulas.count, condition: formulas.condition)
        guard formulas.options == plain.options else {
            throw ValidationError("--length, --beam, --gain, --share and --seed are of formulas, and do not go with --vectors")
        }
    }

    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> Report {
        guard let vectors = files.vectors, let words = files.words, let names = files.names else {
            return try formulas.report(from: store)
        }
        let found = try NeuronWords(
            neurons: formulas.neurons, vectors: vectors, words: words, names: names, wanted: files.find,
            strongest: files.strongest, count: formulas.count, condition: formulas.condition
        ).run(in: store)
        return Report(Rows(found), remarks: found.remarks) {
            try ConceptsQuery.sheet(
                found.compactMap { hit in hit.word.map { (hit.neuron, $0) } }, condition: formulas.condition, in: store)
        }
    }
}
