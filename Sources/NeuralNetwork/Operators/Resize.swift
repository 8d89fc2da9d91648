import CKernels
import Foundation

/// `Resize` and `Upsample` of a map's height and width: nearest, linear and cubic, with or without antialiasing.
///
/// Along each axis every result is a weighted sum of a few elements; the map's is the product of both.
/// https://onnx.ai/onnx/operators/onnx__Resize.html
struct Resize: ChannelsFirst {
    static let names = ["Resize", "Upsample"]

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        remapped(inputs, to: output)
    }

    private let axes: [ResizedAxis]
    private let shape: [Int]

    init(_ node: NodeReader) throws {
        let source = node.input(0)?.shape ?? []
        guard source.count == 4 else { throw Refusal("resizes a tensor of shape \(source); neurodex resizes maps") }
        let isUpsample = node.operatorType == "Upsample"
        let place = node.opset < 11 ? 1 : 2
        let scales = try isUpsample && node.has("scales") ? node.floats("scales") : node.constant(place, "scales")?.floats
        let sizes = try isUpsample ? nil : node.constant(3, "sizes")?.integers
        let named = node.ints("axes")?.map { $0 < 0 ? $0 + 4 : $0 } ?? [0, 1, 2, 3]
        guard named.allSatisfy({ (0..<4).contains($0) }) else { throw Refusal("resizes axes \(named) of 4") }
        var (factors, extents) = ([Double](repeating: 1, count: 4), source)
        if let sizes, !sizes.isEmpty {
            guard sizes.count == named.count, sizes.allSatisfy({ (1..<1 << 24).contains($0) }) else {
                throw Refusal("has sizes \(sizes) for \(named.count) axes")
            }
            for (axis, size) in zip(named, sizes) { (extents[axis], factors[axis]) = (size, Double(size) / Double(source[axis])) }
            let policy = node.string("keep_aspect_ratio_policy", default: "stretch")
            if policy != "stretch" {
                let all = named.map { factors[$0] }
                let factor = (policy == "not_larger" ? all.min() : all.max()) ?? 1
                for axis in named { (extents[axis], factors[axis]) = (Int((factor * Double(source[axis])).rounded()), factor) }
            }
        } else if let scales, !scales.isEmpty {
            guard scales.count == named.count, scales.allSatisfy({ $0 > 0 && $0 < 65536 }) else {
                throw Refusal("has scales \(scales) for \(named.count) axes")
            }
            for (axis, scale) in zip(named, scales) {
                // In single precision, where 0.45 of 20 is 9.
                (extents[axis], factors[axis]) = (Int((scale * Float(source[axis])).rounded(.down)), Double(scale))
            }
        } else {
            throw Refusal("does not say how large the result is")
        }
        guard extents[0] == source[0], extents[1] == source[1] else {
            throw Refusal("resizes \(source) to \(extents); neurodex resizes height and width alone")
        }
        guard HostTensor.isReasonable(extents) else { throw Refusal("would make a tensor of shape \(extents) from \(source)") }
        shape = extents
        let rule = try ResizedAxis.Rule(node, isUpsample: isUpsample)
        axes = try [2, 3].map { try ResizedAxis(from: source[$0], to: extents[$0], scale: factors[$0], rule) }
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [shape] }

    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField {
        ReceptiveField(y: axes[0].receptiveField(inputs[0].y), x: axes[1].receptiveField(inputs[0].x))
    }

    /// Calls `body` with the plan, for one image.
    private static func withPlan(_ axes: [ResizedAxis], channels: Int, _ body: (UnsafePointer<ndx_resampling>) -> Void) {
        axes[0].places.withUnsafeBufferPointer { rows in
            axes[1].places.withUnsafeBufferPointer { columns in
                axes[0].weights.withUnsafeBufferPointer { rowWeights in
                    axes[1].weights.withUnsafeBufferPointer { columnWeights in
                        var plan = ndx_resampling(
                            height: axes[0].source, width: axes[1].source, channels: channels, out_height: axes[0].count,
                            out_width: axes[1].count, row_taps: axes[0].taps, column_taps: axes[1].taps, rows: rows.baseAddress,
                            columns: columns.baseAddress, row_weights: rowWeights.baseAddress,
                            column_weights: columnWeights.baseAddress)
                        body(&plan)
                    }
                }
            }
        }
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        let (maps, axes) = (program.batch * source.shape[0], axes)
        let (inner, outer) = (source.count / source.shape[0], destination.count / source.shape[0])
        program.emit(reads: [source], writes: [destination]) { memory in
            let (from, to) = (memory[source], memory[destination])
            return {
                Self.withPlan(axes, channels: source.shape[1]) { plan in
                    for map in 0..<maps { ndx_resample(from + map * inner, to + map * outer, plan) }
                }
            }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        let (maps, axes) = (program.batch * gradient.shape[0], axes)
        try program.contribute(to: node.inputs[0]) { program, target in
            program.emit(reads: [gradient], writes: [target]) { memory in
                let (from, to) = (memory[gradient], memory[target])
                return {
                    Self.withPlan(axes, channels: target.shape[1]) { plan in
                        for map in 0..<maps {
                            ndx_resample_backward(
                                from + map * (gradient.count / gradient.shape[0]), to + map * (target.count / target.shape[0]),
                                plan)
                        }
                    }
                }
            }
        }
    }
}

