import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// ⟨A x, y⟩ = ⟨x, Aᵀ y⟩ for everything linear, and derivatives beside central differences for what is not.
struct AscentLinearTests {
    static let sizes = [(12, 20, 3), (7, 7, 1), (1, 5, 3), (13, 8, 3)]

    private func numbers(_ count: Int, _ seed: UInt64) -> [Float] {
        var noise = GaussianNoise(seed: seed)
        return (0..<count).map { _ in noise.next() }
    }

    private func product(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } }

    private func expectAdjoint(_ count: Int, _ what: String, _ forward: ([Float]) -> [Float], _ back: ([Float]) -> [Float]) {
        let (x, y) = (numbers(count, 1), numbers(count, 2))
        let (left, right) = (product(forward(x), y), product(x, back(y)))
        let scale = (product(forward(x), forward(x)) * product(y, y)).squareRoot()
        #expect(abs(left - right) < 1e-5 * max(scale, 1e-9), "\(what): \(left) and \(right)")
    }

    @Test(arguments: sizes) func hartley(height: Int, width: Int, channels: Int) {
        let transform = HartleyTransform(height: height, width: width, channels: channels)
        let count = height * width * channels
        expectAdjoint(count, "hartley", { transform($0) }, { transform($0) })
        let x = numbers(count, 3)
        #expect(relativeDistance(transform(transform(x)), x) < 1e-5)
        // The definition, term by term.
        func cas(_ k: Int, _ n: Int, _ length: Int) -> Double {
            let angle = 2 * Double.pi * Double(k * n) / Double(length)
            return (cos(angle) + sin(angle)) / Double(length).squareRoot()
        }
        var expected = [Float](repeating: 0, count: count)
        for k in 0..<height {
            for l in 0..<width {
                for c in 0..<channels {
                    var sum = 0.0
                    for y in 0..<height {
                        for z in 0..<width {
                            sum += Double(x[(y * width + z) * channels + c]) * cas(k, y, height) * cas(l, z, width)
                        }
                    }
                    expected[(k * width + l) * channels + c] = Float(sum)
                }
            }
        }
        #expect(relativeDistance(transform(x), expected) < 1e-5)
    }

    @Test(arguments: sizes) func views(height: Int, width: Int, channels: Int) {
        var random = GaussianNoise(seed: 4)
        let count = height * width * channels
        for (jitter, scale, rotation) in [(3, 0, 0), (0, 0.2, 0), (0, 0, 30), (4, 0.3, 180)] as [(Int, Float, Float)] {
            let view = View(
                height: height, width: width, channels: channels, jitter: jitter, scale: scale, rotation: rotation,
                random: &random)
            expectAdjoint(count, "\(view)", view.apply, view.adjoint)
        }
        let still = View(height: height, width: width, channels: channels)
        let x = numbers(count, 5)
        #expect(still.apply(x) == x && still.adjoint(x) == x)
    }

    /// A shift by whole pixels moves them and changes none.
    @Test func shift() {
        var view = View(height: 4, width: 5, channels: 1)
        (view.shiftY, view.shiftX) = (1, -1)
        let x = (0..<20).map { Float($0) }
        let seen = view.apply(x)
        #expect(Array(seen[0..<5]) == [5, 5, 6, 7, 8])
        #expect(Array(seen[15..<20]) == [15, 15, 16, 17, 18])
    }

    @Test(arguments: sizes) func blur(height: Int, width: Int, channels: Int) {
        let blur = GaussianBlur(height: height, width: width, channels: channels, deviation: 1.3)
        let count = height * width * channels
        expectAdjoint(count, "blur", blur.apply, blur.apply)
        let flat = blur.apply([Float](repeating: 2, count: count))
        #expect(flat.allSatisfy { abs($0 - 2) < 1e-5 })
        let x = numbers(count, 6)
        #expect(GaussianBlur(height: height, width: width, channels: channels, deviation: 0).apply(x) == x)
    }

    static let preprocessings = [
        Preprocessing(.torchvision, input: Size(width: 20, height: 12)), Preprocessing(.caffe, input: Size(width: 9, height: 9)),
        Preprocessing(.plain, input: Size(width: 7, height: 5)),
        Preprocessing(.plain, input: Size(width: 6, height: 6), channelCount: 1),
        Preprocessing(
            resize: .none, crop: Size(width: 8, height: 8), channels: .rgb, mean: [0.1, 0.5, 0.9], deviation: [0.3, 0.2, -0.4]),
    ]

    @Test(arguments: preprocessings) func fourier(_ preprocessing: Preprocessing) {
        let fourier = FourierParametrisation(preprocessing)
        let count = preprocessing.valueCount
        expectAdjoint(count, "waves", fourier.waves, fourier.wavesAdjoint)
        expectAdjoint(
            count, "colours", { fourier.mix($0, by: fourier.colors) }, { fourier.mix($0, by: fourier.colors, isTransposed: true) }
        )
        // The derivative of the whole along a random direction.
        let (at, direction, weight) = (numbers(count, 7).map { 0.3 * $0 }, numbers(count, 8), numbers(count, 9))
        let step: Float = 1e-2
        let ahead = fourier.tensor(zip(at, direction).map { $0 + step * $1 })
        let behind = fourier.tensor(zip(at, direction).map { $0 - step * $1 })
        let expected = (product(ahead, weight) - product(behind, weight)) / Double(2 * step)
        let found = product(fourier.gradient(weight, at: at), direction)
        #expect(abs(found - expected) < 1e-2 * max(abs(expected), 1), "\(found) and \(expected)")
    }

    /// Any parameters make a picture whose 8-bit form is legal, and parameters of a tensor make the tensor again.
    @Test(arguments: preprocessings) func pictures(_ preprocessing: Preprocessing) {
        let count = preprocessing.valueCount
        let table = preprocessing.table
        let channels = preprocessing.channelCount
        for parametrisation in [PixelParametrisation(preprocessing), FourierParametrisation(preprocessing)]
            as [any Parametrisation]
        {
            var wild = numbers(count, 10).map { 100 * $0 }
            parametrisation.project(&wild)
            let tensor = parametrisation.tensor(wild)
            for index in tensor.indices {
                let ends = [table[index % channels * 256], table[index % channels * 256 + 255]]
                let slack: Float = 1e-4 * abs(ends[1] - ends[0])
                #expect(tensor[index] >= (ends.min() ?? 0) - slack && tensor[index] <= (ends.max() ?? 0) + slack)
            }
            // Levels away from black and white, which the logistic function only comes near to.
            var random = SeededGenerator(seed: 11)
            let levels = (0..<count).map { _ in Int.random(in: 10...245, using: &random) }
            let legal = levels.enumerated().map { table[$0.offset % channels * 256 + $0.element] }
            #expect(relativeDistance(parametrisation.tensor(parametrisation.parameters(of: legal)), legal) < 1e-3)
        }
        // Every 8-bit picture comes back exactly.
        var random = SeededGenerator(seed: 12)
        let pixels = (0..<preprocessing.crop.width * preprocessing.crop.height).flatMap { _ -> [UInt8] in
            let color = [
                UInt8.random(in: 0...255, using: &random), .random(in: 0...255, using: &random),
                .random(in: 0...255, using: &random),
            ]
            return channels == 1 ? [color[0], color[0], color[0]] : color
        }
        let image = Image(width: preprocessing.crop.width, height: preprocessing.crop.height, pixels: pixels)
        #expect(preprocessing.picture(of: preprocessing.tensor(from: image)) == image)
    }

    @Test func regularizers() {
        let (height, width, channels) = (6, 5, 3)
        let count = height * width * channels
        let (x, direction) = (numbers(count, 13), numbers(count, 14))
        let variation = TotalVariation(weight: 0.7, height: height, width: width, channels: channels)
        let norm = SquaredNorm(weight: 0.3)
        let step: Float = 1e-2
        let (ahead, behind) = (zip(x, direction).map { $0 + step * $1 }, zip(x, direction).map { $0 - step * $1 })
        for (name, value, subtract) in [
            ("variation", variation.value, variation.subtract), ("norm", norm.value, norm.subtract),
        ] as [(String, ([Float]) -> Double, (inout [Float], [Float]) -> Void)] {
            var gradient = [Float](repeating: 0, count: count)
            subtract(&gradient, x)
            let expected = (value(ahead) - value(behind)) / Double(2 * step)
            #expect(abs(-product(gradient, direction) - expected) < 3e-3 * abs(expected), "\(name)")
        }
        #expect(variation.value([Float](repeating: 3, count: count)) == 0)
    }

    @Test func diversity() {
        let diversity = Diversity(channels: 4, weight: 2)
        let maps = (0..<3).map { numbers(24, 15 + UInt64($0)) }
        let (_, gradients) = diversity.penalty(maps)
        for index in maps.indices {
            let direction = numbers(24, 20)
            let step: Float = 1e-2
            let values = [step, -step].map { sign in
                var moved = maps
                for k in 0..<24 { moved[index][k] += sign * direction[k] }
                return diversity.penalty(moved).value
            }
            let expected = (values[0] - values[1]) / Double(2 * step)
            #expect(abs(product(gradients[index], direction) - expected) < 1e-2 * max(abs(expected), 0.05))
        }
        // The same picture twice is as alike as can be.
        #expect(abs(diversity.penalty([maps[0], maps[0]]).value - 2) < 1e-5)
    }

    @Test func weakPixels() {
        var x: [Float] = [3, 1, 2, 4]
        WeakPixels.clipSmallNorm(&x, channels: 1, percent: 50)
        #expect(x == [3, 0, 0, 4])
        x = [3, 1, 2, 4]
        WeakPixels.clipSmallContribution(&x, gradient: [0, 9, 1, 1], channels: 1, percent: 25)
        #expect(x == [0, 1, 2, 4])
    }
}
