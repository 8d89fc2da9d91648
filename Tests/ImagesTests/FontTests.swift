import Foundation
import Images
import Testing

@Suite struct FontTests {
    /// How dark a text is drawn, in whole black pixels.
    private func ink(_ text: String, size: Double = 24) -> Double {
        var image = Image(width: 400, height: 40, fill: .white)
        image.write(text, x: 4, y: 4, font: Font(.regular, size: size))
        return image.pixels.reduce(0.0) { $0 + (255 - Double($1)) / 255 / 3 }
    }

    @Test func lettersHaveTheirOwnWidths() {
        #expect(Font.regular.width(of: "iii") < Font.regular.width(of: "WWW") / 2)
        #expect(Font.bold.width(of: "neuron") > Font.regular.width(of: "neuron"))
        let whole = Font.regular.width(of: "ab")
        #expect(abs(whole - Font.regular.width(of: "a") - Font.regular.width(of: "b")) < 1e-9)
        #expect(abs(Font(.regular, size: 24).width(of: "ab") - 2 * whole) < 1e-9)
    }

    /// A full stop of Inter is a disc: its ink is its area at every size, which no drawing with steps has.
    @Test(arguments: [12.0, 24, 60]) func edgesAreSmooth(_ size: Double) {
        var image = Image(width: 100, height: 100, fill: .white)
        image.write("■", x: 10.25, y: 10.5, font: Font(.regular, size: size))
        let shades = Set(image.pixels)
        #expect(shades.contains(0) && shades.count > 2)
        #expect(abs(ink("|||", size: size) - 3 * ink("|", size: size)) < 0.05 * ink("|||", size: size))
    }

    @Test func alphabetsAndSymbolsAreThere() {
        for text in [
            "Ångström", "žluťoučký", "λ‖x‖²", "∂score/∂pixel", "Ελλάδα", "Ёж", "→ ↑ ↓ ←", "≥ ≤ ≠ ≈ − × · ✓ ✗ … “”", "½ % ‰ €",
        ] {
            #expect(Font.regular.codes(in: text).isEmpty, "\(text)")
            #expect(Font.bold.codes(in: text).isEmpty, "\(text)")
            #expect(ink(text) > 20, "\(text)")
        }
    }

    /// What the font has not is written as its code: nothing is left out.
    @Test func whatIsMissingIsShownAsItsCode() {
        #expect(Font.regular.codes(in: "漢a") == ["[U+6F22]"])
        #expect(Font.regular.width(of: "漢") == Font.regular.width(of: "[U+6F22]"))
        #expect(ink("漢") == ink("[U+6F22]"))
        #expect(Font.regular.codes(in: "\u{1F600}\u{7}") == ["[U+1F600]", "[U+0007]"])
    }

    /// A letter with a mark is the same in both of its spellings, and where there is no such letter the mark stands over it.
    @Test func marksStandOnTheirLetters() {
        #expect(ink("e\u{301}") == ink("\u{E9}"))
        #expect(Font.regular.codes(in: "x\u{302}").isEmpty)
        #expect(Font.regular.width(of: "x\u{302}") == Font.regular.width(of: "x"))
        #expect(ink("x\u{302}") > ink("x") + 2)
    }

    @Test func textsThatAreTooWideLoseTheirMiddle() {
        let text = "n02099601_golden_retriever.JPEG"
        #expect(Font.regular.shortened(text, toWidth: 500) == text)
        let short = Font.regular.shortened(text, toWidth: 90)
        #expect(short.hasPrefix("n02") && short.hasSuffix("JPEG") && short.contains("…") && Font.regular.width(of: short) <= 90)
        #expect(Font.regular.width(of: short) > 75)
        #expect(Font.regular.shortened(text, toWidth: 3) == "")
    }

    @Test func linesAreBrokenBetweenWords() {
        let lines = Font.regular.wrapped("answered golden retriever 97.3 %, then tennis ball 1.2 %", toWidth: 120)
        #expect(lines.count > 2 && lines.allSatisfy { Font.regular.width(of: $0) <= 120 })
        #expect(lines.joined(separator: " ") == "answered golden retriever 97.3 %, then tennis ball 1.2 %")
        let word = Font.regular.wrapped("features.12.expand3x3_activation_and_more", toWidth: 60)
        #expect(
            word.joined() == "features.12.expand3x3_activation_and_more" && word.allSatisfy { Font.regular.width(of: $0) <= 60 })
        #expect(Font.regular.wrapped("", toWidth: 60).isEmpty)
    }

    @Test func whatLiesOutsideIsNotDrawn() {
        var image = Image(width: 30, height: 13, fill: .white)
        image.write("far out", x: -500, y: 900)
        image.write("far out", x: 20, y: -9)
        #expect(image.width == 30)
    }

    /// Text can be read: a contrast of 4.5 : 1 and more on the page (WCAG 2.1, 1.4.3).
    @Test func textStandsOutFromThePage() {
        func luminance(_ color: Color) -> Double {
            func linear(_ value: UInt8) -> Double {
                let share = Double(value) / 255
                return share <= 0.03928 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue)
        }
        for color in [Page.Palette.ink, Page.Palette.quiet, Page.Palette.alarm] {
            #expect((luminance(Page.Palette.ground) + 0.05) / (luminance(color) + 0.05) >= 4.5, "\(color)")
        }
        // The two marks differ in lightness, so that they are told apart in grey and without red or green.
        let (came, went) = (luminance(Page.Palette.came), luminance(Page.Palette.went))
        #expect((max(came, went) + 0.05) / (min(came, went) + 0.05) >= 2)
    }
}