/// How one axis is resized: for every result the places it is made of, and their weights.
struct ResizedAxis: Sendable {
    /// What the attributes say.
    struct Rule {
        var mode: String
        var coordinates: String
        var rounding: String
        var cubic: Double
        var excludesOutside: Bool
        var antialias: Bool

        init(_ node: NodeReader, isUpsample: Bool) throws {
            mode = node.string("mode", default: "nearest")
            let isOld = isUpsample || node.opset < 11
            coordinates = isOld ? "asymmetric" : node.string("coordinate_transformation_mode", default: "half_pixel")
            rounding = isOld ? "floor" : node.string("nearest_mode", default: "round_prefer_floor")
            cubic = Double(node.float("cubic_coeff_a", default: -0.75))
            excludesOutside = node.int("exclude_outside", default: 0) != 0
            antialias = node.int("antialias", default: 0) != 0
            guard ["nearest", "linear", "cubic"].contains(mode) else { throw Refusal("resizes in mode '\(mode)'") }
            let known = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"]
            guard known.contains(coordinates) else {
                throw Refusal("crops and resizes (coordinate_transformation_mode '\(coordinates)'), which neurodex does not read")
            }
        }
    }

    let source: Int
    let count: Int
    let taps: Int
    /// `count` × `taps`.
    let places: [Int64]
    let weights: [Float]

    init(from source: Int, to count: Int, scale: Double, _ rule: Rule) throws {
        (self.source, self.count) = (source, count)
        guard count > 0, source > 0 else { throw Refusal("resizes \(source) elements to \(count)") }
        let rows = (0..<count).map {
            Self.taps(Double(Self.coordinate($0, source, count, Float(scale), rule)), source, scale, rule)
        }
        let most = rows.map(\.count).max() ?? 1
        taps = most
        places = rows.flatMap { row in (0..<most).map { Int64($0 < row.count ? row[$0].place : 0) } }
        weights = rows.flatMap { row in (0..<most).map { $0 < row.count ? Float(row[$0].weight) : 0 } }
    }

    /// Where result `index` lies among the source's elements. In single precision, as PyTorch and ONNX Runtime have it: 17 / 1.7 is 10 there, and
    /// a little less where 1.7 is the single-precision number and all else is double.
    private static func coordinate(_ index: Int, _ source: Int, _ count: Int, _ scale: Float, _ rule: Rule) -> Float {
        let (x, length) = (Float(index), Float(source))
        switch rule.coordinates {
        // Corner to corner of what there is, whatever length the scale asked for before it was rounded.
        case "align_corners": return count > 1 ? x * (length - 1) / Float(count - 1) : 0
        case "asymmetric": return x / scale
        case "pytorch_half_pixel": return count > 1 ? (x + 0.5) / scale - 0.5 : 0
        case "half_pixel_symmetric":
            // The result's size is rounded; what that cut off is taken from both sides.
            return length / 2 * (1 - Float(count) / (scale * length)) + (x + 0.5) / scale - 0.5
        default: return (x + 0.5) / scale - 0.5
        }
    }

    private static func taps(_ x: Double, _ source: Int, _ scale: Double, _ rule: Rule) -> [(place: Int, weight: Double)] {
        func inside(_ place: Int) -> Int { min(max(place, 0), source - 1) }
        if rule.mode == "nearest" {
            let rounded =
                switch rule.rounding {
                case "floor": x.rounded(.down)
                case "ceil": x.rounded(.up)
                case "round_prefer_ceil": (x + 0.5).rounded(.down)
                default: (x - 0.5).rounded(.up)
                }
            return [(inside(Int(rounded)), 1)]
        }
        // Antialiasing widens the filter to what one element of a smaller result covers.
        let width = rule.antialias ? max(1, 1 / scale) : 1
        let reach = (rule.mode == "linear" ? 1.0 : 2.0) * width
        var found: [(place: Int, weight: Double)] = []
        for place in Int((x - reach).rounded(.down))...Int((x + reach).rounded(.up)) {
            let weight =
                rule.mode == "linear" ? linear((x - Double(place)) / width) : cubic((x - Double(place)) / width, rule.cubic)
            guard weight != 0 else { continue }
            if rule.excludesOutside, !(0..<source).contains(place) { continue }
            found.append((inside(place), weight))
        }
        let sum = found.reduce(0) { $0 + $1.weight }
        return found.map { ($0.place, $0.weight / sum) }
    }

    private static func linear(_ x: Double) -> Double { max(0, 1 - abs(x)) }

    /// Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981.
    private static func cubic(_ x: Double, _ a: Double) -> Double {
        let d = abs(x)
        if d <= 1 { return ((a + 2) * d - (a + 3)) * d * d + 1 }
        return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
    }

    /// What a result sees, on average of all: the field keeps its place in the picture, and its stride shrinks as the map grows.
    func receptiveField(_ input: ReceptiveField.Axis) -> ReceptiveField.Axis {
        var field = input
        field.size += (taps - 1) * input.stride
        field.start += Int(places.first ?? 0) * input.stride
        field.stride = max(1, (input.stride * source + count / 2) / count)
        return field
    }
}
