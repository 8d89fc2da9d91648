import Foundation
import Synchronization

/// How often the user has asked. Global, as a signal handler can carry nothing with it.
private let requests = Atomic<Int>(0)

/// Ctrl-C and `kill`, turned into a question that loops can ask. A second Ctrl-C ends the program at once.
///
/// Signal handlers, not dispatch sources: those begin to listen some time after they are made, and lose what comes before.
struct Interruption: Sendable {
    /// From here on signals are noticed.
    init() {
        // Before a handler reads it: what is global is made at its first use, which a handler may not be.
        requests.store(0, ordering: .relaxed)
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&wanted, number)
            signal(number) { _ in
                guard requests.add(1, ordering: .relaxed).oldValue == 0 else { _exit(130) }
                let note: StaticString = "stopping after what is at hand; press Ctrl-C again to stop at once\n"
                let start: StaticString = "\r\u{1B}[K"
                // In place of the progress bar or the status line, where there is one.
                if isatty(STDERR_FILENO) == 1 { _ = write(STDERR_FILENO, start.utf8Start, start.utf8CodeUnitCount) }
                _ = write(STDERR_FILENO, note.utf8Start, note.utf8CodeUnitCount)
            }
        }
        // A program that starts us from a thread of a dispatch queue hands down its mask, which blocks them.
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
    }

    var isRequested: Bool { requests.load(ordering: .relaxed) > 0 }
}
