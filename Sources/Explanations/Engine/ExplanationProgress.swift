import Support

/// How far an explanation is: passes of the part that is being done.
///
/// Whoever wants to be told says so around the call; what throws there ends the explanation.
///
/// ```swift
/// let explanation = try ExplanationProgress.observed(by: { print($0.done, $0.total) }) {
///     try archive.explanation(of: subject, target: target, by: method)
/// }
/// ```
public struct ExplanationProgress: Sendable {
    /// What is being done, for a reader; nil for the map itself.
    public var part: String?
    /// Passes through the network, of `total`.
    public var done: Int
    public var total: Int

    package init(part: String?, done: Int, total: Int) { (self.part, self.done, self.total) = (part, done, total) }

    /// Makes `body`, and tells `observer` of every pass, on the thread that asked.
    public static func observed<Value>(
        by observer: @escaping (ExplanationProgress) throws -> Void, _ body: () throws -> Value
    ) rethrows -> Value {
        try with(Watch(observer: observer, part: current?.part), body)
    }

    static func report(done: Int, of total: Int) throws {
        guard let watch = current, let observer = watch.observer else { return }
        try observer(ExplanationProgress(part: watch.part, done: done, total: total))
    }

    static func inPart<Value>(_ part: String, _ body: () throws -> Value) rethrows -> Value {
        try with(Watch(observer: current?.observer, part: part), body)
    }

    /// Who is told on a thread, and of what.
    private struct Watch {
        var observer: ((ExplanationProgress) throws -> Void)?
        var part: String?
    }

    private static let watching = ThreadLocal<Watch>("explanation-progress")

    private static var current: Watch? { watching.value }

    private static func with<Value>(_ watch: Watch, _ body: () throws -> Value) rethrows -> Value {
        try watching.with(watch, body)
    }
}
