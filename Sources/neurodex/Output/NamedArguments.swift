import Foundation
import Search

/// The arguments that a picture or a report says it was made by. It may be a stranger's.
struct NamedArguments {
    private let arguments: [String]
    private let path: String

    /// - Parameter path: of the picture or the report.
    init(_ arguments: [String], of path: String) { (self.arguments, self.path) = (arguments, path) }

    /// The command as a user would write it.
    var line: String { Spelling.line(["neurodex"] + arguments) }

    /// Refuses what nobody should wait for, also as the value of an option: `--truth=PIPE`.
    func refusePipes() throws {
        for argument in arguments {
            let value =
                argument.hasPrefix("-") ? argument.split(separator: "=", maxSplits: 1).dropFirst().last.map(String.init) : nil
            for name in [argument] + (value.map { [$0] } ?? []) {
                var status = stat()
                guard stat(name, &status) == 0, ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) else { continue }
                throw Failure("\(path) was made by '\(line)', in which \(name) is no file but a pipe, socket or device")
            }
        }
    }
}
