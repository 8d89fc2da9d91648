import Foundation

/// A value that holds on one thread while something is done there.
///
/// A task-local value would do the same, but Swift 6.3 crashes where an optimised program sets one outside of tasks, as its threads do.
///
/// ```swift
/// static let verbosity = ThreadLocal<Int>("verbosity")
/// verbosity.with(2) { work() }     // work reads verbosity.value
/// ```
package struct ThreadLocal<Value>: Sendable {
    private let key: String

    private final class Box {
        let value: Value
        init(_ value: Value) { self.value = value }
    }

    /// - Parameter name: no other has.
    package init(_ name: String) { key = "neurodex." + name }

    /// Nil where nothing is set on this thread.
    package var value: Value? { (Thread.current.threadDictionary[key] as? Box)?.value }

    /// Sets the value while `body` runs on this thread.
    package func with<Result>(_ value: Value, _ body: () throws -> Result) rethrows -> Result {
        let before = Thread.current.threadDictionary[key]
        Thread.current.threadDictionary[key] = Box(value)
        defer { Thread.current.threadDictionary[key] = before }
        return try body()
    }
}
