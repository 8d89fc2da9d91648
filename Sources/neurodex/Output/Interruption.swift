@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Ctrl-C and `kill`, turned into a question that loops can ask. A second Ctrl-C ends the program at once.
final class Interruption: Sendable {
    private let requested = Atomic<Bool>(false)
    private let sources: [any DispatchSourceSignal]

    init() {
        let signals = [SIGINT, SIGTERM]
        sources = signals.map { DispatchSource.makeSignalSource(signal: $0, queue: .global()) }
        for (number, source) in zip(signals, sources) {
            signal(number, SIG_IGN)
            source.setEventHandler { [weak self] in
                guard let self, !self.requested.exchange(true, ordering: .relaxed) else { _exit(130) }
                printNote("\nstopping after the images at hand; press Ctrl-C again to stop at once")
            }
            source.resume()
        }
    }

    var isRequested: Bool { requested.load(ordering: .relaxed) }
}
