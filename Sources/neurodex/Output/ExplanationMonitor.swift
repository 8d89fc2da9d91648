import Explanations
import Foundation
import Indexing

/// Shows how far explanations are, on a terminal, once they have taken two seconds; and ends them at Ctrl-C.
final class ExplanationMonitor {
    private struct Interrupted: Error {}

    private let interruption = Interruption()
    private let bar = ProgressBar()
    private let start = ContinuousClock.now
    private var part: String?
    private var partStart = ContinuousClock.now

    private static let patience = Duration.seconds(2)

    var isInterrupted: Bool { interruption.isRequested }

    /// What `body` makes; nil where the user stopped it.
    ///
    /// - Parameter remark: which of several this is, such as "image 2 of 5".
    func watch<Value>(_ remark: String? = nil, _ body: () throws -> Value) throws -> Value? {
        guard !isInterrupted else { return nil }
        defer { bar.clear() }
        part = nil
        partStart = .now
        do {
            return try ExplanationProgress.observed(by: { try self.show($0, remark) }, body)
        } catch is Interrupted {
            return nil
        }
    }

    /// Shows how many images are done.
    func show(done: Int, of total: Int) {
        guard ContinuousClock.now - start > Self.patience else { return }
        bar.update(done: done, total: total, seconds: (ContinuousClock.now - start).seconds, unit: "images")
    }

    func clear() { bar.clear() }

    /// Called on the thread that called `watch`.
    private func show(_ progress: ExplanationProgress, _ remark: String?) throws {
        if interruption.isRequested { throw Interrupted() }
        if progress.part != part {
            part = progress.part
            partStart = .now
        }
        guard ContinuousClock.now - start > Self.patience else { return }
        bar.update(
            done: progress.done, total: progress.total, seconds: (ContinuousClock.now - partStart).seconds, unit: "passes",
            remark: [part, remark].compactMap { $0.map { ", " + $0 } }.joined())
    }
}
