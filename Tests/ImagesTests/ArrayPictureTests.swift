import Foundation
import Images
import TestSupport
import Testing

/// NumPy arrays as pictures: which axis is which, what the network sees, and what is drawn.
@Suite struct ArrayPictureTests {
    private func framed(_ data: Data, _ framing: Framing) throws -> FramedImage {
        let bytes = [UInt8](data)
        return try bytes.withUnsafeBytes { try ImageReader().read($0, framing: framing) }
    }

    private func raw(_ channels: Int, _ height: Int, _ width: Int) -> Preprocessing {
        Preprocessing(.raw, input: Size(width: width, height: height), channelCount: channels)
    }

    private func tensor(_ data: Data, _ recipe: Preprocessing) throws -> [Float] {
        recipe.tensor(from: try framed(data, recipe.framing).image)
    }

    private func refusal(_ data: Data, _ recipe: Preprocessing) -> String {
        do {
            _ = try framed(data, recipe.framing)
            return "read"
        } catch { return (error as? ImageError)?.reason ?? "\(error)" }
    }

    /// Channel × 100 + row × 10 + column, of 4 channels of 2 rows and 3 columns; as a network sees it, the channels together.
    private static func number(_ channel: Int, _ y: Int, _ x: Int) -> Double { Double(100 * channel + 10 * y + x) }
    private static let planes = (0..<4).flatMap { c in (0..<2).flatMap { y in (0..<3).map { x in number(c, y, x) } } }
    private static let pixels = (0..<2).flatMap { y in (0..<3).flatMap { x in (0..<4).map { c in number(c, y, x) } } }

    @Test func channelsAreFirstOrLast() throws {
        let recipe = raw(4, 2, 3)
        let wanted = Self.pixels.map { Float($0) }
        for (numbers, shape) in [(Self.planes, [4, 2, 3]), (Self.pixels, [2, 3, 4]), (Self.planes, [1, 4, 2, 3])] {
            #expect(try tensor(NumpyFile.data(numbers, shape: shape), recipe) == wanted, "\(shape)")
        }
        // Both axes could be the channels: the first is.
        let cube = (0..<4 * 2 * 4).map { Double($0) }
        let seen = try tensor(NumpyFile.data(cube, shape: [4, 2, 4]), raw(4, 2, 4))
        #expect(Array(seen.prefix(4)) == [0, 8, 16, 24])
        // The order of Fortran.
        let turned = (0..<3).flatMap { x in (0..<2).flatMap { y in (0..<4).map { c in Self.number(c, y, x) } } }
        #expect(try tensor(NumpyFile.data(turned, shape: [4, 2, 3], isFortran: true), recipe) == wanted)
        #expect(try tensor(NumpyFile.data([1, 2, 3, 4], shape: [2, 2]), raw(1, 2, 2)) == [1, 2, 3, 4])
    }

    @Test func numbersOfAllKindsAreKept() throws {
        func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        let kinds: [(String, (Double) -> [UInt8])] = [
            ("<f4", { little(Float($0).bitPattern) }), (">f4", { little(Float($0).bitPattern).reversed() }),
            ("<f2", { little(Float16($0).bitPattern) }), ("<i2", { little(Int16($0)) }),
            (">i4", { little(Int32($0)).reversed() }),
            ("<i8", { little(Int64($0)) }), ("|i1", { little(Int8($0)) }), ("<f8", { little($0.bitPattern) }),
        ]
        for (kind, encode) in kinds {
            let data = NumpyFile.data([-3, 0, 7, 120], shape: [2, 2], kind: kind, encode: encode)
            #expect(try tensor(data, raw(1, 2, 2)) == [-3, 0, 7, 120], "\(kind)")
        }
        let fine = NumpyFile.data([0.125, 1e-3, -2.5, 65504], shape: [2, 2], kind: "<f4") { little(Float($0).bitPattern) }
        #expect(try tensor(fine, raw(1, 2, 2)) == [0.125, 1e-3, -2.5, 65504])
    }

    /// Black and white of an array are the ends of its own numbers, for what covers a part of it; those of a picture are 0 and 255.
    @Test func shades() throws {
        var recipe = raw(1, 2, 2)
        (recipe.mean, recipe.deviation) = ([1], [2])
        func shades(_ image: Image) -> [Float] { [0, 51, 255].flatMap { recipe.values(ofShade: $0, in: image) } }
        let array = NumpyFile.data([-1, 0, 1, 4], shape: [2, 2])
        #expect(try shades(framed(array, recipe.framing).image) == [-1, -0.5, 1.5])
        let flat = NumpyFile.data([7, 7, 7, 7], shape: [2, 2])
        #expect(try shades(framed(flat, recipe.framing).image) == [3, 3, 3])
        #expect(shades(Image(width: 2, height: 2, fill: .black)) == [-0.5, 25, 127])
    }

    /// Bytes are divided as pixels are, other numbers are not; mean and deviation are of both.
    @Test func whatTheRecipeDoes() throws {
        var recipe = raw(1, 1, 2)
        (recipe.divisor, recipe.mean, recipe.deviation) = (255, [0.5], [0.25])
        let bytes = NumpyFile.data([0, 255], shape: [1, 2], kind: "|u1") { [UInt8($0)] }
        #expect(try tensor(bytes, recipe) == [-2, 2])
        #expect(try tensor(NumpyFile.data([0, 255], shape: [1, 2]), recipe) == [-2, 1018])
    }

