import Explanations
import Images
import Testing

@Suite struct FigureTests {
    private func figure(
        _ panels: [Figure.Panel], sharesScale: Bool = false
    ) throws -> Image {
        let image = Image(width: 8, height: 8, fill: Color(hex: 0x808080))
        return try Figure(rows: [Figure.Row(image: image, title: "a", panels: panels)], sharesScale: sharesScale).rendered()
    }

    private func map(_ value: Float) -> ExplanationMap {
        ExplanationMap(
            channels: 1, height: 8, width: 8, values: (0..<64).map { $0 == 9 ? value : 0 }, isSigned: false)
    }

    /// How many pixels are as red as a warning is.
    private func alarmed(_ image: Image) -> Int {
        stride(from: 0, to: image.pixels.count, by: 3).count {
            image.pixels[$0] == 0xB4 && image.pixels[$0 + 1] == 0x23 && image.pixels[$0 + 2] == 0x18
        }
    }

    @Test func whatSpeaksAgainstAMapStandsOnIt() throws {
        let plain = try figure([Figure.Panel(map: map(1), title: "t", note: "n")])
        let warned = try figure([Figure.Panel(map: map(1), title: "t", note: "n", warnings: ["one", "two"])])
        #expect(alarmed(plain) == 0 && alarmed(warned) > 20)
        #expect(warned.width == plain.width && warned.height > plain.height)
    }

    @Test func aMaskKeepsItsOwnScale() throws {
        let alone = try figure([Figure.Panel(map: map(1), title: "t", isApart: true)])
        let beside = try figure(
            [Figure.Panel(map: map(1), title: "t", isApart: true), Figure.Panel(map: map(500), title: "t")], sharesScale: true)
        let shared = try figure(
            [Figure.Panel(map: map(1), title: "t"), Figure.Panel(map: map(500), title: "t")], sharesScale: true)
        func left(_ image: Image) -> [UInt8] {
            (0..<image.height).flatMap { y in image.pixels[y * image.width * 3..<(y * image.width + alone.width - 24) * 3] }
        }
        #expect(left(beside) == left(alone))
        #expect(left(shared) != left(alone))
    }
}
