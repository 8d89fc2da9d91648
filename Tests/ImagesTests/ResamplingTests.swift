import Images
import Testing

/// A resize written from its definition in floating point, 8 bits between the passes: slow and obvious.
private func slowResize(_ image: Image, _ width: Int, _ height: Int, _ filter: (Double) -> Double, support: Double) -> Image {
    func pass(_ source: Int, _ target: Int, _ value: (Int) -> Double, _ i: Int) -> UInt8 {
        let scale = Double(source) / Double(target)
        let stretch = max(scale, 1)
        let center = (Double(i) + 0.5) * scale
        var sum = 0.0
        var total = 0.0
        for x in max(Int(center - support * stretch + 0.5), 0)..<min(Int(center + support * stretch + 0.5), source) {
            let weight = filter((Double(x) + 0.5 - center) / stretch)
            sum += weight * value(x)
            total += weight
        }
        return UInt8(max(0, min(255, (sum / total + 0.5).rounded(.down))))
    }
    var middle = Image(width: width, height: image.height)
    var result = Image(width: width, height: height)
    for c in 0..<3 {
        for y in 0..<image.height {
            for x in 0..<width {
                middle.pixels[(y * width + x) * 3 + c] = pass(
                    image.width, width, { Double(image.pixels[(y * image.width + $0) * 3 + c]) }, x)
            }
        }
        for y in 0..<height {
            for x in 0..<width {
                result.pixels[(y * width + x) * 3 + c] = pass(
                    image.height, height, { Double(middle.pixels[($0 * width + x) * 3 + c]) }, y)
            }
        }
    }
    return result
}

func noise(_ width: Int, _ height: Int, seed: UInt64 = 1) -> Image {
    var random = SeededGenerator(seed: seed)
    return Image(width: width, height: height, pixels: (0..<width * height * 3).map { _ in .random(in: 0...255, using: &random) })
}

@Suite struct ResamplingTests {
    @Test(arguments: [(50, 37, 23, 19), (13, 17, 40, 33), (31, 9, 31, 4), (3, 3, 1, 1), (97, 5, 7, 5)])
    func equalsTheDefinition(_ w: Int, _ h: Int, _ width: Int, _ height: Int) {
        let image = noise(w, h)
        let triangle = { (x: Double) in max(0, 1 - abs(x)) }
        let cubic = { (d: Double) -> Double in
            let x = abs(d)
            if x < 1 { return 1.5 * x * x * x - 2.5 * x * x + 1 }
            return x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0
        }
        for (interpolation, filter, support) in [(Interpolation.bilinear, triangle, 1.0), (.bicubic, cubic, 2.0)] {
            let fast = image.resized(width: width, height: height, interpolation: interpolation)
            let slow = slowResize(image, width, height, filter, support: support)
            // The fixed-point weights may round a value that lies on a half differently from floating point.
            let differing = zip(fast.pixels, slow.pixels).filter { abs(Int($0) - Int($1)) > 0 }
            #expect(differing.allSatisfy { abs(Int($0) - Int($1)) == 1 })
            #expect(differing.count <= fast.pixels.count / 100, "\(interpolation) \(w)×\(h) → \(width)×\(height)")
        }
    }

    @Test func constantStaysConstant() {
        let image = Image(width: 41, height: 29, fill: Color(200, 1, 255))
        for interpolation in Interpolation.allCases {
            let resized = image.resized(width: 17, height: 60, interpolation: interpolation)
            #expect(resized == Image(width: 17, height: 60, fill: Color(200, 1, 255)), "\(interpolation)")
        }
    }

    @Test func nearestTakesThePixelUnderTheCentre() {
        let image = noise(6, 4)
        let half = image.resized(width: 3, height: 2, interpolation: .nearest)
        for y in 0..<2 { for x in 0..<3 { #expect(half[x, y] == image[2 * x + 1, 2 * y + 1]) } }
    }

    /// A picture whose height shrinks by more than twice what its width does is resized down its columns first, as Pillow 13 does it.
    @Test func highPicturesEqualPillow() {
        let pixels = (0..<61 * 147 * 3).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 &+ $0 &* 7 &+ $0 / 183) }
        let image = Image(width: 61, height: 147, pixels: pixels)
        for (interpolation, width, height, hash) in highHashes {
            let resized = image.resized(width: width, height: height, interpolation: interpolation)
            #expect(digest(resized.pixels).hasPrefix(hash), "\(interpolation) to \(width)×\(height)")
        }
    }

