import ActivationStore
import Foundation
import Support
import Synchronization

/// A line on the terminal that says what a command is busy with, how far it is, and for how long: from its third second on, and gone at its end.
/// Nothing where standard error is no terminal.
enum StatusLine {
    private struct State {
        var isOn = false
        /// Whether it is on the screen now.
        var isDrawn = false
        /// Whether something else has the line, such as the bar of `index`.
        var isCovered = false
    }

    private static let state = Mutex(State())
    /// Before it nobody is told that he waits.
    private static let patience = 2.0

    /// - Parameter command: what stands in the line where the work has no name of its own.
    static func start(_ command: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        state.withLock { $0.isOn = true }
        signal(SIGINT) { number in
            let clear: StaticString = "\r\u{1B}[K"
            _ = write(STDERR_FILENO, clear.utf8Start, clear.utf8CodeUnitCount)
            signal(number, SIG_DFL)
            raise(number)
        }
        // A program that starts us from a thread of a dispatch queue hands down its mask, which blocks it.
        var wanted = sigset_t()
        sigemptyset(&wanted)
        sigaddset(&wanted, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
        let began = ContinuousClock.now
        Thread.detachNewThread {
            while true {
                Thread.sleep(forTimeInterval: 0.1)
                let elapsed = (ContinuousClock.now - began) / .seconds(1)
                let isOn = state.withLock { state in
                    guard state.isOn, !state.isCovered, elapsed >= patience else { return state.isOn }
                    state.isDrawn = true
                    show("\r" + text(command, elapsed, Activity.snapshot) + "\u{1B}[K")
                    return true
                }
                guard isOn else { return }
            }
        }
    }

    /// Takes the line away; it comes again at its next moment.
    static func clear() { state.withLock { wipe(&$0) } }

    /// Takes it away while something else has its place.
    static func cover(_ isCovered: Bool) {
        state.withLock { state in
            wipe(&state)
            state.isCovered = isCovered
        }
    }

    static func stop() {
        state.withLock { state in
            wipe(&state)
            state.isOn = false
        }
    }

    private static func wipe(_ state: inout State) {
        guard state.isDrawn else { return }
        state.isDrawn = false
        show("\r\u{1B}[K")
    }

    private static func show(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    static func text(_ command: String, _ elapsed: Double, _ activity: Activity.Snapshot) -> String {
        let name = activity.name ?? command
        // Rounded down, as a clock shows it.
        let time = ProgressBar.duration(elapsed.rounded(.down))
        guard let share = activity.share else { return "\(name)… \(time)" }
        let left = share > 0.02 ? ", \(ProgressBar.duration(elapsed * (1 - share) / share)) left" : ""
        return "\(name)… \(Int(100 * share)) %, \(time)\(left)"
    }
}
