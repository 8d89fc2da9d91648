import ActivationStore
import ArgumentParser
import Foundation

struct CompactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Rewrite a store without the space of what was removed or replaced.",
        discussion: """
            Example:

              neurodex compact shop.sqlite

            Where images were removed, image ids are dense again, and the lists of the strongest are kept lists again; where explanations were, ids stay. The store is as it was until the new file is whole and takes its \
            place; until then both need room on the disk.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Flag(help: "Say what would be given back, and write nothing.")
    var dryRun = false

    func run() throws {
        let opened = try Store.open(path: store)
        let (removed, free) = (try opened.removedCount(), try opened.freeBytes())
        try opened.close()
        guard removed > 0 || free > 0 else {
            return printNote("\(store): nothing to do, no image or explanation was removed")
        }
        let what = removed > 0 ? "\(removed) \(removed == 1 ? "image" : "images")" : "what was removed"
        let before = try size()
        guard !dryRun else {
            return printNote("\(store): the room of \(what) would be given back, of \(before) bytes; nothing was changed")
        }
        if removed > 0 {
            try Store.compact(path: store, run: .ofThisCommand())
        } else {
            try Store.giveBackRoom(path: store)
        }
        printNote("\(store): the room of \(what) given back, \(before) bytes are \(try size()) now")
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
            arguments: Neurodex.arguments, jobs: jobs)
    }
}
