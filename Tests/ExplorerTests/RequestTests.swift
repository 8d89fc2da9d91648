import Explorer
import Foundation
import Testing

@Suite struct RequestTests {
    private func status(_ text: String) -> Response.Status? {
        if case .refused(let response) = RequestHead.read(Array(text.utf8)) { response.status } else { nil }
    }

    @Test func aHeadIsRead() throws {
        let text = "GET /neuron/a%2Fb:3?k=9 HTTP/1.1\r\nHost: localhost:80\r\nX: a\r\nx: b\r\n\r\nGET /next"
        guard case .request(let request, let bytes, _) = RequestHead.read(Array(text.utf8)) else {
            Issue.record("no request")
            return
        }
        #expect(request.target == "/neuron/a%2Fb:3?k=9")
        #expect(request.headers == ["host": "localhost:80", "x": "a, b"])
        #expect(bytes == text.utf8.count - "GET /next".utf8.count)
    }

    @Test(arguments: ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n"])
    func anUnfinishedHeadIsWaitedFor(text: String) {
        guard case .incomplete = RequestHead.read(Array(text.utf8)) else {
            Issue.record("not waited for")
            return
        }
    }

    @Test func hostileHeadsAreRefused() {
        #expect(status("GET /\r\n\r\n") == .badRequest)
        #expect(status("GET / HTTP/2\r\n\r\n") == .badRequest)
        #expect(status("get / HTTP/1.1\r\n\r\n") == .badRequest)
        #expect(status("GET  / HTTP/1.1\r\n\r\n") == .badRequest)
        #expect(status("GET / HTTP/1.1\r\nno colon\r\n\r\n") == .badRequest)
        #expect(status("GET / HTTP/1.1\r\nHost : a\r\n\r\n") == .badRequest)
        #expect(status("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == .badRequest)
        #expect(status("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello") == .tooLong)
        #expect(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") == .tooLong)
        #expect(status("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 20000) + "\r\n\r\n") == .headTooLarge)
        #expect(status("GET /" + String(repeating: "a", count: 20000)) == .headTooLarge)
        #expect(status("GET / HTTP/1.1\r\n" + String(repeating: "X: a\r\n", count: 101) + "\r\n") == .headTooLarge)
    }

    @Test func aBodyIsTakenWhereOneIs() {
        func outcome(_ length: String) -> RequestHead.Outcome {
            RequestHead.read(Array("POST /drop HTTP/1.1\r\nContent-Length: \(length)\r\n\r\nhello".utf8)) { request in
                request.target == "/drop" ? 10 : 0
            }
        }
        if case .request(_, _, let length) = outcome("5") { #expect(length == 5) } else { Issue.record("5 bytes are refused") }
        for length in ["11", "-1", "5x", "5, 5", "99999999999999999999"] {
            guard case .refused(let response) = outcome(length) else {
                Issue.record("\(length) is taken")
                continue
            }
            #expect(response.status == .tooLong, "\(length)")
        }
    }

    @Test func aHeaderOfAnAnswerIsOneLine() {
        let response = Response(type: "text/plain", body: Data(), headers: ["Location": "/a\r\nSet-Cookie: b"])
        let text = String(decoding: response.bytes(closes: false), as: UTF8.self)
        #expect(text.contains("Location: /aSet-Cookie: b\r\n"))
    }
}
