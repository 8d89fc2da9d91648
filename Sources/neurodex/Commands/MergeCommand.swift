import ActivationStore
import ArgumentParser
import Indexing

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

    @Argument(help: "The store to make.", completion: .file())
    var store: String

    @Argument(help: "The stores of the parts; those with --shard numbers in any order.", completion: .file())
    var shards: [String]

    @Flag(help: "Join what there is, although parts are missing or unfinished.")
    var partial = false

    @Flag(help: "Say what would be joined, and write nothing.")
    var dryRun = false

    func run() throws {
        let merging = try Merging(shards, isPartial: partial)
        let parts = "\(shards.count) \(shards.count == 1 ? "part" : "parts")"
        if let files = merging.repeated {
            printNote(
                "\(files.count) \(files.count == 1 ? "file is" : "files are") in more than one part and count once, such as \(files.first) and \(files.second)"
            )
        }
        guard !dryRun else { return printNote("\(store): would be \(merging.images) images of \(parts); nothing was written") }
        try merging.write(to: store, isPartial: partial, run: .ofThisCommand())
        printNote("\(store): \(try Store.open(path: store).imageCount()) images of \(parts)")
    }
}
