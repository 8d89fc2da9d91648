import Foundation
import Indexing

/// A bar with rate and time left on standard error, where that is a terminal; nothing elsewhere.
final class ProgressBar {
    private let isShown = isatty(STDERR_FILENO) == 1
    private let usesColor = ProcessInfo.processInfo.environment["NO_COLOR"]?.isEmpty ?? true
    private var lastDrawn = ContinuousClock.now - .seconds(1)

    func update(_ progress: Indexer.Progress) {
        let skipped = progress.skipped == 0 ? "" : ", \(progress.skipped) skipped"
        update(done: progress.done, total: progress.total, seconds: progress.seconds, unit: "images", remark: skipped)
    }

    /// - Parameter unit: what is counted, as in "3/9 images".
    func update(done: Int, total: Int, seconds: Double, unit: String, remark: String = "") {
        guard isShown, done == total || ContinuousClock.now - lastDrawn > .milliseconds(100) else { return }
        lastDrawn = .now
        StatusLine.cover(true)
        let share = total == 0 ? 1 : Double(done) / Double(total)
        let rate = seconds > 0 ? Double(done) / seconds : 0
        let left = rate > 0 ? Self.duration(Double(total - done) / rate) : "?"
        let width = 28
        let filled = Int((share * Double(width)).rounded(.down))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        let colored = usesColor ? "\u{1B}[36m\(bar)\u{1B}[0m" : bar
        let text = String(format: " %d/%d ", done, total) + unit + String(format: ", %.0f/s, ", rate) + left + " left" + remark
        printError("\r\(colored)\(text)\u{1B}[K")
    }

    /// Leaves the line empty.
    func clear() {
        if isShown { printError("\r\u{1B}[K") }
        StatusLine.cover(false)
    }

    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        return whole >= 3600
            ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
            : String(format: "%d:%02d", whole / 60, whole % 60)
    }
}
