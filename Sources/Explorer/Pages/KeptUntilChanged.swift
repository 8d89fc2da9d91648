import Foundation
import Synchronization

/// What tells a file from what it was.
struct FileState: Equatable, Sendable {
    let bytes: Int
    /// Another where a file took its place.
    let number: Int
    private let modified: Double

    var text: String { "\(bytes) \(number) \(modified)" }

    /// Nil where there is no file.
    init?(path: String) {
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
        (bytes, number) = ((facts[.size] as? Int) ?? 0, (facts[.systemFileNumber] as? Int) ?? 0)
        modified = (facts[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    }
}

/// What was made of a file, until it changes.
final class KeptUntilChanged<Value: Sendable>: Sendable {
    private let kept = Mutex<(state: FileState, value: Value)?>(nil)

    /// - Parameter state: of the file; nil where there is none, and nothing is kept.
    func value(of state: FileState?, make: () throws -> Value) throws -> Value {
        if let state, let found = kept.withLock({ $0 }), found.state == state { return found.value }
        let made = try make()
        if let state { kept.withLock { $0 = (state, made) } }
        return made
    }
}
