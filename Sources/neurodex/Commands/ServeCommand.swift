import ActivationStore
package import ArgumentParser
import Explanations
package import Explorer
import Foundation
import Search
import Support
import Synchronization

package struct ServeCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Look at a store in a browser: every answer is an address.",
        discussion: """
            Examples:

              neurodex serve shop.sqlite
              neurodex serve shop.sqlite --port 8080 --images /mnt/moved/photos
              neurodex serve monday.sqlite tuesday.sqlite

            Prints the address to open, and answers until Ctrl-C. Only this machine is answered, unless --host is another \
            address: then the printed address ends in a token that nobody can guess. The store is only read, but for \
            explanations that are made on pages, which it keeps unless --read-only is given. Pages work without scripts, and load nothing from elsewhere. Behind every page's path, .json and .csv give what the command \
            prints.
            """)

    @Argument(help: "The store, and others to look at beside it.", completion: .file())
    var stores: [String]

    @Option(help: "The port to listen on; 0 for any that is free.")
    var port = 8117

    @Option(help: "The address to listen on, in numbers.")
    var host = "127.0.0.1"

    @Option(help: ArgumentHelp("Where images that have moved are now.", valueName: "folder"), completion: .directory)
    var images: String?

    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"), completion: .file())
    var model: String?

    @Flag(help: "Write nothing into the store: explanations are made, and not kept.")
    var readOnly = false

    @Flag(help: "Open the address in a browser.")
    var open = false

    package init() {}

    package func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port is \(port), and has to be 0 to 65535") }
    }

    package func run() throws {
        let isPrivate = ["127.0.0.1", "localhost", "::1"].contains(host)
        let token = isPrivate ? nil : Explorer.newToken()
        let stores = try stores.map { try Store.open(path: $0) }
        let server = try HTTPServer(host: host, port: port)
        let served = try ServedStores(stores) { store, others in
            try Explorer(
                store, options: Explorer.Options(model: model, images: images, keeps: !readOnly, others: others),
                commands: Self.commands, port: server.port, token: token)
        }
        let name = host.contains(":") ? "[\(host)]" : host
        let address = "http://\(name):\(server.port)/\(token.map { "?token=\($0)" } ?? "")"
        printOut(address + "\n")
        for one in served.stores.dropFirst() { printNote("\(one.store.path) is at /@\(one.name)/") }
        let paths = served.stores.map(\.store.path).joined(separator: ", ")
        printNote("serving \(paths)\(readOnly ? ", read only" : ""); Ctrl-C ends it")
        if open { Browser.open(address).map { printNote($0) } }
        let ended = Ended()
        Task {
            do {
                try await server.run(served.site)
                ended.end(nil)
            } catch {
                ended.end(error)
            }
        }
        try ended.wait()
    }

    /// What pages share with the command line.
    package static var commands: Explorer.Commands {
        Explorer.Commands(
            json: { try $0.rendered(as: .json) }, csv: { try $0.rendered(as: .csv) }, info: { try StoreInfo($0, isQuick: $1) },
            questions: Neurodex.questions, explained: { try ExplainedTable.table(of: $0, isChecked: $1) },
            kept: { ExplanationList(records: $0) }, diff: { DiffReport(diff: $0) }, version: Neurodex.version)
    }
}

/// Waits for what runs elsewhere.
private final class Ended: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let error = Mutex<(any Error)?>(nil)

    func end(_ error: (any Error)?) {
        self.error.withLock { $0 = error }
        semaphore.signal()
    }

    func wait() throws {
        semaphore.wait()
        if let error = error.withLock({ $0 }) { throw error }
    }
}

/// What explanations of a page are in a terminal.
private enum ExplainedTable {
    static func table(of explained: [Explorer.ExplainedImage], isChecked: Bool) throws -> any Printable {
        guard explained.contains(where: { $0.explanation.method != Deconvolution.name }) else {
            return try projections(explained)
        }
        let findings = try FindingsOptions.parse(isChecked ? ["--check"] : [])
        return ExplanationTable(
            answers: try explained.map { one in
                Answer(
                    name: one.subject.name, subject: one.subject, models: [one.model], archives: [0],
                    explanations: [one.explanation], findings: [try findings.finding(one.explanation, over: one.subject, nil)])
            }, findings: findings)
    }

    private static func projections(_ explained: [Explorer.ExplainedImage]) throws -> any Printable {
        ProjectionTable(
            explained.compactMap { one in
                one.layer.map { ($0, [Projection(one.explanation, of: $0, on: one.subject, in: one.size)]) }
            })
    }
}
