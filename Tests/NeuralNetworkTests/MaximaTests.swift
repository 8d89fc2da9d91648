import CKernels
import TestSupport
import Testing

@Suite struct MaximaTests {
    /// The definition: the largest value that is a number, the first place that has it; NaN at 0 where there is none.
    private func slow(_ map: [Float], pixels: Int, channels: Int, stride: Int) -> ([Float], [UInt32]) {
        var (values, positions): ([Float], [UInt32]) = ([], [])
        for channel in 0..<channels {
            var best: (value: Float, place: Int)?
            for pixel in 0..<pixels {
                let value = map[pixel * stride + channel]
                if !value.isNaN, best.map({ value > $0.value }) ?? true { best = (value, pixel) }
            }
            values.append(best?.value ?? .nan)
            positions.append(UInt32(best?.place ?? 0))
        }
        return (values, positions)
    }

    private func expectEqual(_ map: [Float], pixels: Int, channels: Int, stride: Int, _ comment: Comment) {
        var values = [Float](repeating: 7, count: channels)
        var positions = [UInt32](repeating: 7, count: channels)
        ndx_channel_maxima(map, pixels, channels, stride, &values, &positions)
        let expected = slow(map, pixels: pixels, channels: channels, stride: stride)
        // 0 and −0 are equal, NaN is itself.
        #expect(zip(values, expected.0).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }, comment)
        #expect(positions == expected.1, comment)
    }

    @Test func everyNumberOfChannels() {
        var random = SeededGenerator(seed: 1)
        for channels in 1...130 {
            let (pixels, stride) = (Int.random(in: 1...12, using: &random), channels + Int.random(in: 0...3, using: &random))
            let map = (0..<pixels * stride).map { _ in Float(Int.random(in: -3...3, using: &random)) }  // Many ties.
            expectEqual(map, pixels: pixels, channels: channels, stride: stride, "\(channels) channels, seed 1")
        }
    }

    @Test func numbersThatAreNone() {
        let special: [Float] = [.nan, .infinity, -.infinity, -0.0, 0, 1, -1, .greatestFiniteMagnitude, -.leastNonzeroMagnitude]
        var random = SeededGenerator(seed: 2)
        for channels in [1, 3, 15, 16, 17, 63, 64, 65, 80, 129] {
            for pixels in [1, 2, 7] {
                let map = (0..<pixels * channels).map { _ in special[Int.random(in: 0..<special.count, using: &random)] }
                expectEqual(map, pixels: pixels, channels: channels, stride: channels, "\(channels)×\(pixels), seed 2")
            }
        }
        expectEqual([.nan, .nan, .nan, .nan], pixels: 2, channels: 2, stride: 2, "all NaN")
        expectEqual([.nan, -.infinity, -.infinity], pixels: 3, channels: 1, stride: 1, "only −∞ is a number")
    }

    @Test func meansAreAddedUpInDouble() {
        var means: [Float] = [0, 0]
        // In single precision, adding 1 to 2²⁴ changes nothing.
        let map: [Float] = [0x1p24, 1, 1, 2, 1, 3]
        ndx_channel_means(map, 3, 2, 2, &means)
        #expect(means == [Float((0x1p24 + 2) / 3.0), 2])
    }
}
