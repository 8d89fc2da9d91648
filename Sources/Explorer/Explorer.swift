public import ActivationStore
public import Explanations
import Foundation
public import Images
import Indexing
import Pages
public import Search
public import Support

/// The pages of a store. Every page is an answer, and its address the question: ``respond(to:)`` needs no socket.
public final class Explorer: Sendable {
    /// What pages leave to the command line, so that both give the same bytes.
    public struct Commands: Sendable {
        /// A listing as `--format json` and `--format csv` print it.
        public var json: @Sendable (any Printable) throws -> String
        public var csv: @Sendable (any Printable) throws -> String
        /// What `info` lists, all of it or only what is quick to count.
        public var info: @Sendable (Store, _ isQuick: Bool) throws -> any Printable
        public var questions: [any Query.Type]
        /// What an explaining command lists of its maps, which are checked or not.
        public var explained: @Sendable ([ExplainedImage], _ isChecked: Bool) throws -> any Printable
        /// What `explanations` lists.
        public var kept: @Sendable ([ExplanationRecord]) throws -> any Printable
        public var version: String
        /// What `diff` lists.
        public var diff: @Sendable (Diff) throws -> any Printable

        public init(
            json: @escaping @Sendable (any Printable) throws -> String, csv: @escaping @Sendable (any Printable) throws -> String,
            info: @escaping @Sendable (Store, _ isQuick: Bool) throws -> any Printable, questions: [any Query.Type],
            explained: @escaping @Sendable ([ExplainedImage], _ isChecked: Bool) throws -> any Printable,
            kept: @escaping @Sendable ([ExplanationRecord]) throws -> any Printable,
            diff: @escaping @Sendable (Diff) throws -> any Printable, version: String
        ) {
            (self.json, self.csv, self.info, self.questions) = (json, csv, info, questions)
            (self.explained, self.kept, self.diff, self.version) = (explained, kept, diff, version)
        }
    }

    /// An image, and one explanation of what the network makes of it.
    public struct ExplainedImage: Sendable {
        public var subject: InputImage
        public var explanation: Explanation
        /// The network's name.
        public var model: String
        /// The target's.
        public var layer: LayerRecord?
        /// Of the network's input.
        public var size: Size
    }

    /// How a store is served.
    public struct Options: Sendable {
        /// Where the network is now; nil for where it was.
        public var model: String?
        /// Where images that have moved are now; nil for where they were.
        public var images: String?
        /// Whether explanations that are made go into the store, and what people say on pages into the file beside it.
        public var keeps = true
        /// Stores that the same server serves.
        public var others: [ServedStore] = []

        public init(model: String? = nil, images: String? = nil, keeps: Bool = true, others: [ServedStore] = []) {
            (self.model, self.images, self.keeps, self.others) = (model, images, keeps, others)
        }
    }

    let store: Store
    let commands: Commands
    let pictures: PictureShelf
    let overviews = OverviewShelf()
    let assets: ServedAssets
    let desk: ExplanationDesk
    let reviews: ReviewFile
    /// The nearest images of those that were looked at last.
    let neighbours = ResultShelf<[SimilarQuery.Hit]>(most: 256)
    /// What the same server serves beside it.
    let others: [ServedStore]
    let diffs = DiffShelf()
    /// Answers of this store and another that differ.
    let changes = ResultShelf<PredictionDiff>(most: 8)
    let links: NetworkLinks
    private let gate: Gate

    /// Bytes of an answer; a longer one is for the command line.
    static let mostBytes = 64 << 20

    /// - Parameters:
    ///   - port: that it is asked on.
    ///   - token: that has to be given, if it is not asked by this machine alone.
    /// - Throws: `DatasetError`, ``StoreError``.
    public init(
        _ store: Store, options: Options = Options(), commands: Commands, port: Int, token: String? = nil
    ) throws {
        (self.store, self.commands) = (store, commands)
        pictures = try PictureShelf(store, folder: options.images)
        desk = try ExplanationDesk(
            store, model: options.model, images: options.images, keeps: options.keeps, version: commands.version)
        links = NetworkLinks(store, model: options.model)
        assets = ServedAssets()
        reviews = ReviewFile(store, isReadOnly: !options.keeps)
        others = options.others
        gate = Gate(port: port, token: token)
    }

    /// As a server serves it.
    public var site: Site {
        Site(
            respond: { self.respond(to: $0) },
            mostBody: { Self.mostBody($0) }, takesLong: { Self.takesLong($0) })
    }

    private static func mostBody(_ request: Request) -> Int {
        guard request.method == "POST" else { return 0 }
        if Address(target: request.target)?.path == ["drop"] { return UploadShelf.mostBytes }
        return request.target.hasPrefix("/review") ? mostForm : 0
    }

