/// How far an explanation is: passes of the part that is being done.
///
/// Whoever wants to be told says so around the call; what throws there ends the explanation.
///
/// ```swift
/// let explanation = try ExplanationProgress.$observer.withValue({ print($0.done, $0.total) }) {
///     try archive.explanation(of: subject, target: target, by: method)
/// }
/// ```
public struct ExplanationProgress: Sendable {
    /// What is being done, for a reader; nil for the map itself.
    public var part: String?
    /// Passes through the network, of `total`.
    public var done: Int
    public var total: Int

    /// Called on the thread that asked, after every pass.
    @TaskLocal public static var observer: (@Sendable (ExplanationProgress) throws -> Void)?
    @TaskLocal static var part: String?

    static func report(done: Int, of total: Int) throws {
        try observer?(ExplanationProgress(part: part, done: done, total: total))
    }

    static func inPart<Value>(_ part: String, _ body: () throws -> Value) rethrows -> Value {
        try $part.withValue(part, operation: body)
    }
}
