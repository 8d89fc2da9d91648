import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Support

struct ExplanationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explanations",
        abstract: "List, export or remove the explanations that a store keeps.",
        discussion: """
            Examples:

              neurodex explanations shop.sqlite
              neurodex explanations shop.sqlite --method occlusion --export maps
              neurodex explanations shop.sqlite 3 7 --remove

            Every result is kept, and given at once when it is asked for again. --export writes a picture (PNG), the map (float32 .npy) and a line of \
            explanations.csv for each. Removing them loses time, not facts.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "Ids; without any, all.")
    var ids: [Int] = []

    @Option(
        help: ArgumentHelp(
            "Only those of a command: saliency, occlusion, cam, deconv, attention, ascend or dissect.", valueName: "name"))
    var method: String?

    @Option(help: ArgumentHelp("Write them into this folder.", valueName: "folder"), completion: .directory)
    var export: String?

    @Flag(help: "Remove them; for all of them say --remove --all.")
    var remove = false

    @Flag(help: "With --remove: all that are kept.")
    var all = false

    @Flag(help: "With --remove: say what would be removed, and remove nothing.")
    var dryRun = false

    @OptionGroup var output: FormatOption

    func validate() throws {
        guard !remove || !ids.isEmpty || method != nil || all else {
            throw ValidationError("--remove takes ids, --method NAME, or --all")
        }
        guard remove || !dryRun else { throw ValidationError("--dry-run goes with --remove") }
        guard !all || ids.isEmpty && method == nil else {
            throw ValidationError("--all means every explanation; leave the ids and --method out")
        }
    }

    func run() throws {
        let store = try Store.open(path: store)
        let damaged = try store.damagedExplanations()
        let listed = try chosen(store.explanations(), besides: damaged)
        if let export { try write(listed, of: store, to: export) }
        if remove, dryRun {
            printOut(try ExplanationList(records: listed).rendered(as: output.format))
            return printNote(
                "\(listed.count) \(listed.count == 1 ? "explanation" : "explanations") would be removed; nothing was changed")
        }
        if remove {
            let gone = damaged.filter { ids.contains($0) || all }
            return try remove(listed.compactMap(\.id) + gone, from: store)
        }
        if !damaged.isEmpty {
            let some = damaged.prefix(10).map(String.init).joined(separator: " ")
            printNote(
                "damaged and passed over: \(some)\(damaged.count > 10 ? " … (\(damaged.count) in all)" : "") (asked for again they are made anew; neurodex explanations \(self.store) \(some) --remove removes them)"
            )
        }
        printOut(try ExplanationList(records: listed).rendered(as: output.format))
    }

    /// Their room goes back to the disk at once where that takes a second or two.
    private func remove(_ ids: [Int], from store: Store) throws {
        let count = try store.removeExplanations(ids: ids)
        let removed = "\(count) \(count == 1 ? "explanation" : "explanations") removed"
        let (free, whole) = (try store.freeBytes(), try store.fileBytes())
        guard count > 0, free > 0 else { return printNote(removed) }
        let room = "\(free) bytes"
        let later = "new explanations take it, and neurodex compact \(store.path) gives it back"
        guard whole - free <= Self.quickBytes else { return printNote("\(removed); their room, \(room), stays: \(later)") }
        do {
            try Store.giveBackRoom(path: store.path)
            printNote("\(removed), \(room) given back")
        } catch let error as StoreError {
            printNote("\(removed); their room, \(room), stays (\(error)): \(later)")
        }
    }

    /// A store of more is not written anew to give room back, unless it is asked for: a second for every 300 MB or so.
    private static let quickBytes = 512 << 20

    private func chosen(_ records: [ExplanationRecord], besides damaged: [Int]) throws -> [ExplanationRecord] {
        let known = Set(records.compactMap(\.id) + damaged)
        if let unknown = ids.first(where: { !known.contains($0) }) {
            throw Failure("the store keeps no explanation \(unknown); neurodex explanations \(store) lists those it has")
        }
        return records.filter { record in
            (ids.isEmpty || ids.contains(record.id ?? -1)) && (method == nil || record.method == method)
        }
    }

    private func write(_ records: [ExplanationRecord], of store: Store, to folder: String) throws {
        try makeFolder(folder)
        let interruption = Interruption()
        var written: [ExplanationRecord] = []
        for listed in records where !interruption.isRequested {
            guard let id = listed.id else { continue }
            guard let record = try store.explanation(id: id) else {
                printNote("explanation \(id) is damaged and was passed over; ask for it again to make it anew")
                continue
            }
            let stem = "\(folder)/\(String(format: "%05d", id))-\(record.method)"
            try neurodex.write(record.picture, to: stem + ".png")
            try neurodex.write(ExplanationMap(record).npy, to: stem + ".npy")
            written.append(listed)
        }
        let list = try ExplanationList(records: written).rendered(as: output.csv)
        try neurodex.write(Data(list.utf8), to: folder + "/explanations.csv")
        if interruption.isRequested {
            printNote("stopped after \(written.count) of \(records.count) explanations; explanations.csv lists those")
            throw ExitCode.interrupted
        }
    }
}

/// Explanations as they are listed.
struct ExplanationList: Printable {
    var records: [ExplanationRecord]

    private struct Entry: Encodable {
        var id: Int?
        var method: String
        var arguments: [String]
        var target: String
        var image: String?
        var value: Double?
        var note: String?
        var shape: [Int]
        var seconds: Double
        var created: String
        var version: String
    }

    func encode(to encoder: any Encoder) throws {
        try records.map {
            Entry(
                id: $0.id, method: $0.method, arguments: $0.arguments, target: $0.target, image: $0.image, value: $0.value,
                note: $0.note, shape: [$0.channels, $0.height, $0.width], seconds: $0.seconds,
                created: $0.created.ISO8601Format(), version: $0.toolVersion)
        }.encode(to: encoder)
    }

    var table: TextTable {
        TextTable(
            columns: ["id", "method", "target", "value", "image", "options", "s"], shortened: ["image", "options"],
            rows: records.map {
                [
                    .value($0.id ?? 0), .text($0.method), .text($0.target),
                    $0.value.map { .value(Float($0)) } ?? .text(""), .text($0.image ?? ""),
                    .text($0.arguments.joined(separator: " ")), .text(String(format: "%.2f", $0.seconds)),
                ]
            })
    }

    var fields: [[String]] {
        [["id", "method", "target", "image", "value", "note", "options", "channels", "height", "width", "seconds", "created"]]
            + records.map { record in
                let texts = [record.id.map { "\($0)" } ?? "", record.method, record.target, record.image ?? ""]
                let value = record.value.map { "\(Float($0))" } ?? ""
                return texts + [value, record.note ?? "", record.arguments.joined(separator: " ")]
                    + [record.channels, record.height, record.width].map { "\($0)" }
                    + ["\(record.seconds)", record.created.ISO8601Format()]
            }
    }
}
