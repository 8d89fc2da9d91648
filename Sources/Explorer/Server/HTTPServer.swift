import FlyingSocks
import Foundation
import Synchronization

/// Takes connections and answers what they ask. The sockets are FlyingSocks'; the requests are read here, as its server,
/// FlyingFox, sets no bounds to a request's head and ends where the system has no more files to open.
public struct HTTPServer: Sendable {
    /// What a client may take.
    public struct Limits: Sendable {
        /// To send a request's head, from its first byte to its last.
        public var headSeconds = 10.0
        /// Between two requests.
        public var idleSeconds = 60.0
        /// To send what is behind the head.
        public var bodySeconds = 120.0
        /// To take an answer.
        public var writeSeconds = 120.0
        /// At the same time; more are told to come again.
        public var connections = 256

        public init() {}
    }

    public enum Failure: Error, CustomStringConvertible {
        case noAddress(host: String)
        case taken(host: String, port: Int, reason: String)

        public var description: String {
            switch self {
            case .noAddress(let host):
                "--host \(host) is no address of this machine; give one in numbers, such as 127.0.0.1, 0.0.0.0 or ::1"
            case .taken(let host, let port, let reason):
                "cannot listen on \(host), port \(port): \(reason); give another --port, or --port 0 for any that is free"
            }
        }
    }

    private let socket: Socket
    private let limits: Limits
    private let open = Counter()
    private let deadlines = Deadlines()
    private let answers: OperationQueue
    /// For answers that wait for the network: they hold no others up.
    private let longAnswers: OperationQueue
    /// That it listens on.
    public let port: Int

    /// Listens.
    /// - Parameter port: 0 for any that is free.
    /// - Throws: ``Failure``.
    public init(host: String, port: Int, limits: Limits = Limits()) throws {
        self.limits = limits
        answers = OperationQueue()
        answers.maxConcurrentOperationCount = max(4, 2 * ProcessInfo.processInfo.activeProcessorCount)
        longAnswers = OperationQueue()
        longAnswers.maxConcurrentOperationCount = limits.connections
        let host = host == "localhost" ? "127.0.0.1" : host
        do {
            if host.contains(":") {
                let address = try sockaddr_in6.inet6(ip6: host, port: UInt16(port))
                socket = try Socket(domain: AF_INET6)
                try Self.listen(socket, address)
            } else {
                let address = try sockaddr_in.inet(ip4: host, port: UInt16(port))
                socket = try Socket(domain: AF_INET)
                try Self.listen(socket, address)
            }
        } catch SocketError.failed(_, _, let message) {
            throw Failure.taken(host: host, port: port, reason: message)
        } catch {
            throw Failure.noAddress(host: host)
        }
        switch try socket.sockname() {
        case .ip4(_, let bound), .ip6(_, let bound): self.port = Int(bound)
        default: self.port = port
        }
    }

    private static func listen(_ socket: Socket, _ address: some SocketAddress) throws {
        try socket.setValue(true, for: .localAddressReuse)
        try socket.bind(to: address)
        try socket.listen(maxPendingConnection: 128)
    }

