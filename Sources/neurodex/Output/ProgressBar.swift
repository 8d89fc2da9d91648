import Foundation
import Indexing

/// A bar with rate and time left on standard error, where that is a terminal; nothing elsewhere.
final class ProgressBar {
    private let isShown = isatty(STDERR_FILENO) == 1
    private let usesColor = ProcessInfo.processInfo.environment["NO_COLOR"]?.isEmpty ?? true
    private var lastDrawn = ContinuousClock.now - .seconds(1)

    func update(_ progress: Indexer.Progress) {
        guard isShown, progress.done == progress.total || ContinuousClock.now - lastDrawn > .milliseconds(100) else { return }
        lastDrawn = .now
        let share = progress.total == 0 ? 1 : Double(progress.done) / Double(progress.total)
        let rate = progress.seconds > 0 ? Double(progress.done) / progress.seconds : 0
        let left = rate > 0 ? Self.duration(Double(progress.total - progress.done) / rate) : "?"
        let width = 28
        let filled = Int((share * Double(width)).rounded(.down))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        let colored = usesColor ? "\u{1B}[36m\(bar)\u{1B}[0m" : bar
        let skipped = progress.skipped == 0 ? "" : ", \(progress.skipped) skipped"
        let text = String(format: " %d/%d images, %.0f/s, %@ left", progress.done, progress.total, rate, left) + skipped
        FileHandle.standardError.write(Data("\r\(colored)\(text)\u{1B}[K".utf8))
    }

    /// Leaves the line empty.
    func clear() {
        if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    }

    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        return whole >= 3600
            ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
            : String(format: "%d:%02d", whole / 60, whole % 60)
    }
}
