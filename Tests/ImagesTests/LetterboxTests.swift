import Images
import Support
import Testing

/// Letterboxes as ultralytics' `LetterBox` makes them with OpenCV: the hashes and places are its own, of OpenCV 4.14 and 5.0 alike, made by
/// its Python code on the same pictures.
@Suite struct LetterboxTests {
    /// A picture that any language can make.
    static func picture(_ width: Int, _ height: Int) -> Image {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<3 {
                    pixels.append(UInt8((x * x * 7 + y * y * 13 + x * y * 29 + c * 61 + (x * 31 + y * 17) % 23 * 11) % 256))
                }
            }
        }
        return Image(width: width, height: height, pixels: pixels)
    }

    private func hash(_ image: Image) -> String { String(SHA256.hash(data: image.pixels).hexadecimal.prefix(16)) }

    @Test(
        arguments: [
            (50, 37, 23, 19, "6b05d89a2c970691"), (13, 17, 40, 33, "32322659ded82ebb"), (31, 9, 31, 4, "b46d85839f25a553"),
            (3, 3, 1, 1, "034a15787f463ebf"), (97, 5, 7, 5, "4a323c86d037d60d"), (64, 48, 32, 24, "5d09c08e1ff594a9"),
            (640, 427, 416, 278, "1bed5cdbcdacb4c4"), (33, 21, 33, 42, "b642c79d5938903c"),
            (333, 500, 213, 320, "c20e1f70549e12f8"),
            (40, 40, 20, 10, "c3196b6a723b8523"), (1, 7, 9, 3, "aff1f6370633139d"),
        ]) func resizesAsOpenCV(_ width: Int, _ height: Int, _ newWidth: Int, _ newHeight: Int, _ expected: String)
    {
        let resized = Self.picture(width, height).resized(width: newWidth, height: newHeight, interpolation: .opencv)
        #expect(hash(resized) == expected)
    }

    private struct Case: Sendable {
        var source: Size, frame: Size
        var anchor: Framing.Anchor
        var resized: Size
        var left: Int, top: Int
        var hash: String

        init(
            _ width: Int, _ height: Int, _ frameWidth: Int, _ frameHeight: Int, _ anchor: Framing.Anchor, _ newWidth: Int,
            _ newHeight: Int, _ left: Int, _ top: Int, _ hash: String
        ) {
            source = Size(width: width, height: height)
            frame = Size(width: frameWidth, height: frameHeight)
            resized = Size(width: newWidth, height: newHeight)
            (self.anchor, self.left, self.top, self.hash) = (anchor, left, top, hash)
        }
    }

    private static let cases = [
        Case(50, 37, 64, 64, .center, 64, 47, 0, 8, "72805ed368477eec"),
        Case(37, 50, 64, 64, .center, 47, 64, 8, 0, "e12cd7c634ad8bb8"),
        Case(500, 333, 96, 96, .center, 96, 64, 0, 16, "0c609ffb5c428ac9"),
        Case(333, 500, 96, 64, .center, 43, 64, 26, 0, "6b78debe65ab4ecf"),
        Case(100, 100, 64, 64, .center, 64, 64, 0, 0, "3cb6d40e6fd51b68"),
        Case(31, 64, 32, 32, .center, 16, 32, 8, 0, "b7695858b4d76075"),
        Case(200, 3, 64, 64, .center, 64, 1, 0, 31, "ce9ee081c957a940"),
        Case(500, 333, 96, 96, .corner, 96, 64, 0, 0, "d7bac80dc27bdb9e"),
        Case(33, 50, 64, 48, .corner, 32, 48, 0, 0, "989d0f2ecb328295"),
        Case(128, 96, 64, 48, .center, 64, 48, 0, 0, "2a769ddc4ec01226"),
        Case(45, 31, 30, 50, .center, 30, 21, 0, 14, "20ebdb44034dc1dd"),
    ]

    @Test(arguments: cases) private func framesAsUltralytics(_ one: Case) throws {
        var recipe = Preprocessing(.letterbox, input: one.frame)
        recipe.resize = .letterbox(one.anchor)
        let png = try Self.picture(one.source.width, one.source.height).pngData()
        let framed = try png.withUnsafeBytes { try ImageReader().read($0, framing: recipe.framing) }
        #expect(hash(framed.image) == one.hash)
        let placement = framed.placement
        #expect(placement.resized == one.resized && placement.x == -one.left && placement.y == -one.top)
        #expect(placement.shown.columns == one.left..<one.left + one.resized.width)
        #expect(placement.shown.rows == one.top..<one.top + one.resized.height)
        #expect(placement.isPadded == (one.resized != one.frame))
        // Back to the whole picture.
        let source = placement.sourceRectangle(ofInput: placement.shownRectangle)
        #expect(abs(source.x) < 1e-9 && abs(source.y) < 1e-9)
        #expect(abs(source.width - Double(one.source.width)) < 1e-9 && abs(source.height - Double(one.source.height)) < 1e-9)
    }

    /// Of Pillow's filters and of crops, padding is what is asked for too.
    @Test func paddingIsOfTheColourAskedFor() throws {
        let png = try Image(width: 3, height: 2, fill: .white).pngData()
        let framing = Framing(resize: .none, crop: Size(width: 6, height: 5), padding: Color(1, 2, 3))
        let framed = try png.withUnsafeBytes { try ImageReader().read($0, framing: framing) }
        for y in 0..<5 {
            for x in 0..<6 {
                #expect(framed.image[x, y] == ((1..<4).contains(x) && (1..<3).contains(y) ? .white : Color(1, 2, 3)))
            }
        }
        let box = Framing(resize: .letterbox(.corner), crop: Size(width: 6, height: 6), interpolation: .bicubic, padding: .white)
        let boxed = try png.withUnsafeBytes { try ImageReader().read($0, framing: box) }
        #expect(boxed.placement.resized == Size(width: 6, height: 4))
        #expect((0..<36).allSatisfy { boxed.image[$0 % 6, $0 / 6] == .white })
    }

    @Test func hasATextForm() throws {
        for resize in [Framing.Resize.letterbox(.center), .letterbox(.corner)] {
            #expect(Framing.Resize(resize.description) == resize)
        }
        var recipe = Preprocessing(.letterbox, input: Size(width: 640, height: 384))
        let text = try recipe.canonicalJSON()
        #expect(
            text
                == #"{"channels":"rgb","crop":"384x640","deviation":[1,1,1],"divisor":255,"interpolation":"opencv","mean":[0,0,0],"pad":[114,114,114],"pillow":13,"resize":"letterbox"}"#
        )
        #expect(try Preprocessing(json: text) == recipe)
        #expect(recipe.summary == "letterbox 384×640, padded with 114, opencv, values 0 to 1")
        let hash = try recipe.hash()
        (recipe.resize, recipe.padding) = (.letterbox(.corner), Color(0, 128, 255))
        #expect(try Preprocessing(json: recipe.canonicalJSON()) == recipe)
        #expect(try recipe.hash() != hash)
        #expect(recipe.summary == "letterbox 384×640 from the corner, padded with 0,128,255, opencv, values 0 to 1")
        for pad in ["[114]", "[0,0,256]", "\"grey\""] {
            #expect(throws: DecodingError.self) { try Preprocessing(json: text.replacing("[114,114,114]", with: pad)) }
        }
        // Recipes of before say nothing of padding, and are as they were.
        let old = Preprocessing(.torchvision, input: Size(width: 224, height: 224))
        #expect(try !old.canonicalJSON().contains("pad"))
    }

    @Test func coloursHaveATextForm() {
        #expect(Color("114") == Color(114, 114, 114) && Color("1,2,3") == Color(1, 2, 3))
        for color in [Color.black, Color(7, 7, 8)] { #expect(Color(color.description) == color) }
        for text in ["", "256", "-1", "1,2", "1,2,3,4", "1,,3", "red", "1.5"] { #expect(Color(text) == nil, "\(text)") }
    }

    /// Lines of text as PaddleOCR's `resize_norm_img` makes them (with OpenCV 4.12, of the same pictures in BGR): the width of the line, and the SHA-256
    /// of the network's input, height × width × channels in float32.
    @Test(
        arguments: [
            (50, 20, 32, 100, 80, "50eaa8c5b5463a36"), (200, 31, 48, 320, 310, "632a3aa79c654247"),
            (400, 20, 32, 100, 100, "1fa560fa72bf85f0"), (7, 30, 32, 64, 8, "46e1c95623cff68d"),
            (97, 48, 48, 320, 97, "6fb1a321a9a8e0e3"),
        ]) func linesAreThoseOfPaddleOCR(
            _ width: Int, _ height: Int, _ frameHeight: Int, _ frameWidth: Int, _ lineWidth: Int, _ expected: String
        ) throws
    {
        let recipe = Preprocessing(.textLine, input: Size(width: frameWidth, height: frameHeight))
        let png = try Self.picture(width, height).pngData()
        let framed = try png.withUnsafeBytes { try ImageReader().read($0, framing: recipe.framing) }
        let tensor = recipe.tensor(from: framed.image)
        #expect(String(tensor.withUnsafeBytes { SHA256.hash(data: $0) }.hexadecimal.prefix(16)) == expected)
        let placement = framed.placement
        #expect(placement.shown.columns == 0..<lineWidth && placement.shown.rows == 0..<frameHeight)
        // Back to the picture, across and down by scales of their own.
        let source = placement.sourceRectangle(ofInput: placement.shownRectangle)
        #expect(abs(source.width - Double(width)) < 1e-9 && abs(source.height - Double(height)) < 1e-9)
        let part = Rectangle(x: 1, y: 2, width: 3, height: 4)
        let back = placement.inputRectangle(ofSource: placement.sourceRectangle(ofInput: part))
        #expect(abs(back.x - 1) < 1e-9 && abs(back.y - 2) < 1e-9 && abs(back.width - 3) < 1e-9 && abs(back.height - 4) < 1e-9)
    }

    /// A recipe of lines is written and read as any; another colour takes the place of zeros.
    @Test func recipesOfLines() throws {
        var recipe = Preprocessing(.textLine, input: Size(width: 64, height: 32))
        #expect(try Preprocessing(json: try recipe.canonicalJSON()) == recipe && recipe.padsWithZeros)
        #expect(recipe.summary.contains("line of text, 32×64 at most") && recipe.summary.contains("padded with zeros"))
        (recipe.padding, recipe.padsWithZeros) = (.white, false)
        let png = try Self.picture(10, 30).pngData()
        let framed = try png.withUnsafeBytes { try ImageReader().read($0, framing: recipe.framing) }
        #expect(recipe.tensor(from: framed.image).last == 1)
        recipe.frame(by: .letterbox(.center))
        #expect(recipe.padding == Preprocessing.letterboxPadding && !recipe.padsWithZeros)
        #expect(Framing.Resize("text-line") == .textLine && Framing.Resize.textLine.description == "text-line")
    }
}
