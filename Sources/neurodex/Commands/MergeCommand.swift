import ActivationStore
import ArgumentParser

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Join the stores of a dataset's parts into the one that a single run would have made.",
        discussion: """
            Example:

              neurodex merge shop.sqlite part-*.sqlite

            The parts are made by 'neurodex index part-3.sqlite --shard 3/16 …', on one machine or on many. They have to be of the same network, preprocessing \
            and layers, and all of them have to be there and finished.
            """)

    @Argument(help: "The store to make.")
    var store: String

    @Argument(help: "The stores of the parts; those with --shard numbers in any order.")
    var shards: [String]

    @Flag(help: "Join what there is, although parts are missing or unfinished.")
    var partial = false

    func run() throws {
        try Store.merge(shards, into: store, isPartial: partial, run: .ofThisCommand())
        let images = try Store.open(path: store).imageCount()
        printNote("\(store): \(images) images of \(shards.count) \(shards.count == 1 ? "part" : "parts")")
    }
}
