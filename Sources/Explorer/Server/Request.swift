public import Foundation

/// What a browser asks.
public struct Request: Sendable {
    public var method: String
    /// As it was sent: `/neuron/conv4:3?k=9`.
    public var target: String
    /// By lower-case name; several of one name are joined by commas.
    public var headers: [String: String]
    /// What was sent behind the head.
    public var body = Data()
    /// Who waits for the answer.
    package var connection = Connection()

    public init(_ target: String, method: String = "GET", headers: [String: String] = [:]) {
        (self.target, self.method, self.headers) = (target, method, headers)
    }

    /// Whether the connection is to be used again.
    var keepsConnection: Bool { headers["connection"]?.lowercased() != "close" }
}

/// What is answered.
public struct Response: Sendable {
    public enum Status: Int, Sendable {
        case ok = 200
        case seeOther = 303
        case notModified = 304
        case badRequest = 400
        case forbidden = 403
        case notFound = 404
        case notAllowed = 405
        case tooLong = 413
        case headTooLarge = 431
        case failed = 500
        case busy = 503

        var phrase: String {
            switch self {
            case .ok: "OK"
            case .seeOther: "See Other"
            case .notModified: "Not Modified"
            case .badRequest: "Bad Request"
            case .forbidden: "Forbidden"
            case .notFound: "Not Found"
            case .notAllowed: "Method Not Allowed"
            case .tooLong: "Content Too Large"
            case .headTooLarge: "Request Header Fields Too Large"
            case .failed: "Internal Server Error"
            case .busy: "Service Unavailable"
            }
        }
    }

    public var status: Status
    public var headers: [String: String]
    public var body: Data
    /// Sent after the head, instead of the body, as it comes.
    package var feed: EventFeed?

    public init(_ status: Status = .ok, type: String, body: Data, headers: [String: String] = [:]) {
        (self.status, self.body) = (status, body)
        self.headers = headers
        self.headers["Content-Type"] = type
    }

    /// A sentence.
    static func text(_ status: Status, _ text: String) -> Response {
        Response(status, type: "text/plain; charset=utf-8", body: Data((text + "\n").utf8))
    }

    /// Line by line, as it is sent.
    ///
    /// - Parameter closes: whether the connection ends with it.
    package func bytes(withBody: Bool = true, closes: Bool) -> Data {
        var head = "HTTP/1.1 \(status.rawValue) \(status.phrase)\r\n"
        var fields = headers
        if feed == nil { fields["Content-Length"] = "\(body.count)" }
        fields["Connection"] = closes ? "close" : "keep-alive"
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            // A line of a header is one line, whatever it was made of.
            head += "\(name): \(value.filter { $0 != "\r" && $0 != "\n" && $0 != "\r\n" })\r\n"
        }
        return Data((head + "\r\n").utf8) + (withBody ? body : Data())
    }
}

/// Reads the head of a request. Nobody may send what is not asked for: a head above a size, or a body where none is taken.
package enum RequestHead {
    static let mostBytes = 16 * 1024
    static let mostFields = 100

    package enum Outcome {
        case incomplete
        /// With the bytes that it took, and those of the body behind it.
        case request(Request, bytes: Int, body: Int)
        case refused(Response)
    }

    /// - Parameter mostBody: the bytes that may be sent behind it.
    package static func read(_ bytes: [UInt8], mostBody: (Request) -> Int = { _ in 0 }) -> Outcome {
        guard let end = end(of: bytes) else {
            return bytes.count >= mostBytes
                ? .refused(.text(.headTooLarge, "the head of the request is longer than \(mostBytes) bytes")) : .incomplete
        }
        guard end <= mostBytes else {
            return .refused(.text(.headTooLarge, "the head of the request is longer than \(mostBytes) bytes"))
        }
        guard let text = String(validating: bytes[..<end], as: UTF8.self) else {
            return .refused(.text(.badRequest, "the head of the request is not UTF-8"))
        }
        let lines = text.utf8.split(omittingEmptySubsequences: true) { $0 == UInt8(ascii: "\n") }.map { line in
            String(Substring(line.last == UInt8(ascii: "\r") ? line.dropLast() : line))
        }.filter { !$0.isEmpty }
        let words = lines.first?.split(separator: " ", omittingEmptySubsequences: false).map(String.init) ?? []
        guard words.count == 3, ["HTTP/1.1", "HTTP/1.0"].contains(words[2]), words[0].allSatisfy(\.isUppercase) else {
            return .refused(.text(.badRequest, "the first line of a request is a method, an address and HTTP/1.1"))
        }
        guard lines.count <= mostFields + 1 else {
            return .refused(.text(.headTooLarge, "the request has more than \(mostFields) header lines"))
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            if let problem = add(line, to: &headers) { return .refused(.text(.badRequest, problem)) }
        }
        if words[2] == "HTTP/1.0" { headers["connection"] = "close" }
        return outcome(Request(words[1], method: words[0], headers: headers), bytes: end, mostBody)
    }

    /// - Returns: what is wrong with the line, if anything is.
    private static func add(_ line: String, to headers: inout [String: String]) -> String? {
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex, !line[..<colon].contains(" ") else {
            return "a header line is a name, a colon and a value"
        }
        let name = line[..<colon].lowercased()
        let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        // Two hosts, or two lengths, would be read in one way here and in another elsewhere.
        guard headers[name] == nil || !["host", "content-length", "origin", "transfer-encoding"].contains(name) else {
            return "the header \(name) is there twice"
        }
        headers[name] = headers[name].map { $0 + ", " + value } ?? value
        return nil
    }

    /// The request, if its body may be sent.
    private static func outcome(_ request: Request, bytes end: Int, _ mostBody: (Request) -> Int) -> Outcome {
        let headers = request.headers
        guard headers["transfer-encoding"] == nil, let length = Int(headers["content-length"] ?? "0"), length >= 0 else {
            return .refused(.text(.tooLong, "a body is sent in one piece, with its length"))
        }
        let most = length == 0 ? 0 : mostBody(request)
        guard length <= most else {
            return .refused(
                .text(
                    .tooLong,
                    most == 0
                        ? "questions are asked by their address: a request has no body here"
                        : "\(length) bytes were to be sent, and at most \(most) are taken at once"))
        }
        return .request(request, bytes: end, body: length)
    }

    /// Behind the empty line.
    private static func end(of bytes: [UInt8]) -> Int? {
        var previous = 0
        for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
            let line = bytes[previous..<index]
            if line.isEmpty || line.elementsEqual([UInt8(ascii: "\r")]) { return index + 1 }
            previous = index + 1
        }
        return nil
    }
}
