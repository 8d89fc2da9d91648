import Images
import Testing

/// JPEGs that are decoded smaller than they are, to be looked at.
@Suite struct ShrunkJPEGTests {
    /// A smooth picture, so that both ways of making it smaller agree.
    private func picture(width: Int, height: Int) -> Image {
        var image = Image(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width { image[x, y] = Color(UInt8(x * 255 / width), UInt8(y * 255 / height), 128) }
        }
        return image
    }

    @Test(arguments: [(800, 600, 100), (801, 333, 100), (300, 900, 50), (640, 640, 320), (500, 375, 499), (90, 60, 500)])
    func areAboutThoseOfTheWhole(width: Int, height: Int, side: Int) throws {
        let bytes = try picture(width: width, height: height).jpegData(quality: 90)
        let whole = try Image(decoding: bytes)
        let (small, size) = try bytes.withUnsafeBytes { try ImageReader().decode($0, atLeast: side) }
        #expect(size == Size(width: width, height: height))
        #expect(max(small.width, small.height) >= min(side, max(width, height)))
        #expect(max(small.width, small.height) <= max(width, height))
        if side * 8 <= max(width, height) * 7 { #expect(small.width < width && small.height < height) }
        let expected = whole.resized(width: small.width, height: small.height)
        let error = zip(small.pixels, expected.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        #expect(Double(error) / Double(small.pixels.count) < 2)
    }

    @Test func aReaderThatHasShrunkDecodesWholePicturesAsBefore() throws {
        let bytes = try picture(width: 400, height: 300).jpegData()
        let (reader, whole) = (ImageReader(), try Image(decoding: bytes))
        _ = try bytes.withUnsafeBytes { try reader.decode($0, atLeast: 40) }
        #expect(try bytes.withUnsafeBytes { try reader.decode($0) } == whole)
        #expect(throws: ImageError.self) { try bytes[..<700].withUnsafeBytes { try reader.decode($0, atLeast: 40) } }
        #expect(try bytes.withUnsafeBytes { try reader.decode($0) } == whole)
    }
}