    private static let longPaths = [
        "explanations", "explaining", "map.npy", "map.png", "plane.npy", "frame.png", "ascent", "ascending", "drop",
    ]

    private static func takesLong(_ request: Request) -> Bool {
        let path = request.target.dropFirst().prefix { $0 != "?" }
        return longPaths.contains { path.hasPrefix($0) }
    }

    /// A token that nobody can guess.
    public static func newToken() -> String { Gate.newToken() }

    /// Answers a request. Nothing is thrown: what is wrong is said on the page.
    public func respond(to request: Request) -> Response {
        guard let address = Address(target: request.target) else {
            return secured(.text(.badRequest, "'\(String(request.target.prefix(200)).shown())' is no address"))
        }
        if let refusal = gate.refusal(of: request, address) { return secured(refusal) }
        let isSent = request.method == "POST" && address.path == ["drop"]
        if request.method == "POST", !isSent, let response = posted(request, address) { return secured(response) }
        guard request.method == "GET" || request.method == "HEAD" || isSent else {
            var response = Response.text(.notAllowed, "nothing can be changed here: pages are read with GET")
            response.headers["Allow"] = "GET, HEAD"
            return secured(response)
        }
        let wanted = Wanted(address)
        var response: Response
        do {
            response = try isSent ? dropped(request) : answer(wanted, request.connection)
        } catch {
            response = failure(error, wanted)
        }
        if response.status == .ok, let tag = response.headers["ETag"], request.headers["if-none-match"] == tag {
            (response.status, response.body) = (.notModified, Data())
        }
        return secured(response)
    }

    /// What a form keeps; nil where nothing is kept at an address.
    private func posted(_ request: Request, _ address: Address) -> Response? {
        do {
            return try kept(address, Self.form(request))
        } catch {
            return failure(error, Wanted(address))
        }
    }

    private func answer(_ wanted: Wanted, _ connection: Connection) throws -> Response {
        if let response = try assets.response(to: wanted.address) ?? picture(wanted.address)
            ?? explanationFile(wanted.address, connection) ?? ascentPicture(wanted.address, connection)
        {
            return response
        }
        let path = wanted.address.path
        if path == ["review", "tasks"], wanted.format == .json { return try reviewTasks() }
        if path == ["explaining"] { return try explaining(wanted, connection) }
        if path.count == 2, path[0] == "ascending" { return try ascending(path[1], wanted, connection) }
        if wanted.format == .html { return try pageFile(wanted, connection) }
        let page = try page(of: wanted, connection)
        guard let format = wanted.format else {
            return Response(type: "text/html; charset=utf-8", body: Data(try document(page).text.utf8))
        }
        let text = try page.text?(format) ?? text(of: page.listing(), format)
        guard text.utf8.count <= Self.mostBytes else {
            throw Refusal(
                sentence:
                    "the answer is longer than \(Self.mostBytes >> 20) MB; ask for less, or by the command: \(page.command)",
                status: .tooLong)
        }
        return Response(type: format.type, body: Data(text.utf8))
    }

    private func text(of listing: any Printable, _ format: Wanted.Format) throws -> String {
        try format == .json ? commands.json(listing) : commands.csv(listing)
    }

    func page(of wanted: Wanted, _ connection: Connection) throws -> Answer {
        let path = wanted.address.path
        switch path.first {
        case nil: return try overview(wanted)
        case "layer" where path.count == 2: return try layer(path[1], wanted)
        case "neuron" where path.count == 2: return try neuron(path[1], wanted)
        case "image" where path.count == 2: return try image(path[1], wanted)
        case "images" where path.count == 1: return try images(wanted)
        case "find" where path.count == 1: return try find(wanted)
        case "ascent" where path.count == 2: return try ascent(path[1], wanted, connection)
        case "drop" where path.count <= 2: return try drop(wanted, connection)
        case "explanations" where path.count == 1: return try explanations(wanted, connection)
        case "review" where path.count == 1: return try review(wanted)
        case "diff" where path.count == 1: return try diff(wanted)
        case let name?:
            if let question = commands.questions.first(where: { $0.name == name }) { return try asked(question, wanted) }
            let pages =
                ["layer", "neuron", "image", "images", "find", "explanations", "ascent", "drop", "review", "diff"]
                + commands.questions.map { $0.name }
            throw Refusal(
                sentence: "there is no page '\(Address(path: path).text)'"
                    + Suggestion.clause(Suggestion.nearest(to: name, among: pages, limit: 1)), status: .notFound)
        }
    }

