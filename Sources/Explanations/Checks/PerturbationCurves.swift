import Foundation
import Images
import NeuralNetwork

/// How fast the answer goes when a map's pixels are taken from the picture, and how fast it comes when they are put into a blurred one.
///
/// Petsiuk, Das and Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models", 2018, https://arxiv.org/abs/1806.07421. The
/// pixels go from the largest value of the map's plane to the smallest, in equal steps; of equal ones the first in row-major order.
/// Deletion sets them to zero, which is the mean of the network's training images; insertion begins with the blurred picture. A good map
/// has a small area under its deletion curve and a large one under its insertion curve. Padding around the picture stays as it is.
///
/// How small is small depends on the picture and on how the pixels lie: scattered ones take more from a network than as many in one patch. So
/// the same is done with seeded orders that know nothing of the picture: blocks of pixels at random (`blocks`), and the map itself moved to
/// random places, around the edges (`moved`), which has the map's own grain. Only the latter tells a map from noise: over the pet shop a map of
/// noise had an area of 0.49 below its deletion curve, blocks 0.68, the noise moved 0.49.
public struct PerturbationCurves: Codable, Equatable, Sendable {
    public enum Measure: String, Codable, Sendable {
        /// Of a class; see `ClassProbability`.
        case probability
        /// The target's value by its value on the whole picture, where that is above zero.
        case share
        /// The target's value in its own units, where on the whole picture it is zero or below: no share of it would say which
        /// way is up.
        case value
    }

    public struct Curve: Codable, Equatable, Sendable {
        /// By share of the pixels done, from 0 to 1 in equal steps: one more than there are steps.
        public var values: [Double]
        /// The area below, by the trapezoid rule: the mean value.
        public var area: Double
        /// The mean area of the orders of blocks.
        public var blocksArea: Double
        /// The mean of the moved maps' curves, and its area.
        public var movedValues: [Double]
        public var movedArea: Double
        /// Of each moved map.
        public var movedAreas: [Double]

        /// Whether a better curve has an area below a worse one's: deletion, or above: insertion.
        func isBetter(by precedes: (Double, Double) -> Bool) -> Bool {
            movedAreas.count { precedes(area, $0) } >= movedAreas.count - movedAreas.count / PerturbationCurves.movedMapsToOne
        }
    }

    /// Of as many moved maps one may be as good as the map itself, of fewer none. A map that knows nothing of the picture is better
    /// than eight of nine once in five times; better than their mean it would be every other time.
    static let movedMapsToOne = 9

    public struct Settings: Codable, Equatable, Sendable {
        public var steps = 16
        /// Of blocks.
        public var blockOrders = 1
        public var movedMaps = 9
        public var seed: UInt64 = 0

        public init() {}
    }

    public var measure: Measure
    public var settings: Settings
    public var deletion: Curve
    public var insertion: Curve

    /// A block's side, and the deviation of the blur, is this part of the frame's shorter side: 16 pixels of 224. So blurred, the class is lost:
    /// its probability was 0.20 of 5 classes on pictures of the pet shop, and 0.00 of 1000 on photographs.
    private static let blocksPerSide = 14.0

    /// - Parameter map: stretched over the input frame where it is coarser.
    /// - Throws: `ExplanationError`: `.notFinite` of a map or of a target's value, `.constant` of a map that puts the pixels in
    ///   no order, `.unmoved` where no changed picture changes the target's value.
    /// - Precondition: there is a step, and a random order.
    public init(
        of map: ExplanationMap, subject: InputImage, target: Target, by explainer: Explainer, settings: Settings = Settings()
    ) throws {
        precondition(
            settings.steps >= 1 && settings.blockOrders >= 1 && settings.movedMaps >= 1,
            "a curve has steps and something to stand beside")
        guard map.values.allSatisfy(\.isFinite) else { throw ExplanationError.notFinite(what: "the map to check") }
        guard !map.isConstant else { throw ExplanationError.constant(what: "the map to check") }
        let input = explainer.network.input
        let picture = map.cropped(to: subject.framed.placement)
        guard !picture.isConstant else { throw ExplanationError.constant(what: "the map to check") }
        let side = Self.blockSide(height: input.height, width: input.width)
        let orders = Self.orders(picture.plane, height: picture.height, width: picture.width, side: side, settings)
        let layer = try explainer.layer(of: target)
        let probability = try ClassProbability(of: target, by: explainer)
        let isClass = probability != nil
        let measured = try ExplanationProgress.inPart("deletion and insertion") {
            try Self.measure(
                orders, subject, target, probability?.layer ?? layer, explainer, steps: settings.steps, probability: probability)
        }
        guard measured.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw ExplanationError.notFinite(what: "the value of \(target.text) on a changed picture")
        }
        let whole = measured[0][0]
        guard measured.contains(where: { $0.contains { $0 != whole } }) else {
            throw ExplanationError.unmoved(target: target.text)
        }
        measure = isClass ? .probability : whole > 0 ? .share : .value
        let unit = measure == .share ? whole : 1
        self.settings = settings
        let shares = measured.map { $0.map { $0 / unit } }
        deletion = Self.curve(shares.indices.filter { $0 % 2 == 0 }.map { shares[$0] }, settings)
        insertion = Self.curve(shares.indices.filter { $0 % 2 == 1 }.map { shares[$0] }, settings)
    }

    /// Of the map's values, then those of blocks, then those of moved maps.
    private static func curve(_ all: [[Double]], _ settings: Settings) -> Curve {
        func mean(_ curves: ArraySlice<[Double]>) -> [Double] {
            all[0].indices.map { step in curves.reduce(0) { $0 + $1[step] } / Double(curves.count) }
        }
        let (blocks, moved) = (all[1...settings.blockOrders], all[(1 + settings.blockOrders)...])
        let (blocksMean, movedMean) = (mean(blocks), mean(moved))
        return Curve(
            values: all[0], area: area(all[0]), blocksArea: area(blocksMean), movedValues: movedMean, movedArea: area(movedMean),
            movedAreas: moved.map(area))
    }

    /// The trapezoid rule over 0...1.
    package static func area(_ values: [Double]) -> Double {
        guard values.count > 1 else { return values.first ?? 0 }
        let inner = values.dropFirst().dropLast().reduce(0, +)
        return (inner + (values[0] + values[values.count - 1]) / 2) / Double(values.count - 1)
    }
}

