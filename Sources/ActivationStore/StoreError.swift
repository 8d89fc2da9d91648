import Support

/// What can go wrong with a store. The case carries the facts; ``description`` makes the sentence.
public enum StoreError: Error, Hashable, Sendable {
    /// `nearest` are files beside it with a name like it.
    case missing(path: String, nearest: [String] = [])
    /// The name of the store is empty.
    case unnamed
    /// `stores` are the stores in the folder.
    case isDirectory(path: String, stores: [String] = [])
    case notReadable(path: String, reason: String)
    /// `found` says what the file is instead.
    case notAStore(path: String, found: String)
    case newerVersion(path: String, found: Int, supported: Int)
    /// The file is a store but cannot be read as one.
    case damaged(path: String, detail: String)
    /// The file has a table, an index, a view or a trigger (`type`) that no neurodex made.
    case foreign(path: String, type: String, name: String)
    case notWritable(path: String, reason: String)
    case diskFull(path: String)
    /// Another process (or another writer in this one) holds the store.
    case beingWritten(path: String)
    /// The file system that the store is on has no locks.
    case noLocks(path: String, reason: String)
    /// The file has other names, by which another could write it at the same time.
    case severalNames(path: String, count: Int)
    /// There is no store, but a journal of one of the same name.
    case leftJournal(path: String, journal: String)
    /// The file was locked for longer than the patience of a reader or a writer.
    case busy(path: String)
    /// The store is of something else: `property` differs.
    case differs(path: String, property: String, expected: String, found: String)
    /// What a store was to be made of is nothing that one can hold.
    case unstorable(path: String, detail: String)
    /// What was to be made is there already.
    case exists(path: String)
    /// Stores that cannot be joined.
    case shards(problem: String)
    case duplicateImage(path: String, image: String)
    /// A name with a NUL character, at which SQLite's text ends; `owner` says whose.
    case nulInName(owner: String, name: String)
    case unknownLayer(name: String, suggestions: [String])
    case unknownClass(name: String, suggestions: [String])
    /// Several classes have the name; `choices` are what they can be called by.
    case ambiguousClass(name: String, choices: [String])
    case unknownChannel(layer: String, channel: String, channels: Int)
    case unknownImage(name: String, suggestions: [String])
    /// Any other failure of SQLite.
    case database(path: String, code: Int, message: String)
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let path, let nearest):
            "\(path): there is no such file" + (nearest.isEmpty ? Self.advice(onMissing: path) : Suggestion.clause(nearest))
        case .unnamed:
            "the name of the store is empty; name a file, for example store.sqlite"
        case .isDirectory(let path, let stores):
            "\(path) is a folder; a store is one file, "
                + (stores.isEmpty ? "for example \(path)/store.sqlite" : "here \(stores.prefix(3).joined(separator: " or "))")
        case .notReadable(let path, let reason):
            "\(path) cannot be read: \(reason)"
        case .notAStore(let path, let found):
            "\(path) is not a neurodex store: expected a SQLite file with application id NDX1, found \(found)"
                + (found == StoreFile.network ? "; make a store with: neurodex index STORE --model \(path) IMAGES…" : "")
        case .newerVersion(let path, let found, let supported):
            "\(path) is a store of version \(found), and this neurodex knows versions up to \(supported); use a newer neurodex"
        case .damaged(let path, let detail):
            "\(path) is damaged: \(detail); run: neurodex verify \(path)"
        case .foreign(let path, let type, let name):
            "\(path) \(Schema.words(type: type, name: name, path: path))"
        case .notWritable(let path, let reason):
            "\(path) cannot be written: \(reason)"
        case .diskFull(let path):
            "\(path): the disk is full; what was committed is kept, so free some space and run the same command again"
        case .beingWritten(let path):
            "another run is writing \(path); wait for it to finish, or write to another file"
        case .noLocks(let path, let reason):
            "\(path) cannot be locked: its file system has no locks, as some network file systems (\(reason)); copy it to a local disk"
        case .severalNames(let path, let count):
            "\(path) cannot be written: the file has \(count) names (hard links), and by another of them another run could write it at the same time; "
                + "copy it, and write to the copy"
        case .leftJournal(let path, let journal):
            "there is no \(path), but \(journal), which a run of an earlier store of that name has left; its pages would be put into a new one: "
                + "put that store back, or remove the journal"
        case .busy(let path):
            "\(path) stayed locked by another program; try again when it is done"
        case .differs(let path, let property, let expected, let found):
            "\(path) was made with another \(property): the store has \(found), this run has \(expected); "
                + "write to another file, or run with what the store has"
        case .unstorable(let path, let detail):
            "\(path) cannot be made: \(detail), which no store can hold"
        case .exists(let path):
            "\(path) exists already; remove it, or write to another file"
        case .shards(let problem):
            "cannot merge: \(problem)"
        case .duplicateImage(let path, let image):
            "\(image) is in \(path) already; an image has one place in a store"
        case .nulInName(let owner, let name):
            "\(owner) is '\(name.split(separator: "\0", omittingEmptySubsequences: false).joined(separator: "\\0"))': it has a NUL character, which no name in a store can have; give it another name"
        case .unknownLayer(let name, let suggestions):
            "no layer is named \(name)\(Suggestion.clause(suggestions)) (neurodex layers STORE lists them)"
        case .unknownClass(let name, let suggestions):
            "no class is named \(name)\(Suggestion.clause(suggestions))"
        case .ambiguousClass(let name, let choices):
            "\(choices.count) classes are named \(name): \(choices.joined(separator: " and ")); say which"
        case .unknownChannel(let layer, let channel, let channels):
            "layer \(layer) has no channel \(channel): its channels are 0 to \(channels - 1)"
        case .unknownImage(let name, let suggestions):
            "the store has no image \(name)\(Suggestion.clause(suggestions))"
        case .database(let path, let code, let message):
            "\(path): SQLite says \(message) (code \(code))"
        }
    }

    /// How to make a store of that name, if it may be the name of one.
    private static func advice(onMissing path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        let ending = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
        if name.contains(":") && !name.contains(".") { return "; the store is named first" }
        return StoreFile.otherEndings.contains(ending)
            ? "" : "; make a store with: neurodex index \(path) --model MODEL.onnx IMAGES…"
    }
}