    /// What Pillow 13 makes of a picture of floats.
    @Test func resizesAreThoseOfPillow() throws {
        let numbers = (0..<35).map { (index: Int) -> Double in
            let (square, rest) = (Double(index * index % 11), Double(index % 3))
            return square - 3 + rest / 4
        }
        let array = NumpyFile.data(numbers, shape: [5, 7])
        let wanted: [(Interpolation, [Float])] = [
            (
                .bilinear,
                [
                    0.43367344, 1.7757143, 0.74714285, 0.045918368, 2.755291, 0.4344445, 1.758889, 2.2103174, -0.13435374,
                    1.8185714,
                    1.1385715, -0.712585,
                ]
            ),
            (
                .bicubic,
                [
                    0.45586666, 2.0581622, 0.6285678, -0.10634156, 3.118637, -0.042628493, 1.7942424, 2.5178423, -0.40275174,
                    1.9658703, 1.365842, -0.8420238,
                ]
            ),
            (
                .lanczos,
                [
                    0.5746193, 2.425088, 0.31935075, -0.30208063, 3.3326387, -0.47682837, 1.8618225, 2.752674, -0.68786573,
                    1.996232,
                    1.6428584, -0.84093225,
                ]
            ), (.box, [1, 1.6875, -0.125, -0.0625, 4.25, 0.375, 2, 3.875, -0.5, 1.6875, 2.375, -0.5625]),
            (.nearest, [-3, 1.5, 2.25, 0, 6.5, 0.25, 2, 1.5, 0.25, 6, -1.5, -1.75]),
        ]
        for (filter, values) in wanted {
            var recipe = raw(1, 3, 4)
            recipe.interpolation = filter
            let seen = try tensor(array, recipe)
            #expect(zip(seen, values).allSatisfy { abs($0 - $1) < 2e-6 } && seen.count == 12, "\(filter): \(seen)")
        }
        let larger = try tensor(array, raw(1, 6, 9)).prefix(4)
        #expect(zip(larger, [-3, -2.1666667, -0.30555555, 2.5] as [Float]).allSatisfy { abs($0 - $1) < 2e-6 })
        // Halved by OpenCV's filter: means of four.
        var halved = raw(1, 1, 2)
        halved.interpolation = .opencv
        #expect(try tensor(NumpyFile.data([0, 2, 4, 8, 4, 2, 0, 4], shape: [2, 4]), halved) == [2, 4])
    }

    @Test func paddingIsZero() throws {
        var recipe = raw(2, 4, 4)
        recipe.resize = .letterbox(.center)
        let framed = try framed(NumpyFile.data([Double](repeating: -5, count: 16), shape: [2, 2, 4]), recipe.framing)
        let seen = recipe.tensor(from: framed.image)
        #expect(
            seen.prefix(8).allSatisfy { $0 == 0 } && seen[8..<24].allSatisfy { $0 == -5 } && seen.suffix(8).allSatisfy { $0 == 0 }
        )
        #expect(framed.picture.height == 2 && framed.picture.width == 4)
    }

    /// From the smallest number, black, to the largest, white; of two channels the first, of more the first three.
    @Test func whatIsDrawn() throws {
        let one = try framed(NumpyFile.data([-1, 0, .nan, 1], shape: [2, 2]), raw(1, 2, 2).framing).image
        #expect(one.pixels == [0, 0, 0, 128, 128, 128, 0, 0, 0, 255, 255, 255])
        let two = try framed(NumpyFile.data([3, 5, 100, 0], shape: [2, 1, 2]), raw(2, 1, 2).framing).image
        #expect(two.pixels == [0, 0, 0, 255, 255, 255])
        let four = try framed(NumpyFile.data([0, 5, 10, 1000], shape: [4, 1, 1]), raw(4, 1, 1).framing).image
        #expect(four.pixels == [0, 128, 255])
        let even = try framed(NumpyFile.data([7, 7], shape: [1, 2]), raw(1, 1, 2).framing).image
        #expect(even.pixels == [0, 0, 0, 0, 0, 0])
        var drawn = four
        drawn[0, 0] = .white
        #expect(four.samples != nil && drawn.samples == nil)
    }

    @Test func refusals() throws {
        let recipe = raw(4, 2, 3)
        let planes = NumpyFile.data(Self.planes, shape: [4, 2, 3])
        #expect(
            refusal(planes, raw(5, 8, 8))
                == "is a NumPy array of 4×2×3, and here it takes one of 5×rows×columns or rows×columns×5")
        #expect(refusal(NumpyFile.data(Self.planes, shape: [8, 3]), recipe).contains("is a NumPy array of 8×3, "))
        #expect(refusal(NumpyFile.data(Self.planes, shape: [24]), recipe).contains("of 24, "))
        #expect(refusal(NumpyFile.data([], shape: [4, 0, 3]), recipe).contains("of 4×0×3, "))
        #expect(refusal(NumpyFile.data([1], shape: []), recipe).contains("of no axes, "))
        #expect(refusal(planes.prefix(planes.count - 1), recipe).contains("it is cut off"))
        #expect(refusal(planes.prefix(40), recipe).contains("cut off"))
        #expect(refusal(NumpyFile.data([1], shape: [1, 1], kind: "<c16"), recipe).contains("'<c16'"))
        let photo = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("awkward/grey.jpg")))
        #expect(
            refusal(photo, recipe)
                == "is a JPEG image, of 3 channels at most, and the network takes 4: give it arrays (.npy) of 4×rows×columns")
    }

    /// A recipe of bands is written and read as any.
    @Test func recipesHaveBands() throws {
        var recipe = raw(5, 8, 6)
        recipe.mean[4] = 2
        let again = try Preprocessing(json: try recipe.canonicalJSON())
        #expect(again == recipe && again.channelCount == 5 && again.channels == .bands)
        #expect(recipe.summary.contains("5 bands"))
    }
}
