/// Small detectors of random weights over pictures of 64×64, with a place for each cell of grids of 8×8, 4×4 and 2×2, in the forms that exporters
/// give them.
public struct DetectorModels {
    public static let classes = 3
    /// 64 + 16 + 4.
    public static let places = 84
    /// Column, row and stride of each place.
    public static let cells: [(x: Int, y: Int, stride: Int)] = [8, 16, 32].flatMap { stride in
        (0..<64 / stride).flatMap { y in (0..<64 / stride).map { x in (x, y, stride) } }
    }

    public private(set) var model = ModelBuilder(input: [1, 3, 64, 64])
    private var random: SeededGenerator

    /// Maps of eight channels at the three strides.
    private var features: [String] = []

    public init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        for (level, stride) in [8, 16, 32].enumerated() {
            let map = convolution("features.\(level)", "image", [8, 3, stride, stride], scale: 2 / Double(stride))
            features.append(model.node("Relu", [map]))
        }
    }

    /// Of random weights, in steps of its size.
    private mutating func convolution(_ name: String, _ input: String, _ shape: [Int], scale: Double) -> String {
        let values = SlowTensor(random: shape, using: &random).floats.map { $0 * Float(scale) }
        let weight = model.weight("\(name).weight", shape, values)
        return model.node("Conv", [input, weight], ["strides": [shape[2], shape[2]], "kernel_shape": [shape[2], shape[2]]])
    }

    /// Numbers of all places, [1, channels, 84].
    private mutating func pyramid(_ name: String, _ channels: Int, spread: Double) -> String {
        var parts: [String] = []
        for (level, stride) in [8, 16, 32].enumerated() {
            let map = convolution("\(name).\(level)", features[level], [channels, 8, 1, 1], scale: spread)
            let sides = model.integers([1, channels, 64 / stride * (64 / stride)])
            parts.append(model.node("Reshape", [map, sides]))
        }
        return model.node("Concat", parts, ["axis": 2])
    }

    /// `(first two + offset) * stride` and `exp(last two) * stride` of [1, 4, 84], as the boxes of YOLOX are made.
    private mutating func decoded(_ boxes: String) -> String {
        let offsets = Self.cells.map { Float($0.x) } + Self.cells.map { Float($0.y) }
        let grid = model.weight("grid", [1, 2, Self.places], offsets)
        let strides = model.weight("strides", [1, 1, Self.places], Self.cells.map { Float($0.stride) })
        let halves = model.node("Split", [boxes, model.integers([2, 2])], ["axis": 1], outputs: ["centres", "sizes"])
        let centres = model.node("Mul", [model.node("Add", [halves, grid]), strides])
        let sizes = model.node("Mul", [model.node("Exp", ["sizes"]), strides])
        return model.node("Concat", [centres, sizes], ["axis": 1])
    }

    /// Left, top, right and bottom of [1, 4, 84], centres and sizes.
    private mutating func corners(of four: String) -> String {
        let halves = model.node("Split", [four, model.integers([2, 2])], ["axis": 1], outputs: ["c", "s"])
        let half = model.node("Div", ["s", model.weight("two", [1], [2])])
        return model.node("Concat", [model.node("Sub", [halves, half]), model.node("Add", [halves, half])], ["axis": 1])
    }

    /// [1, 4 + classes, 84], or [1, 84, 4 + classes].
    public static func yolov8(seed: UInt64 = 1, isTransposed: Bool = false) -> (model: ModelBuilder, output: String) {
        var made = DetectorModels(seed: seed)
        let all = made.model.node(
            "Concat", [made.pyramid("boxes", 4, spread: 0.6), made.pyramid("classes", classes, spread: 2)], ["axis": 1])
        let boxes = made.model.node(
            "Split", [all, made.model.integers([4, classes])], ["axis": 1], outputs: ["four", "scores"])
        let answer = made.model.node(
            "Concat", [made.decoded(boxes), made.model.node("Sigmoid", ["scores"])], ["axis": 1], outputs: ["output0"])
        return (
            made.model, isTransposed ? made.model.node("Transpose", [answer], ["perm": [0, 2, 1]], outputs: ["turned"]) : answer
        )
    }

    /// [1, 84, 5 + classes]: offsets on the grid as YOLOX leaves them, or boxes as YOLOv5 has them.
    public static func yolov5(seed: UInt64 = 1, isDecoded: Bool = true) -> (model: ModelBuilder, output: String) {
        var made = DetectorModels(seed: seed)
        let four = made.pyramid("boxes", 4, spread: 0.6)
        let scores = made.model.node("Sigmoid", [made.pyramid("classes", 1 + classes, spread: 2)])
        let answer = made.model.node("Concat", [isDecoded ? made.decoded(four) : four, scores], ["axis": 1])
        return (made.model, made.model.node("Transpose", [answer], ["perm": [0, 2, 1]], outputs: ["output"]))
    }

    /// Outputs `boxes`, [1, 84, 4], left, top, right and bottom, and `scores`, [1, 84, classes].
    public static func pairs(seed: UInt64 = 1) -> ModelBuilder {
        var made = DetectorModels(seed: seed)
        let corners = made.corners(of: made.decoded(made.pyramid("boxes", 4, spread: 0.6)))
        let scores = made.model.node("Sigmoid", [made.pyramid("classes", classes, spread: 2)])
        made.model.node("Transpose", [corners], ["perm": [0, 2, 1]], outputs: ["boxes"])
        made.model.node("Transpose", [scores], ["perm": [0, 2, 1]], outputs: ["scores"])
        return made.model
    }

    /// The same, but that the file's own outputs are what NonMaxSuppression chooses, or `TopK` as networks do that need none, or `NonZero` of each
    /// class, without the batch's axis, as torchvision's do.
    public static func selecting(_ selection: String, seed: UInt64 = 1) -> (model: ModelBuilder, outputs: [String]) {
        var model = pairs(seed: seed)
        if selection == "TopK" {
            let best = model.node("ReduceMax", ["scores"], ["axes": [2], "keepdims": 0])
            model.node("TopK", [best, model.integers([10])], ["axis": 1], outputs: ["best", "places"])
            let places = model.node("Unsqueeze", ["places", model.integers([2])])
            let four = model.node("Expand", [places, model.integers([1, 10, 4])])
            let three = model.node("Expand", [places, model.integers([1, 10, classes])])
            model.node("GatherElements", ["scores", three], ["axis": 1], outputs: ["chosen scores"])
            return (model, [model.node("GatherElements", ["boxes", four], ["axis": 1], outputs: ["chosen"]), "chosen scores"])
        }
        if selection == "NonZero" {
            let single = ["boxes", "scores"].map { name in
                model.node("Squeeze", [name, model.integers([0])], outputs: ["single \(name)"])
            }
            let chosen = (0..<classes).map { index in
                let own = model.node("Gather", [single[1], model.integers([index], shape: [])], ["axis": 1])
                let most = model.node("NonZero", [model.node("Greater", [own, model.weight("least \(index)", [], [0.25])])])
                let places = model.node("Squeeze", [most, model.integers([0])])
                return model.node("Gather", [single[0], places], ["axis": 0])
            }
            return (model, [model.node("Concat", chosen, ["axis": 0])])
        }
        let turned = model.node("Transpose", ["scores"], ["perm": [0, 2, 1]], outputs: ["turned"])
        let limits = [
            model.integers([10], shape: [1]), model.weight("overlap", [1], [0.45]), model.weight("least", [1], [0.25]),
        ]
        return (model, [model.node("NonMaxSuppression", ["boxes", turned] + limits, outputs: ["selected"])])
    }

    /// Outputs `boxes`, as of `pairs`, and `scores`, [1, 84, 1 + classes], before their softmax; the first class is none.
    public static func ssd(seed: UInt64 = 1) -> ModelBuilder {
        var made = DetectorModels(seed: seed)
        let boxes = made.corners(of: made.decoded(made.pyramid("boxes", 4, spread: 0.6)))
        made.model.node("Transpose", [boxes], ["perm": [0, 2, 1]], outputs: ["boxes"])
        made.model.node("Transpose", [made.pyramid("classes", 1 + classes, spread: 2)], ["perm": [0, 2, 1]], outputs: ["scores"])
        return made.model
    }

    /// Outputs `logits`, [1, 84, classes + 1], the last class being none, and `pred_boxes`, [1, 84, 4], as shares of the input.
    public static func detr(seed: UInt64 = 1) -> ModelBuilder {
        var made = DetectorModels(seed: seed)
        made.model.node("Transpose", [made.pyramid("classes", classes + 1, spread: 2)], ["perm": [0, 2, 1]], outputs: ["logits"])
        let four = made.model.node("Sigmoid", [made.pyramid("boxes", 4, spread: 1)])
        made.model.node("Transpose", [four], ["perm": [0, 2, 1]], outputs: ["pred_boxes"])
        return made.model
    }

    /// Outputs `loc`, [1, 84, 4], offsets to boxes that the file does not have, and `conf`, [1, 84, classes].
    public static func offsets(seed: UInt64 = 1) -> ModelBuilder {
        var made = DetectorModels(seed: seed)
        made.model.node("Transpose", [made.pyramid("boxes", 4, spread: 1)], ["perm": [0, 2, 1]], outputs: ["loc"])
        let scores = made.model.node("Sigmoid", [made.pyramid("classes", classes, spread: 2)])
        made.model.node("Transpose", [scores], ["perm": [0, 2, 1]], outputs: ["conf"])
        return made.model
    }
}
