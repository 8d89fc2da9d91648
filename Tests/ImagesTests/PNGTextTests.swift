import Images
import Testing

@Suite struct PNGTextTests {
    @Test func pixelsAndTextsComeBack() throws {
        let image = noise(37, 21)
        let texts = [("Software", "neurodex"), ("neurodex:target", "Katze → conv1:3"), ("note", "Größe"), ("empty", "")]
        let bytes = try image.pngData(text: texts)
        #expect(try Image(decoding: bytes) == image)
        let found = PNG.text(in: bytes)
        #expect(found.map(\.keyword) == texts.map { $0.0 })
        #expect(found.map(\.text) == texts.map { $0.1 })
        #expect(try image.pngData(text: texts) == bytes)
        #expect(PNG.text(in: Array(bytes.dropLast(bytes.count - 50))).count <= 1)
        #expect(PNG.text(in: [1, 2, 3]).isEmpty)
    }

    @Test func badKeywordsAreRefused() {
        let image = Image(width: 1, height: 1)
        for keyword in ["", String(repeating: "k", count: 80), "→"] {
            #expect(throws: ImageError.self) { try image.pngData(text: [(keyword, "text")]) }
        }
        #expect(throws: ImageError.self) { try image.pngData(text: [("key", "a\0b")]) }
    }

    @Test func damagedPNGsNeverCrash() throws {
        let original = try noise(24, 24).pngData(text: [("a", "ü→")])
        var random = SeededGenerator(seed: 3)
        for round in 0..<300 {
            var bytes = original
            for _ in 0...round % 5 { bytes[.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random) }
            if round % 4 == 0 { bytes.removeLast(.random(in: 1..<bytes.count, using: &random)) }
            _ = PNG.text(in: bytes)
            _ = try? Image(decoding: bytes)
        }
    }
}
