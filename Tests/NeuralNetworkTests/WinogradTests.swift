import CKernels
import TestSupport
import Testing

/// Convolutions by fewer multiplications, beside their definition in double precision.
@Suite struct WinogradTests {
    private struct Case {
        var size: ndx_winograd
        var image: [Float]
        var weights: [Float]
        var bias: [Float]

        init(
            channels: Int, filters: Int, height: Int, width: Int, padTop: Int = 1, padLeft: Int = 1, outHeight: Int? = nil,
            outWidth: Int? = nil, batch: Int = 1, using random: inout SeededGenerator
        ) {
            func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -1...1, using: &random) } }
            size = ndx_winograd(
                batch: batch, height: height, width: width, channels: channels, out_height: outHeight ?? height,
                out_width: outWidth ?? width, filters: filters, pad_top: padTop, pad_left: padLeft)
            image = numbers(batch * height * width * channels)
            weights = numbers(filters * channels * 9)
            bias = numbers(filters)
        }

        /// In one call for each of `ranges` of tiles.
        func run(_ rectifier: ndx_rectifier = ndx_rectifier(slope: 1, ceiling: .infinity), ranges: [Range<Int>]? = nil) -> [Float]
        {
            let packed = UnsafeMutableBufferPointer<Float>.allocate(
                capacity: ndx_winograd_packed(size.channels, size.filters))
            let scratch = UnsafeMutableRawPointer.allocate(byteCount: ndx_winograd_scratch([size]), alignment: 64)
            defer {
                packed.deallocate()
                scratch.deallocate()
            }
            ndx_winograd_pack(weights, size.channels, size.filters, packed.baseAddress)
            var output = [Float](repeating: .nan, count: size.batch * size.out_height * size.out_width * size.filters)
            for range in ranges ?? [0..<ndx_winograd_tiles([size])] {
                ndx_winograd_run(
                    [size], image, &output, packed.baseAddress, bias, rectifier, range.lowerBound, range.upperBound, scratch)
            }
            return output
        }

        func definition() -> [Double] {
            var output: [Double] = []
            for n in 0..<size.batch {
                for y in 0..<size.out_height {
                    for x in 0..<size.out_width {
                        for filter in 0..<size.filters { output.append(sum(n, y, x, filter)) }
                    }
                }
            }
            return output
        }

        private func sum(_ n: Int, _ y: Int, _ x: Int, _ filter: Int) -> Double {
            var sum = Double(bias[filter])
            for dy in 0..<3 {
                for dx in 0..<3 {
                    let (row, column) = (y + dy - size.pad_top, x + dx - size.pad_left)
                    guard (0..<size.height).contains(row), (0..<size.width).contains(column) else { continue }
                    let pixel = ((n * size.height + row) * size.width + column) * size.channels
                    for c in 0..<size.channels {
                        sum += Double(image[pixel + c]) * Double(weights[(filter * size.channels + c) * 9 + dy * 3 + dx])
                    }
                }
            }
            return sum
        }
    }

    @Test func everyShapeIsAsTheDefinitionSays() {
        var random = SeededGenerator(seed: 1)
        let cases = [
            Case(channels: 1, filters: 1, height: 1, width: 1, using: &random),
            Case(channels: 3, filters: 5, height: 3, width: 7, using: &random),
            Case(channels: 8, filters: 16, height: 4, width: 4, using: &random),
            Case(channels: 13, filters: 21, height: 9, width: 6, using: &random),
            Case(channels: 40, filters: 24, height: 17, width: 13, batch: 3, using: &random),
            Case(
                channels: 17, filters: 33, height: 8, width: 9, padTop: 0, padLeft: 0, outHeight: 6, outWidth: 7, using: &random),
            Case(channels: 6, filters: 9, height: 5, width: 5, padTop: 2, padLeft: 0, outHeight: 7, outWidth: 4, using: &random),
            Case(channels: 300, filters: 70, height: 7, width: 7, using: &random),
        ]
        for one in cases { #expect(distance(one.run(), one.definition()) < 1e-5, "\(one.size)") }
    }

    /// Channels are added up in runs; one after the other they would come to 8e-6, as would the definition in single precision to 4e-6.
    @Test func manyChannelsRoundLittle() {
        var random = SeededGenerator(seed: 4)
        let one = Case(channels: 2000, filters: 24, height: 8, width: 8, using: &random)
        let (own, exact) = (one.run(), one.definition())
        #expect(distance(own, exact) < 2e-6)
    }

    @Test func rectifiers() {
        var random = SeededGenerator(seed: 2)
        let one = Case(channels: 16, filters: 20, height: 6, width: 11, using: &random)
        let plain = one.run()
        #expect(one.run(ndx_rectifier(slope: 0, ceiling: .infinity)) == plain.map { max($0, 0) })
        #expect(one.run(ndx_rectifier(slope: 0.25, ceiling: .infinity)) == plain.map { $0 > 0 ? $0 : 0.25 * $0 })
        #expect(one.run(ndx_rectifier(slope: 0, ceiling: 1.5)) == plain.map { min(max($0, 0), 1.5) })
    }

    /// What another thread computes, and what else is in the batch, changes no bit.
    @Test func partsAndBatchesGiveTheSameBits() {
        var random = SeededGenerator(seed: 3)
        let batch = Case(channels: 24, filters: 40, height: 19, width: 10, batch: 3, using: &random)
        let whole = batch.run()
        let tiles = ndx_winograd_tiles([batch.size])
        #expect(batch.run(ranges: [6..<tiles, 0..<5, 5..<6]) == whole)
        for index in 0..<3 {
            var single = batch
            single.size.batch = 1
            single.image = Array(batch.image[(index * batch.image.count / 3)..<((index + 1) * batch.image.count / 3)])
            #expect(single.run() == Array(whole[(index * whole.count / 3)..<((index + 1) * whole.count / 3)]))
        }
    }
}