// MARK: - Orders

extension PerturbationCurves {
    /// For each order, when each pixel's turn is: the map's, then those of blocks, then those of moved maps.
    private static func orders(_ plane: [Float], height: Int, width: Int, side: Int, _ settings: Settings) -> [[Int32]] {
        var result = [turns(plane)]
        for index in 0..<settings.blockOrders {
            var random = GaussianNoise(seed: settings.seed, stream: UInt64(2 * index))
            result.append(blockTurns(height: height, width: width, side: side, &random))
        }
        for index in 0..<settings.movedMaps {
            var random = GaussianNoise(seed: settings.seed, stream: UInt64(2 * index + 1))
            let (down, right) = (Int(random.uniform() * Double(height)), Int(random.uniform() * Double(width)))
            let moved = plane.indices.map { pixel in
                plane[(pixel / width + down) % height * width + (pixel % width + right) % width]
            }
            result.append(turns(moved))
        }
        return result
    }

    /// From the largest value to the smallest.
    package static func turns(_ plane: [Float]) -> [Int32] {
        let order = plane.indices.sorted { (plane[$1], $0) < (plane[$0], $1) }
        var turns = [Int32](repeating: 0, count: plane.count)
        for (turn, pixel) in order.enumerated() { turns[pixel] = Int32(turn) }
        return turns
    }

    private static func blockTurns(height: Int, width: Int, side: Int, _ random: inout GaussianNoise) -> [Int32] {
        let across = (width + side - 1) / side
        var priority = [Float](repeating: 0, count: across * ((height + side - 1) / side))
        for index in priority.indices { priority[index] = Float(random.uniform()) }
        return turns((0..<height * width).map { priority[$0 / width / side * across + $0 % width / side] })
    }

    private static func blockSide(height: Int, width: Int) -> Int {
        max(1, Int((Double(min(height, width)) / blocksPerSide).rounded()))
    }
}

// MARK: - Passes

extension PerturbationCurves {
    /// For each order the values of its deletion, then of its insertion.
    private static func measure(
        _ orders: [[Int32]], _ subject: InputImage, _ target: Target, _ layer: Layer, _ explainer: Explainer, steps: Int,
        probability: ClassProbability?
    ) throws -> [[Double]] {
        let (tensor, input) = (subject.tensor, explainer.network.input)
        let side = blockSide(height: input.height, width: input.width)
        let blur = subject.padded(blurred(tensor, height: input.height, width: input.width, deviation: Double(side)))
        let nothing = subject.padded([Float](repeating: 0, count: tensor.count))
        let shown = subject.framed.placement.shown
        let places = shown.rows.flatMap { row in shown.columns.map { row * input.width + $0 } }
        let channels = input.channels
        // Picture, nothing and blur are the ends of all curves; between them each has its own.
        let perCurve = steps - 1
        var ends: [Double] = []
        var between = [[Double]](repeating: [], count: 2 * orders.count)
        try explainer.activations(of: layer, count: 3 + between.count * perCurve) { index, pass in
            guard index >= 3 else {
                switch index {
                case 0: _ = pass.update(fromContentsOf: tensor)
                case 1: _ = pass.update(fromContentsOf: nothing)
                default: _ = pass.update(fromContentsOf: blur)
                }
                return
            }
            let (curve, step) = (index - 3).quotientAndRemainder(dividingBy: perCurve)
            let isDeletion = curve % 2 == 0
            let turns = orders[curve / 2]
            let done = Int32((Double((step + 1) * places.count) / Double(steps)).rounded())
            _ = pass.update(fromContentsOf: tensor)
            for (turn, pixel) in zip(turns, places) where (turn < done) == isDeletion {
                for element in pixel * channels..<(pixel + 1) * channels {
                    pass[element] = isDeletion ? nothing[element] : blur[element]
                }
            }
        } read: {
            probability?.value(of: $0) ?? Double(target.value(of: $0, channels: layer.channels, width: layer.width))
        } body: { index, value in
            if index < 3 { ends.append(value) } else { between[(index - 3) / perCurve].append(value) }
        }
        return between.indices.map { curve in
            curve % 2 == 0 ? [ends[0]] + between[curve] + [ends[1]] : [ends[2]] + between[curve] + [ends[0]]
        }
    }
}
