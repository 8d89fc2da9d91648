import Explorer
import Foundation
import Testing

@Suite struct MultipartTests {
    private func files(_ body: String, boundary: String = "b", most: Int = 9) -> [Multipart.File]? {
        Multipart.files(in: Data(body.utf8), type: "multipart/form-data; boundary=\(boundary)", most: most)
    }

    private func part(_ name: String, _ text: String) -> String {
        "--b\r\nContent-Disposition: form-data; name=\"p\"; filename=\"\(name)\"\r\nContent-Type: image/png\r\n\r\n\(text)\r\n"
    }

    @Test func filesAreRead() {
        let found = files(part("a.png", "one") + part("C:\\x\\b%22.png", "--b inside\r\n-- ") + "--b--\r\n")
        #expect(
            found == [
                .init(name: "a.png", bytes: Data("one".utf8)), .init(name: "b\".png", bytes: Data("--b inside\r\n-- ".utf8)),
            ])
        #expect(files(part("../../etc/x.png", "") + "--b--") == [.init(name: "x.png", bytes: Data())])
        // Fields that are no files, and a file that was not chosen.
        #expect(files("--b\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\n9\r\n" + part("", "") + "--b--") == [])
        #expect(
            Multipart.files(
                in: Data((part("a", "1") + "--b--").utf8), type: "multipart/form-data; charset=x; boundary=\"b\"", most: 1)?.count
                == 1)
    }

    @Test func whatIsNoFormIsNone() {
        #expect(files("") == nil)
        #expect(files("--b") == nil)
        #expect(files("--b\r\n") == nil)
        #expect(files(part("a", "1")) == nil)
        #expect(files("--b\r\n" + String(repeating: "x", count: 20000) + "\r\n\r\n1\r\n--b--") == nil)
        #expect(files(part("a", "1") + part("b", "2") + "--b--", most: 1) == nil)
        #expect(Multipart.files(in: Data("--\r\n".utf8), type: "multipart/form-data; boundary=", most: 1) == nil)
        #expect(Multipart.files(in: Data(), type: "text/plain", most: 1) == nil)
    }
}
