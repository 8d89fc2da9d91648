import Images
import Testing

@Suite struct OrientationTests {
    /// Where each orientation takes the corners: a 2×1 picture of two colours.
    @Test func allEight() {
        let image = Image(width: 2, height: 1, pixels: [1, 1, 1, 2, 2, 2])
        func values(_ orientation: Orientation) -> [UInt8] {
            let turned = image.oriented(orientation)
            #expect(turned.width == (orientation.exchangesSides ? 1 : 2))
            return stride(from: 0, to: 6, by: 3).map { turned.pixels[$0] }
        }
        #expect(Orientation.allCases.map(values) == [[1, 2], [2, 1], [2, 1], [1, 2], [1, 2], [1, 2], [2, 1], [2, 1]])
        let large = noise(5, 3)
        for orientation in Orientation.allCases {
            #expect(large.oriented(orientation).oriented(orientation.inverse) == large)
        }
        #expect(large.oriented(.turnClockwise)[0, 0] == large[0, 2])
        #expect(large.oriented(.turnCounterclockwise)[0, 0] == large[4, 0])
        #expect(large.oriented(.transversed)[0, 0] == large[4, 2])
    }

    @Test func readFromEitherByteOrderAndNeverBeyondTheEnd() {
        let little: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]
        let big: [UInt8] = [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0]
        func read(_ bytes: [UInt8]) -> Orientation { bytes.withUnsafeBytes { Orientation(exif: $0) } }
        #expect(read(little) == .turnClockwise)
        #expect(read(big) == .turnCounterclockwise)
        for count in 0..<18 { #expect(read(Array(little.prefix(count))) == .upright) }
        var wild = little
        wild.replaceSubrange(4..<8, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(read(wild) == .upright)
    }
}
