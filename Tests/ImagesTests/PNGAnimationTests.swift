import Images
import TestSupport
import Testing

@Suite struct PNGAnimationTests {
    private struct Chunk {
        var type: String
        var data: [UInt8]
    }

    private func chunks(_ file: [UInt8]) -> [Chunk] {
        var (place, found) = (8, [Chunk]())
        while place + 12 <= file.count {
            let length = file[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            found.append(
                Chunk(
                    type: String(decoding: file[place + 4..<place + 8], as: UTF8.self),
                    data: Array(file[place + 8..<place + 8 + length])))
            place += 12 + length
        }
        return found
    }

    /// The first frame is what every reader shows; all others are whole behind their sequence numbers, which count up from zero.
    @Test func framesAreThere() throws {
        let frames = (0..<4).map { _ in noise(9, 7) }
        let file = try PNG.animation(of: frames, milliseconds: 40)
        #expect(try PNG.animation(of: frames, milliseconds: 40) == file)
        #expect(try file.withUnsafeBytes { bytes throws(ImageError) in try ImageReader().decode(bytes) } == frames[0])
        let chunks = chunks(file)
        #expect(chunks.first?.type == "IHDR" && chunks.last?.type == "IEND")
        #expect(chunks.first { $0.type == "acTL" }?.data == [0, 0, 0, 4, 0, 0, 0, 1])
        let numbered = chunks.filter { $0.type == "fcTL" || $0.type == "fdAT" }
        #expect(numbered.map { $0.data.prefix(4).reduce(0) { $0 << 8 | Int($1) } } == Array(0..<numbered.count))
        #expect(chunks.count { $0.type == "fcTL" } == 4)
        let last = try frames[3].pngData()
        let pixels = self.chunks(last).filter { $0.type == "IDAT" }.flatMap(\.data)
        let control = try #require(chunks.lastIndex { $0.type == "fcTL" })
        #expect(chunks[control...].filter { $0.type == "fdAT" }.flatMap { $0.data.dropFirst(4) } == pixels)
    }
}
