import Explanations
import Images
import Testing

@Suite struct FigureTests {
    private let look = MapLook(isSigned: false, quantity: "score lost")

    private func figure(_ panels: [Figure.Panel], sharesScale: Bool = false) throws -> Image {
        let image = Image(width: 8, height: 8, fill: Color(hex: 0x808080))
        let row = Figure.Row(image: image, title: "a", panels: panels)
        return try Figure(heading: "h", rows: [row], sharesScale: sharesScale, size: 224).rendered()
    }

    private func map(_ value: Float) -> ExplanationMap {
        ExplanationMap(
            channels: 1, height: 8, width: 8, values: (0..<64).map { $0 == 9 ? value : 0 }, isSigned: false)
    }

    private func panel(_ value: Float, warnings: [String] = []) -> Figure.Panel {
        Figure.Panel(.map(map(value), look, boxes: []), title: "t", notes: ["n"], warnings: warnings)
    }

    /// How many pixels under the pictures and their scale are red, as warnings are.
    private func alarmed(_ image: Image) -> Int {
        stride(from: image.width * 330 * 3, to: image.pixels.count, by: 3).count {
            Int(image.pixels[$0]) > Int(image.pixels[$0 + 1]) + 60
        }
    }

    @Test func whatSpeaksAgainstAMapStandsOnIt() throws {
        let plain = try figure([panel(1)])
        let warned = try figure([panel(1, warnings: ["one", "two"])])
        #expect(alarmed(plain) == 0 && alarmed(warned) > 20)
        #expect(warned.width == plain.width && warned.height > plain.height)
    }

    /// Two maps of which one is 500 times the other: each on its own scale looks alike, on one scale the smaller is empty.
    @Test func aScaleIsSharedOrNot() throws {
        func first(_ image: Image) -> Image { image.cropped(columns: 260..<484, rows: 49..<273) }
        let alone = try first(figure([panel(1)]))
        #expect(try first(figure([panel(1), panel(500)])) == alone)
        #expect(try first(figure([panel(1), panel(500)], sharesScale: true)) != alone)
    }

    /// The picture of a map is as large as asked for, and a fine one has a panel of its own.
    @Test func sizesAreThoseAskedFor() throws {
        let image = Image(width: 8, height: 4, fill: Color(hex: 0x808080))
        func size(_ look: MapLook, _ size: Int) throws -> Size {
            let map = ExplanationMap(channels: 1, height: 4, width: 8, values: (0..<32).map { Float($0) }, isSigned: false)
            let row = Figure.Row(image: image, title: "a", panels: [Figure.Panel(.map(map, look, boxes: []), title: "t")])
            return try Figure(heading: "h", rows: [row], size: size).page().size
        }
        let coarse = try size(look, 224)
        #expect(coarse.width == 20 + 224 + 16 + 224 + 20)
        #expect(try size(look, 448) == Size(width: 2 * coarse.width, height: 2 * coarse.height))
        #expect(try size(MapLook(isSigned: false, quantity: "q", isFine: true), 224).width == coarse.width + 240)
    }

    /// The method says whether zero is the middle, whatever the numbers are.
    @Test func theMethodChoosesTheColours() {
        let positive = map(3)
        let signed = MapLook(isSigned: true, quantity: "q")
        #expect(signed.levels(of: positive, limit: 3, isSigned: true)[9] == 1)
        #expect(signed.levels(of: positive, limit: 3, isSigned: true)[0] == 0.5)
        let white = Colormap.diverging.color(at: 0.5)
        #expect(min(white.red, white.green, white.blue) >= 0xF6)
        #expect(look.levels(of: positive, limit: 3, isSigned: false)[0] == 0)
        // Of several colours a signed map is the sum, another the largest magnitude; of one, its magnitude.
        let colors = ExplanationMap(channels: 3, height: 1, width: 1, values: [-2, 1, 0.5], isSigned: true)
        #expect(signed.plane(of: colors) == [-0.5] && look.plane(of: colors) == [2])
        #expect(look.plane(of: ExplanationMap(channels: 1, height: 1, width: 1, values: [-2], isSigned: true)) == [2])
    }

    @Test func theScaleEndsAtThePercentile() {
        let map = ExplanationMap(channels: 1, height: 1, width: 1000, values: (1...1000).map { Float($0) }, isSigned: false)
        let clipped = MapLook(isSigned: false, quantity: "q", clip: 99.5).limit(of: map)
        #expect(clipped.value == 995 && clipped.isClipped && clipped.remark == ", clipped at the 99.5th percentile")
        let whole = look.limit(of: map)
        #expect(whole.value == 1000 && !whole.isClipped)
        // Where nearly all is zero the percentile is no scale.
        let sparse = MapLook(isSigned: false, quantity: "q", clip: 50).limit(of: self.map(7))
        #expect(sparse.value == 7 && !sparse.isClipped)
        #expect(look.limit(of: self.map(0)).value == 1)
        #expect(MapLook(isSigned: false, quantity: "q", clip: 92).limit(of: map).remark.contains("92nd"))
    }

    @Test func whatIsCutOutStandsOnACheckerboard() {
        var mask = Mask(width: 56, height: 56, isInside: [Bool](repeating: false, count: 56 * 56))
        mask.isInside[5] = true
        let cut = mask.cutOut(of: Image(width: 56, height: 56, fill: Color(hex: 0x123456)))
        #expect(cut[5, 0] == Color(hex: 0x123456))
        #expect(cut[0, 0] == .white && cut[2, 0] == Color(hex: 0xD0D0D0) && cut[2, 2] == .white)
    }
}
