import ArgumentParser
import Explanations

/// Images that are named, one after the other; what could not be done is counted and said.
struct ImageRun {
    let names: [String]
    private var done = 0
    /// Name and reason.
    private var omitted: [(String, String)] = []
    /// Whether the user ended it.
    private(set) var isStopped = false

    /// - Parameter isListed: whether an image that cannot be read is an error; else it is passed over.
    init(_ names: [String], isListed: Bool, _ body: (String) throws -> Void) throws {
        self.names = names
        let monitor = ExplanationMonitor()
        for name in names {
            guard !monitor.isInterrupted else {
                isStopped = true
                break
            }
            do {
                try body(name)
                done += 1
            } catch  where !isListed && Explained.isOfOneImage(error) {
                omitted.append((name, "\(error)"))
            }
            monitor.show(done: done + omitted.count, of: names.count)
        }
        monitor.clear()
    }

    /// Says on standard error what was not done.
    /// - Parameter what: such as "not answered".
    /// - Throws: `ExitCode` where anything was not.
    func report(_ what: String) throws {
        if !omitted.isEmpty { printNote("\(what): \(omitted.count) of \(done + omitted.count) images") }
        Remarks.gathered(omitted).forEach(printNote)
        guard !isStopped else {
            printNote("stopped after \(done) of \(names.count) images")
            throw ExitCode.interrupted
        }
        if !omitted.isEmpty { throw ExitCode.someSkipped }
    }
}
