import Pages
import Testing

@Suite struct HTMLTests {
    @Test func textStaysText() {
        let html = HTML(.p, .class("a\"><script>")) { "<b>&\"'" }
        #expect(html.markup == "<p class=\"a&quot;&gt;&lt;script&gt;\">&lt;b&gt;&amp;&quot;&#39;</p>")
    }

    @Test func unseenCharactersAreSpeltOut() {
        #expect(HTML("a\u{202E}b\u{1B}[1m\u{0}\nc").markup == "a\\u{202E}b\\u{1B}[1m\\u{0}\nc")
        // What joins letters stays.
        #expect(HTML("a\u{200D}b").markup == "a\u{200D}b")
    }

    @Test func elementsNestAndVoidOnesAreNotClosed() {
        let shown = true
        let html = HTML(.div) {
            for number in 1...2 { HTML(.b) { number } }
            if shown { HTML(.br) } else { "no" }
            HTML(.input, .name("k"), Attribute("disabled"), nil)
        }
        #expect(html.markup == "<div><b>1</b><b>2</b><br><input name=\"k\" disabled></div>")
    }

    @Test func numbersAreRounded() {
        #expect(HTML(.rect, Attribute("x", 1.23456), Attribute("y", 2.0)).markup == "<rect x=\"1.23\" y=\"2\"></rect>")
    }

    @Test func aPageOfOneFileMayLoadNothing() {
        let page = Document(title: "a < b", assets: .inline(scripts: ["let a = 1 < 2"])) { HTML(.main) { "x" } }.text
        #expect(page.hasPrefix("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"))
        #expect(page.contains("<title>a &lt; b</title>"))
        #expect(page.contains("default-src &#39;none&#39;"))
        #expect(page.contains("<script type=\"module\">let a = 1 < 2</script></body>"))
        #expect(page.contains("prefers-color-scheme: dark"))
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("url("))
    }

    @Test func aServedPageHasNoScriptWithinIt() {
        let page = Document(
            title: "t", assets: .linked(style: Address("s.css"), icon: Address("i.svg"), scripts: [Address("a.js")])
        ) { "x" }.text
        #expect(page.contains("<script type=\"module\" src=\"/a.js\"></script>"))
        #expect(!page.contains("<style"))
    }
}

@Suite struct AddressTests {
    @Test func partsAreEncoded() {
        let address = Address("neuron", "a/b?c#d:3", query: [.init("where", "label <> 'x' & 1"), .init("distinct", "")])
        #expect(address.text == "/neuron/a%2Fb%3Fc%23d:3?where=label%20%3C%3E%20%27x%27%20%26%201&distinct")
        #expect(Address(target: address.text) == address)
        #expect(Address("a", "..").text == "/a/%2E%2E")
        #expect(Address.beside("images", "1 2.png").text == "images/1%202.png")
        #expect(Address.fragment("top").text == "#top")
        #expect(Address().text == "/")
    }

    @Test(arguments: ["", "x", "/%", "/%4", "/%zz", "/%00", "/%FF", "/a b", "/a?=1", "/a?b=%", "/a\nb", "/\u{7F}"])
    func whatIsNoAddressIsRefused(target: String) { #expect(Address(target: target) == nil) }

    @Test func plusIsASpaceInQuestionsAlone() {
        #expect(Address(target: "/a+b?c=d+e")?.path == ["a+b"])
        #expect(Address(target: "/a+b?c=d+e")?["c"] == "d e")
        #expect(Address(target: "/%E2%9C%93/")?.path == ["✓"])
    }

    @Test func fieldsAreReplaced() {
        let address = Address("top", query: [.init("k", "5"), .init("k", "6"), .init("where", "x")])
        #expect(address.with("k", "9").text == "/top?where=x&k=9")
        #expect(address.with("k", nil).text == "/top?where=x")
    }
}