    /// Answers until the task is cancelled.
    ///
    /// - Parameter site: asked on threads of its own, some at a time.
    public func run(_ site: Site) async throws {
        signal(SIGPIPE, SIG_IGN)
        let pool = SocketPool.make()
        try await pool.prepare()
        let listener = try AsyncSocket(socket: socket, pool: pool)
        defer { try? socket.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            group.addTask { try await deadlines.watch() }
            group.addTask {
                await withDiscardingTaskGroup { clients in
                    while !Task.isCancelled {
                        guard let client = try? await listener.accept() else {
                            // No more files can be opened: some will be closed.
                            try? await Task.sleep(for: .milliseconds(100))
                            continue
                        }
                        clients.addTask { await take(client, site) }
                    }
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func take(_ client: AsyncSocket, _ site: Site) async {
        defer { try? client.close() }
        guard open.increase(below: limits.connections) else {
            let busy = Response.text(.busy, "\(limits.connections) connections are open; come again")
            _ = try? await deadlines.within(1) { try await client.write(busy.bytes(closes: true)) }
            return
        }
        defer { open.decrease() }
        try? await converse(client, site)
    }

    /// One request after the other.
    private func converse(_ client: AsyncSocket, _ site: Site) async throws {
        var bytes: [UInt8] = []
        while true {
            if bytes.isEmpty { bytes = try await deadlines.within(limits.idleSeconds) { try await client.read(atMost: 4096) } }
            let start = bytes
            let (outcome, rest) = try await deadlines.within(limits.headSeconds) { try await Self.head(start, client, site) }
            bytes = rest
            switch outcome {
            case .refused(let response):
                try await deadlines.within(limits.writeSeconds) { try await client.write(response.bytes(closes: true)) }
                return
            case .incomplete: return
            case .request(var request, _, let length):
                if length > 0 { bytes = try await take(body: length, bytes, client, into: &request) }
                let (response, more) = await answer(request, client, site)
                bytes += more
                if request.connection.isClosed { return }
                if let feed = response.feed { return try await send(response, feed, client) }
                let closes = !request.keepsConnection
                let data = response.bytes(withBody: request.method != "HEAD" && response.status != .notModified, closes: closes)
                try await deadlines.within(limits.writeSeconds) { try await client.write(data) }
                if closes { return }
            }
        }
    }

    /// Reads until a head is whole; with what came behind it.
    private static func head(
        _ start: [UInt8], _ client: AsyncSocket, _ site: Site
    ) async throws -> (RequestHead.Outcome, rest: [UInt8]) {
        var bytes = start
        while true {
            let outcome = RequestHead.read(bytes, mostBody: site.mostBody)
            switch outcome {
            case .incomplete: bytes += try await client.read(atMost: 4096)
            case .request(_, let count, _): return (outcome, Array(bytes[count...]))
            case .refused: return (outcome, [])
            }
        }
    }

    /// Reads what is behind a head.
    /// - Returns: what came behind that.
    private func take(
        body length: Int, _ start: [UInt8], _ client: AsyncSocket, into request: inout Request
    ) async throws -> [UInt8] {
        if request.headers["expect"]?.lowercased() == "100-continue", start.isEmpty {
            try await client.write(Data("HTTP/1.1 100 Continue\r\n\r\n".utf8))
        }
        let bytes = try await deadlines.within(limits.bodySeconds) {
            var bytes = start
            while bytes.count < length { bytes += try await client.read(atMost: 4096) }
            return bytes
        }
        request.body = Data(bytes[..<length])
        return Array(bytes[length...])
    }

    /// While it takes long, whoever asked is watched: what nobody waits for is not made.
    /// - Returns: with what the client sent meanwhile.
    private func answer(_ request: Request, _ client: AsyncSocket, _ site: Site) async -> (Response, more: [UInt8]) {
        let isLong = site.takesLong(request)
        let connection = request.connection
        let watch = Task { () -> [UInt8] in
            guard isLong else { return [] }
            do {
                return try await client.read(atMost: 4096)
            } catch is CancellationError {
                return []
            } catch {
                connection.close()
                return []
            }
        }
        let queue = isLong ? longAnswers : answers
        let response = await withCheckedContinuation { continuation in
            queue.addOperation { continuation.resume(returning: site.respond(request)) }
        }
        watch.cancel()
        return (response, await watch.value)
    }

    /// Sends what comes as it comes, until its end or the client's.
    private func send(_ response: Response, _ feed: EventFeed, _ client: AsyncSocket) async throws {
        defer { feed.end() }
        let limit = limits.writeSeconds
        try await deadlines.within(limit) { try await client.write(response.bytes(closes: true)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await piece in feed.pieces { try await deadlines.within(limit) { try await client.write(piece) } }
            }
            group.addTask { while true { _ = try await client.read(atMost: 4096) } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// How many there are.
private final class Counter: Sendable {
    private let count = Mutex(0)

    func increase(below limit: Int) -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    func decrease() { count.withLock { $0 -= 1 } }
}
