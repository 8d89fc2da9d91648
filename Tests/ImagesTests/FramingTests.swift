import Images
import Testing

@Suite struct FramingTests {
    @Test func shorterSideIsResizedAndTheCropCentred() {
        let placement = torchvision.placement(sourceWidth: 500, sourceHeight: 375)
        #expect(placement.resized == Size(width: 341, height: 256))
        #expect(placement.x == 58)  // 58.5, to the even side
        #expect(placement.y == 16)
        #expect(torchvision.placement(sourceWidth: 375, sourceHeight: 500).resized == Size(width: 256, height: 341))
    }

    @Test func smallPicturesGetABlackBorder() throws {
        let image = Image(width: 3, height: 2, fill: .white)
        let png = try image.pngData()
        let framing = Framing(resize: .none, crop: Size(width: 6, height: 5))
        let framed = try png.withUnsafeBytes { try ImageReader().read($0, framing: framing) }
        #expect(framed.placement.x == -1 && framed.placement.y == -1)
        for y in 0..<5 {
            for x in 0..<6 {
                #expect(framed.image[x, y] == ((1..<4).contains(x) && (1..<3).contains(y) ? .white : .black))
            }
        }
    }

    @Test func rectanglesGoBackAndForth() {
        let placement = torchvision.placement(sourceWidth: 640, sourceHeight: 480)
        let inside = Rectangle(x: 10, y: 20, width: 30, height: 40)
        let source = placement.sourceRectangle(ofInput: inside)
        #expect(abs(source.y - (20 + 16) * 480 / 256) < 1e-9)
        let back = placement.inputRectangle(ofSource: source)
        #expect(abs(back.x - 10) < 1e-9 && abs(back.width - 30) < 1e-9 && abs(back.y - 20) < 1e-9)
        let outside = Rectangle(x: -5, y: 470, width: 20, height: 20).clipped(to: Size(width: 640, height: 480))
        #expect(outside == Rectangle(x: 0, y: 470, width: 15, height: 10))
        let nowhere = Rectangle(x: 900, y: 900, width: 5, height: 5).pixels(in: Size(width: 640, height: 480))
        #expect(nowhere.columns == 639..<640 && nowhere.rows == 479..<480)
    }

    @Test func resizeHasATextForm() {
        for resize in [Framing.Resize.shorterSide(256), .exact(width: 224, height: 192), .none] {
            #expect(Framing.Resize(resize.description) == resize)
        }
        #expect(Framing.Resize("12x20") == .exact(width: 20, height: 12))
        for text in ["", "0", "-3", "1x2x3", "x", "224x", "big"] { #expect(Framing.Resize(text) == nil) }
    }
}
