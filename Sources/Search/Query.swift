public import ActivationStore
public import ArgumentParser
public import Support

/// A question to a store. It is its own arguments, and says everything about itself: what it is called, what its answer holds,
/// how it is drawn, and samples of it. The command line, its help, its formats, `verify` of its pictures and the tests of all
/// questions follow from a line in ``queries``.
///
/// ```swift
/// struct CountQuery: Query {
///     static let name = "count"
///     static let abstract = "Count the images of every label."
///
///     struct Hit: TableRow {
///         var label: String
///         var images: Int
///         static let columns: [ListColumn<Hit>] = list {
///             column("label", \.label)
///             column("images", \.images)
///         }
///     }
///
///     static func samples(_ ground: SampleGround) -> [CountQuery] { [CountQuery()] }
///
///     func run(in store: Store) throws -> [Hit] { … }
/// }
/// ```
public protocol Query: ParsableArguments, SendableMetatype {
    associatedtype Answer
    /// The command's name.
    static var name: String { get }
    /// One line for help.
    static var abstract: String { get }
    /// What the command takes behind the store, without options, as help shows it: `<neurons> ...`.
    static var usage: String { get }
    /// The rest of help; examples first.
    static var discussion: String { get }
    /// How the answer is drawn, if it is.
    static var figureKind: AnswerFigure.Kind? { get }
    /// Questions that are asked of whole and damaged stores, and of stores with images removed.
    static func samples(_ ground: SampleGround) -> [Self]

    /// Refuses what can be refused without a store.
    /// - Throws: ``QueryError``, or a `ValidationError` of options that do not go together.
    func check(isDrawn: Bool) throws
    /// The options that ask it again, defaults spelt out, in a fixed order; with ``operands`` they are parsed as this question. A
    /// picture of the answer has them as text.
    var options: [String] { get }
    /// What it takes without a name.
    var operands: [String] { get }
    /// The SQL condition on its images, if an answer without any is to be explained by it.
    var selection: String? { get }

    /// - Throws: ``StoreError`` or ``QueryError``.
    func run(in store: Store) throws -> Answer
    /// The answer as it is shown.
    func report(on answer: Answer, in store: Store) throws -> Report
    /// What has to be said beside the answer, where its images are not to blame.
    func remarks(on answer: Answer, in store: Store) throws -> [Remark]
    /// Nil where there is nothing to draw.
    func figure(of answer: Answer, in store: Store) throws -> AnswerFigure?
}

/// Every question there is.
public let queries: [any Query.Type] = [
    TopQuestion.self,
    SimilarQuery.self,
    ProfileQuery.self,
    NeuronsQuestion.self,
    ContrastQuery.self,
    ConceptsQuestion.self,
    SuspectsQuery.self,
    ShortcutsQuery.self,
    AccuracyQuery.self,
    ConfusionQuery.self,
    CalibrationQuery.self,
    SQLQuery.self,
]

extension Query {
    public static var usage: String { "" }
    public static var discussion: String { "" }
    public static var figureKind: AnswerFigure.Kind? { nil }
    public static func samples(_ ground: SampleGround) -> [Self] { [] }
    public func check(isDrawn: Bool) throws {}
    public var options: [String] { [] }
    public var operands: [String] { [] }
    public var selection: String? { nil }
    public func remarks(on answer: Answer, in store: Store) throws -> [Remark] { [] }
    public func figure(of answer: Answer, in store: Store) throws -> AnswerFigure? { nil }

    /// Asks, and shows the answer.
    public func report(from store: Store) throws -> Report { try report(on: run(in: store), in: store) }

    func allRemarks(on answer: Answer, in store: Store) throws -> [Remark] {
        if let selection, let empty = try store.emptySelection(where: selection) { return [.emptySelection(empty)] }
        return try remarks(on: answer, in: store)
    }
}

extension Query where Answer: Collection, Answer.Element: TableRow {
    public func report(on answer: Answer, in store: Store) throws -> Report {
        Report(Rows(answer), remarks: try allRemarks(on: answer, in: store)) { try figure(of: answer, in: store) }
    }

    public func remarks(on answer: Answer, in store: Store) throws -> [Remark] {
        if let found = answer as? any RemarkedAnswer { return found.remarks }
        guard answer.isEmpty, let reasoned = self as? any ReasonedQuery else { return [] }
        return [try reasoned.reasonForNothing(in: store)]
    }
}

extension Query where Answer == Report {
    public func report(on answer: Report, in store: Store) -> Report { answer }
}

/// An answer as it is shown.
public struct Report {
    public var listing: any Printable
    /// What has to be said beside it.
    public var remarks: [Remark]
    /// Nil where there is nothing to draw.
    public var figure: () throws -> AnswerFigure?

    public init(
        _ listing: any Printable, remarks: [Remark] = [], figure: @escaping () throws -> AnswerFigure? = { nil }
    ) {
        self.listing = listing
        self.remarks = remarks
        self.figure = figure
    }
}

/// A question whose answer may be too long to be held: it is handed over part by part.
public protocol StreamedQuery: Query {
    /// - Parameters:
    ///   - rows: so many of the answer are kept, to be drawn.
    ///   - part: takes the listing of each part.
    /// - Returns: remarks and figure, and a listing without rows; nil where the question cannot be answered in parts.
    func report(from store: Store, keeping rows: Int, part: (any Printable) throws -> Void) throws -> Report?
}

/// A question that may read files of the user's, which a page is not allowed to name.
public protocol FileReadingQuery: Query {
    var filesRead: [String] { get }
}

/// A question about an image that the store need not have.
public protocol ImageQuery: Query {
    /// A path or an id of the store, or any other file.
    var image: String { get set }
    /// The image's activations if it is not in the store; set by the program that runs the network.
    var given: GivenImage? { get set }
}
