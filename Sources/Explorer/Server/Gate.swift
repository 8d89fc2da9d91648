import Foundation
import Pages

/// Who may ask. A server on the loopback interface is asked by programs of its own machine, and by browsers that any page may
/// have sent: the names it is called by, and where a request comes from, are checked. Everybody else needs the token that the
/// address began with.
struct Gate: Sendable {
    /// What a browser calls the server: `127.0.0.1:8080`.
    var hosts: Set<String>
    /// Nil where only this machine can ask.
    var token: String?

    static let cookie = "neurodex"

    init(port: Int, token: String?) {
        hosts = Set(["127.0.0.1", "localhost", "[::1]"].map { "\($0):\(port)" })
        if port == 80 { hosts.formUnion(["127.0.0.1", "localhost", "[::1]"]) }
        self.token = token
    }

    /// 32 hexadecimal digits.
    static func newToken() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<16).map { _ in String(format: "%02x", UInt8.random(in: 0...255, using: &generator)) }.joined()
    }

    /// What to answer instead; nil where the request may pass.
    func refusal(of request: Request, _ address: Address) -> Response? {
        let host = request.headers["host"]?.lowercased() ?? ""
        // Behind a token the name does not matter: a page of another name does not have the cookie.
        guard token != nil || hosts.contains(host) else {
            return .text(.forbidden, "this server is called \(hosts.sorted()[0]), not '\(host)'")
        }
        if let origin = request.headers["origin"], origin.lowercased() != "http://\(host)" {
            return .text(.forbidden, "a page of another origin asks")
        }
        // A link of another page may lead here, and may not bring it into a frame there.
        if request.headers["sec-fetch-site"] == "cross-site",
            request.headers["sec-fetch-mode"] != "navigate"
                || request.headers["sec-fetch-dest"].map({ $0 != "document" }) ?? false
        {
            return .text(.forbidden, "a page of another origin asks")
        }
        return token.flatMap { refusal(of: request, address, token: $0) }
    }

    private func refusal(of request: Request, _ address: Address, token: String) -> Response? {
        if let given = address["token"], Self.isSame(given, token) {
            // The token leaves the address, so that it is not sent to a colleague with it.
            var response = Response(.seeOther, type: "text/plain; charset=utf-8", body: Data())
            response.headers["Location"] = Linking.link(address.with("token", nil))
            response.headers["Set-Cookie"] = "\(Self.cookie)=\(token); Path=/; HttpOnly; SameSite=Strict"
            return response
        }
        let cookies = (request.headers["cookie"] ?? "").split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
        if cookies.contains(where: { Self.isSame($0, "\(Self.cookie)=\(token)") }) { return nil }
        return .text(.forbidden, "open the address that 'neurodex serve' printed: it ends in a token, which a browser then keeps")
    }

    /// In a time that does not tell how much is right.
    private static func isSame(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        return a.count == b.count && zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
