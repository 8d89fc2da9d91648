import NeuralNetwork
import TestSupport
import Testing
import Walkthrough

struct WalkthroughTests {
    /// The numbers of the command's own example.
    @Test func example() throws {
        let walk = try DeconvolutionWalkthrough(signal: [1, 2, 3, 4, 5, 6, 7, 8], padding: 2, filter: [1, 0, 0, -1], stride: 2)
        #expect(walk.matrix.rows == 5 && walk.matrix.columns == 12)
        #expect(walk.matrix.nested[1] == [0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 0])
        #expect(walk.output == [-2, -3, -3, -3, 7])
        #expect((walk.matrix * walk.matrix.transposed).multipleOfIdentity == 2)
        #expect(walk.transposed == [-2, 0, -3, 2, -3, 3, -3, 3, 7, 3, 0, -7])
        #expect(walk.spread == [-2, 0, -3, 0, -3, 0, -3, 0, 7])
        #expect(walk.subpixel == walk.transposed)
        #expect(try walk.text().contains("It is 2 I"))
    }

    /// Wᵀ y, sub-pixel convolution and the engine's kernel agree on every shape, strides that leave something over included.
    @Test func threeWays() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<400 {
            let padding = Int.random(in: 0...4, using: &random)
            let signal = (0..<Int.random(in: 1...24, using: &random)).map { _ in Double(Int.random(in: -9...9, using: &random)) }
            let filter = (0..<Int.random(in: 1...min(7, signal.count + 2 * padding), using: &random)).map { _ in
                Double(Int.random(in: -9...9, using: &random))
            }
            let stride = Int.random(in: 1...5, using: &random)
            let walk = try DeconvolutionWalkthrough(signal: signal, padding: padding, filter: filter, stride: stride)
            let shape = "\(signal.count) numbers, padding \(padding), filter \(filter.count), stride \(stride)"
            #expect(walk.subpixel == walk.transposed, "\(shape)")
            // Whole numbers this small are exact in float32 too.
            #expect(try walk.engine().map { Double($0) } == walk.cropped, "\(shape)")
        }
    }

    @Test func pooling() throws {
        let input = try Numbers.matrix("1,2,3,4,5;6,9,8,7,6;5,4,3,2,1;0,1,2,3,4;5,6,7,8,9", name: "--input")
        let walk = try PoolingWalkthrough(input: input, size: 3, stride: 2)
        #expect(walk.pooled.values == [9, 8, 7, 9])
        #expect(walk.switches == [6, 7, 22, 24])
        #expect(walk.unpooled.values.reduce(0, +) == 33)
        let overlapping = try PoolingWalkthrough(input: try Numbers.matrix("1,5,2,0", name: "--input"), size: 2, stride: 1)
        #expect(overlapping.pooled.values == [5, 5, 2])
        #expect(overlapping.unpooled.values == [0, 10, 2, 0])
        #expect(overlapping.text.contains("adds up"))
        // A tie goes to the first.
        #expect(try PoolingWalkthrough(input: try Numbers.matrix("3,3;3,3", name: "--input"), size: 2, stride: 2).switches == [0])
    }

    @Test func orthogonality() {
        #expect(Matrix(rows: 2, columns: 2, values: [1, 0, 0, 1]).multipleOfIdentity == 1)
        #expect(Matrix(rows: 2, columns: 2, values: [0.3, 0, 0, 0.3]).multipleOfIdentity == 0.3)
        #expect(Matrix(rows: 2, columns: 2, values: [1, 0.5, 0, 1]).multipleOfIdentity == nil)
        #expect(Matrix(rows: 2, columns: 2, values: [1, 0, 0, 2]).multipleOfIdentity == nil)
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "0"), (2, "2"), (-7, "-7"), (0.5, "0.5"), (1.0 / 3, "0.33333"), (-12.25, "-12.25"), (1e9, "1e+09"),
        ] as [(Double, String)]) func numbers(value: Double, text: String)
    {
        #expect(Matrix.text(value) == text)
    }

    @Test func nonsense() {
        #expect(throws: WalkthroughError.count(name: "--stride", value: 0, least: 1, most: 64)) {
            try DeconvolutionWalkthrough(signal: [1, 2], padding: 0, filter: [1], stride: 0)
        }
        #expect(throws: WalkthroughError.filterTooLong(filter: 3, padded: 2)) {
            try DeconvolutionWalkthrough(signal: [1, 2], padding: 0, filter: [1, 2, 3], stride: 1)
        }
        #expect(throws: WalkthroughError.self) { try Numbers.list("1,a", name: "--filter") }
        #expect(throws: WalkthroughError.self) { try Numbers.list("1,,2", name: "--filter") }
        #expect(throws: WalkthroughError.self) { try Numbers.list("inf", name: "--filter") }
        #expect(throws: WalkthroughError.ragged) { try Numbers.matrix("1,2;3", name: "--input") }
        #expect(throws: WalkthroughError.self) {
            try PoolingWalkthrough(input: Matrix(rows: 2, columns: 2, values: [1, 2, 3, 4]), size: 3, stride: 1)
        }
    }

    /// The formulas of the small network against each other: differences of the score, its mean map, and a rising objective.
    @Test func smallNetwork() throws {
        let network = try SmallNetwork(picture: try Numbers.matrix(SmallNetwork.examplePicture, name: "--input"))
        let gradient = network.gradient(network.picture)
        for place in gradient.values.indices {
            var (up, down) = (network.picture, network.picture)
            up.values[place] += 1e-4
            down.values[place] -= 1e-4
            #expect(abs((network.score(up) - network.score(down)) / 2e-4 - gradient.values[place]) < 1e-6, "\(place)")
        }
        let map = network.classMap
        #expect(abs(map.values.reduce(0, +) / Double(map.values.count) - network.score(network.picture)) < 1e-12)
        let losses = network.losses(side: 2)
        #expect(losses.rows == 3 && network.occlusion(side: 2)[0, 0] == losses[0, 0])
        #expect(
            abs(network.occlusion(side: 2)[1, 1] - losses.values[0...1].reduce(0, +) / 4 - losses.values[3...4].reduce(0, +) / 4)
                < 1e-12)
        let objectives = network.ascent(steps: 8, rate: 0.5, decay: 0.05).map { network.objective($0, decay: 0.05) }
        #expect(zip(objectives, objectives.dropFirst()).allSatisfy { $0 < $1 })
        #expect(network.saliencyText.contains("∂s/∂x") && network.classMapText.contains("which is s ="))
        #expect(throws: WalkthroughError.pictureSize(rows: 1, columns: 3, most: 12)) {
            try SmallNetwork(picture: try Numbers.matrix("1,2,3", name: "--input"))
        }
    }

    /// Rows of Wᵀ at the ends hold fewer of the filter's numbers, also where these are zeros.
    @Test func partialRowsAreMarked() throws {
        let walk = try DeconvolutionWalkthrough(signal: (1...8).map { Double($0) }, padding: 2, filter: [1, 2, 3, 4], stride: 2)
        let text = try walk.text()
        #expect(text.split(separator: "← partial: 1 of 2").count == 5)
        #expect(text.contains("= ⌊(8 + 2·2 − 4) / 2⌋ + 1 = 5"))
        let whole = try DeconvolutionWalkthrough(signal: [1, 2, 3, 4], padding: 0, filter: [1, 2], stride: 2)
        #expect(try !whole.text().contains("partial"))
    }
}
