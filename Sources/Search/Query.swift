public import ActivationStore
public import ArgumentParser

/// A question to a store. It is its own arguments: the command line and the web parse the same declaration.
public protocol Query: ParsableArguments {
    associatedtype Answer: Encodable & Sendable
    /// The command's name.
    static var name: String { get }
    /// One line for help.
    static var abstract: String { get }
    /// - Throws: ``StoreError`` or ``QueryError``.
    func run(in store: Store) throws -> Answer
}

/// A question whose answer is drawn.
public protocol DrawnQuery: Query {
    /// The options that ask it again, defaults spelt out, in a fixed order, without what it takes without a name: what a picture of the answer
    /// says of how it was made. Parsed, they are this question.
    var options: [String] { get }
}

/// Every question there is.
public let queries: [any Query.Type] = [
    TopQuery.self,
    GroupQuery.self,
    SimilarQuery.self,
    ProfileQuery.self,
    NeuronsQuery.self,
    HistogramQuery.self,
    DuplicatesQuery.self,
    SelectivityQuery.self,
    ContrastQuery.self,
    SuspectsQuery.self,
    ShortcutsQuery.self,
    SQLQuery.self,
]