    /// What went wrong, in words.
    private func failure(_ error: any Error, _ wanted: Wanted) -> Response {
        let refusal = Self.refusal(of: error)
        let status = refusal.isHelp ? .ok : refusal.status
        guard wanted.format == nil else { return .text(status, refusal.sentence) }
        let title = refusal.isHelp ? "Help" : status == .failed ? "This did not work" : "This cannot be answered"
        let page = Answer(title: title, kind: "failure", command: "neurodex --help") {
            if refusal.isHelp || refusal.sentence.contains("\n") {
                HTML(.pre) { refusal.sentence }
            } else {
                HTML(.p, .class("note error"), Attribute("role", "alert")) { refusal.sentence }
            }
            HTML(.p) {
                HTML(.a, .href(Address())) { "The overview" }
                " is the way back."
            }
        }
        guard let document = try? document(page) else { return .text(status, refusal.sentence) }
        return Response(status, type: "text/html; charset=utf-8", body: Data(document.text.utf8))
    }

    static func refusal(of error: any Error) -> Refusal {
        switch error {
        case let error as Refusal: return error
        case let error as QueryError: return Refusal(sentence: error.description)
        case let error as ExplanationError: return Refusal(sentence: error.description)
        case let error as WorkQueue.Full:
            return Refusal(
                sentence: "\(error.waiting) explanations are waiting to be made; come again in a moment", status: .busy)
        case is WorkQueue.Abandoned: return Refusal(sentence: "nobody waited for it", status: .busy)
        case let error as StoreError:
            switch error {
            case .unknownImage, .unknownLayer, .unknownChannel, .unknownClass:
                return Refusal(sentence: error.description, status: .notFound)
            case .damaged, .busy, .notReadable, .foreign: return Refusal(sentence: error.description, status: .failed)
            default: return Refusal(sentence: error.description)
            }
        default: return Refusal(sentence: "\(error)", status: .failed)
        }
    }

    /// Nothing from elsewhere is loaded, no script stands in a page, and no page stands in another.
    private func secured(_ response: Response) -> Response {
        var response = response
        let fixed = [
            "Content-Security-Policy":
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY",
        ]
        response.headers.merge(fixed) { own, _ in own }
        if response.headers["Cache-Control"] == nil { response.headers["Cache-Control"] = "no-cache" }
        return response
    }
}

/// A page that is asked for, and in what format.
struct Wanted {
    enum Format: String {
        case json, csv, html

        var type: String {
            switch self {
            case .json: "application/json"
            case .csv: "text/csv; charset=utf-8"
            case .html: "text/html; charset=utf-8"
            }
        }
    }

    /// Without the format's ending.
    var address: Address
    var format: Format?
    /// What is asked: without what only says how a page shows it.
    var question: [Address.Field] { address.query.filter { !Self.isOfPage($0.name) } }
    static func isOfPage(_ name: String) -> Bool { ["page", "color", "whole", "nearest"].contains(name) }

    /// Whether it is for people.
    var isPage: Bool { format == nil || format == .html }

    /// Whether the page is to stand without the server, so that nothing can be asked for later.
    var isFile = false

    /// From 1.
    var page: Int { min(max(1, address["page"].flatMap { Int($0) } ?? 1), 1_000_000) }

    /// `.json`, `.csv` and `.html` stand behind the path. A page's own path may end so too: then it is asked with the ending twice.
    init(_ address: Address) {
        self.address = address
        guard let last = address.path.last, let format = [Format.json, .csv, .html].first(where: { last.hasSuffix(".\($0)") })
        else {
            return
        }
        self.format = format
        isFile = format == .html
        let name = String(last.dropLast(format.rawValue.count + 1))
        self.address.path[address.path.count - 1] = name
        if name.isEmpty { self.address.path.removeLast() }
    }
}

/// A page, and the answer that it shows.
struct Answer {
    var title: String
    /// For style and scripts.
    var kind: String
    /// That gives the same answer in a terminal.
    var command: String
    /// Where the page is; links to its other formats start here.
    var address: Address?
    /// Above the title: where one is.
    var crumbs = HTML()
    /// Beside the title.
    var subtitle: String?
    /// Where keys lead to: `next`, `previous`, `up`, `down`.
    var keys: [(name: String, address: Address)] = []
    /// In another format, where that is not of a listing.
    var text: ((Wanted.Format) throws -> String)?
    var listing: () throws -> any Printable = { throw Refusal(sentence: "this page has no other format", status: .notFound) }
    var body: () throws -> HTML

    init(title: String, kind: String, command: String, @HTMLBuilder body: @escaping () throws -> HTML) {
        (self.title, self.kind, self.command, self.body) = (title, kind, command, body)
    }
}