    /// The order follows the size of the resized picture, not that of the crop, and only the order that older stores have is another.
    @Test func cropsOfHighPictures() throws {
        let image = noise(40, 160)
        let bytes = try image.pngData()
        func read(_ order: PassOrder) throws -> Image {
            let framing = Framing(
                resize: .exact(width: 30, height: 50), crop: Size(width: 20, height: 16), passOrder: order)
            return try bytes.withUnsafeBytes { try ImageReader().read($0, framing: framing).image }
        }
        let whole = image.resized(width: 30, height: 50)
        #expect(try read(.adaptive) == whole.cropped(columns: 5..<25, rows: 17..<33))
        #expect(try read(.horizontalFirst) != read(.adaptive))
        let near = zip(try read(.horizontalFirst).pixels, try read(.adaptive).pixels).map { abs(Int($0) - Int($1)) }
        #expect(near.max() == 1)
    }

    /// Pillow 13's bytes for a picture of a simple formula, so that bit identity is tested without shared data.
    @Test func equalsPillow() {
        let pixels = (0..<61 * 47 * 3).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 &+ $0 &* 7 &+ $0 / 183) }
        let image = Image(width: 61, height: 47, pixels: pixels)
        for (interpolation, width, height, hash) in pillowHashes {
            let resized = image.resized(width: width, height: height, interpolation: interpolation)
            #expect(digest(resized.pixels).hasPrefix(hash), "\(interpolation) to \(width)×\(height)")
        }
    }
}

/// By Pillow 13.0: `Image.frombytes("RGB", (61, 47), …).resize(size, filter)`, the first 16 digits of the SHA-256 of its bytes.
private let pillowHashes: [(Interpolation, Int, Int, String)] = [
    (.nearest, 23, 19, "e78b7a79d13722e4"),
    (.nearest, 150, 101, "7d9fe03767ede32e"),
    (.nearest, 61, 20, "9768102dac84d7cd"),
    (.nearest, 20, 47, "00d4fb7dae5b2095"),
    (.nearest, 7, 90, "4b520d7947621844"),
    (.box, 23, 19, "6734b8513ca1dc1f"),
    (.box, 150, 101, "7d9fe03767ede32e"),
    (.box, 61, 20, "6bf5c387d3860711"),
    (.box, 20, 47, "7ed708729213f0a8"),
    (.box, 7, 90, "983335ff1c5ac882"),
    (.bilinear, 23, 19, "c19b8d16f3968efc"),
    (.bilinear, 150, 101, "75158b0cf0361a21"),
    (.bilinear, 61, 20, "37f474df0cff4140"),
    (.bilinear, 20, 47, "7d0917412d13a7db"),
    (.bilinear, 7, 90, "17d98730af6bdb0d"),
    (.bicubic, 23, 19, "5136e57f6d552f99"),
    (.bicubic, 150, 101, "671608423331960e"),
    (.bicubic, 61, 20, "91d677634f6d5ddd"),
    (.bicubic, 20, 47, "4d103aaa1f8bc538"),
    (.bicubic, 7, 90, "022daf3baef7b0f7"),
    (.lanczos, 23, 19, "f795198175527242"),
    (.lanczos, 150, 101, "61a828e2be64173d"),
    (.lanczos, 61, 20, "654619763cf28da9"),
    (.lanczos, 20, 47, "3241fdb86b35ff44"),
    (.lanczos, 7, 90, "28d377582d5df53d"),
]

/// By Pillow 13.0, as above, of a picture of 61×147 pixels.
private let highHashes: [(Interpolation, Int, Int, String)] = [
    (.bilinear, 55, 20, "1e65a67a9ce66843"),
    (.bilinear, 61, 20, "31acccd3b77a1050"),
    (.bilinear, 20, 47, "749ee4809fa71671"),
    (.bilinear, 90, 30, "c5f354af18426f0e"),
    (.bilinear, 7, 38, "d19395c950b6b73a"),
    (.bilinear, 7, 40, "5673893fde40083e"),
    (.bicubic, 55, 20, "a5c14f52459f9758"),
    (.bicubic, 61, 20, "085e4f8e18c356e2"),
    (.bicubic, 20, 47, "77e1797039aca25e"),
    (.bicubic, 90, 30, "af3c6bdb671b3037"),
    (.bicubic, 7, 38, "8a055fe8ee4c2718"),
    (.bicubic, 7, 40, "e1f1e40c1213688d"),
    (.box, 55, 20, "60973401e6bab8dc"),
    (.box, 61, 20, "825801902244eb2e"),
    (.box, 20, 47, "3adf91412a7c10d8"),
    (.box, 90, 30, "3fa9c7f63f7c21a8"),
    (.box, 7, 38, "74f47182b0d3510e"),
    (.box, 7, 40, "71ba3a15f9afc6ee"),
    (.lanczos, 55, 20, "53f2bbf573c5cc6a"),
    (.lanczos, 61, 20, "86b550c2a350ad2c"),
    (.lanczos, 20, 47, "54d92a6de47b2f49"),
    (.lanczos, 90, 30, "fa8043fcc0664675"),
    (.lanczos, 7, 38, "6c52ac7cf95700d4"),
    (.lanczos, 7, 40, "21953d52631ca627"),
]
