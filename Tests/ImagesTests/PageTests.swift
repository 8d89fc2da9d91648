import Foundation
import Images
import Testing

@Suite struct PageTests {
    private func page(scale: Double) -> Page {
        var page = Page(width: 60, height: 40, scale: scale)
        page.fill(x: 5, y: 5, width: 10, height: 10, with: .black)
        page.outline(Rectangle(x: 20, y: 5, width: 10, height: 10), thickness: 1, with: .black)
        page.place(
            Image(width: 2, height: 1, pixels: [0, 0, 0, 255, 0, 0]), in: Rectangle(x: 40, y: 5, width: 10, height: 5),
            isPixelated: true)
        page.write("a<b & \"c\"", x: 5, y: 20)
        page.stroke([.init(5, 38), .init(55, 38)], thickness: 2, with: .black)
        return page
    }

    @Test func scalesAreThoseAskedFor() {
        for scale in [1.0, 2, 3.5] {
            let image = page(scale: scale).rendered()
            #expect(image.width == Int((60 * scale).rounded()) && image.height == Int((40 * scale).rounded()))
            func at(_ x: Double, _ y: Double) -> Color { image[Int(x * scale), Int(y * scale)] }
            #expect(at(10, 10) == .black && at(25, 10) == Page.Palette.ground && at(20.2, 10) == .black)
            #expect(at(41, 7) == .black && at(48, 7) == Color(255, 0, 0))
            #expect(at(30, 38) == .black && at(30, 36) == Page.Palette.ground)
        }
        #expect(page(scale: 2).rendered() == page(scale: 2).rendered())
    }

    @Test func linesAtAnAngleAreSmooth() {
        var page = Page(width: 40, height: 40, scale: 1)
        page.stroke([.init(2, 2), .init(38, 21)], thickness: 1.5, with: .black)
        let image = page.rendered()
        let area = image.pixels.reduce(0.0) { $0 + (Double(Page.Palette.ground.red) - Double($1)) / 255 / 3 }
        let length = (36.0 * 36 + 19 * 19).squareRoot()
        #expect(abs(area - 1.5 * length) < 0.05 * length)
    }

    @Test func anSVGSaysTheSame() throws {
        let texts = [("neurodex:arguments", "[\"top\",\"a & <b>\"]"), ("Software", "neurodex\nü")]
        let page = page(scale: 2)
        let bytes = try page.svgData(text: texts)
        #expect(try page.svgData(text: texts) == bytes)
        let read = SVG.text(in: bytes)
        #expect(read.map(\.keyword) == texts.map(\.0) && read.map(\.text) == texts.map(\.1))
        let file = String(decoding: bytes, as: UTF8.self)
        #expect(file.hasPrefix("<svg ") && file.contains("width=\"120\" height=\"80\" viewBox=\"0 0 60 40\""))
        #expect(file.contains(">a&lt;b &amp; &quot;c&quot;</text>"))
        let document = XMLCheck()
        #expect(document.isWellFormed(file))
        #expect(SVG.text(in: Array("no picture".utf8)).isEmpty && SVG.text(in: Array("<svg >".utf8)).isEmpty)
    }

    /// A small reader of XML: tags close in order, and no ampersand stands alone.
    private struct XMLCheck {
        func isWellFormed(_ file: String) -> Bool {
            var open: [Substring] = []
            for tag in file.matches(of: #/<(/?)([a-z]+)[^>]*?(/?)>/#) {
                if tag.1 == "/" {
                    guard open.popLast() == tag.2 else { return false }
                } else if tag.3 != "/" {
                    open.append(tag.2)
                }
            }
            return open.isEmpty && !file.contains(#/&(?!amp;|lt;|gt;|quot;)/#)
        }
    }
}
