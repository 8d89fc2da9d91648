import Foundation

/// Hands what workers make, in any order, to one reader, in the order of the work; workers that run far ahead wait.
package final class ResultQueue<Element>: @unchecked Sendable {  // All state is under the condition's lock.
    private let condition = NSCondition()
    private let capacity: Int
    private var waiting: [Int: Element] = [:]
    private var next = 0
    private var closed = false
    private var producers: Int

    /// - Parameters:
    ///   - capacity: how far a worker may be ahead of the reader.
    ///   - producers: workers that will call `finish`.
    package init(capacity: Int, producers: Int) {
        self.capacity = capacity
        self.producers = producers
    }

    /// Waits while `sequence` is too far ahead. False once the reader has closed the queue.
    package func put(_ element: Element, sequence: Int) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while !closed && sequence >= next + capacity { condition.wait() }
        guard !closed else { return false }
        waiting[sequence] = element
        if sequence == next { condition.broadcast() }
        return true
    }

    /// A worker has nothing more.
    package func finish() {
        condition.lock()
        producers -= 1
        condition.broadcast()
        condition.unlock()
    }

    /// The next element in order; nil when all workers have finished and the next one was never made.
    package func take() -> Element? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let element = waiting.removeValue(forKey: next) {
                next += 1
                condition.broadcast()
                return element
            }
            guard producers > 0 else { return nil }
            condition.wait()
        }
    }

    /// Lets waiting workers go; what they still put is dropped.
    package func close() {
        condition.lock()
        closed = true
        condition.broadcast()
        condition.unlock()
    }
}
