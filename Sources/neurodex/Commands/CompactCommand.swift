import ActivationStore
import ArgumentParser
import Foundation

struct CompactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Write a store anew without the images that were removed or replaced.",
        discussion: """
            Example:

              neurodex compact shop.sqlite

            Image ids are dense again, and the lists of the strongest are kept lists again. The store is as it was until the new file is whole and takes its \
            place; until then both need room on the disk.
            """)

    @Argument(help: "The store.")
    var store: String

    func run() throws {
        let removed = try Store.open(path: store).removedCount()
        guard removed > 0 else { return printNote("\(store): nothing to do, no image was removed") }
        let before = try size()
        try Store.compact(path: store, run: .ofThisCommand())
        printNote(
            "\(store): the room of \(removed) \(removed == 1 ? "image" : "images") given back, \(before) bytes are \(try size()) now"
        )
    }

    private func size() throws -> Int {
        try FileManager.default.attributesOfItem(atPath: store)[.size] as? Int ?? 0
    }
}

extension RunRecord {
    /// Of the command line.
    static func ofThisCommand(jobs: Int? = nil) -> RunRecord {
        RunRecord(
            toolVersion: Neurodex.version, host: ProcessInfo.processInfo.hostName,
            arguments: Array(CommandLine.arguments.dropFirst()), jobs: jobs)
    }
}
