/// `Pad` with elements of the input: mirrored at its edges, its edges themselves, or from the other side.
///
/// https://onnx.ai/onnx/operators/onnx__Pad.html
struct PadFromWithin: Picking {
    static let names: [String] = []

    enum Mode: String {
        /// c b a b c d c b: the edge itself is not repeated.
        case reflect
        /// a a a b c d d d
        case edge
        /// c d a b c d a b
        case wrap
    }

    private let pad: Pad
    private let mode: Mode
    private let (before, after): ([Int], [Int])

    init(pad: Pad, mode: Mode, before: [Int], after: [Int]) {
        (self.pad, self.mode, self.before, self.after) = (pad, mode, before, after)
    }

    init(_ node: NodeReader) throws { throw Refusal("is read as a Pad") }

    /// Which of `extent` elements stands at a place that may lie outside.
    private func source(of place: Int, extent: Int) -> Int {
        switch mode {
        case .edge: return min(max(place, 0), extent - 1)
        case .wrap: return (place % extent + extent) % extent
        case .reflect:
            let period = max(2 * (extent - 1), 1)
            let turned = (place % period + period) % period
            return turned < extent ? turned : period - turned
        }
    }

    func plan(_ shape: [Int], strides: [Int]) throws -> (shape: [Int], offsets: [Int]) {
        guard before.count == shape.count else { throw Refusal("pads \(before.count) axes of shape \(shape)") }
        let result = try checked(try pad.shapes([Operand(name: "", shape: shape)])[0], from: shape)
        var offsets = [0]
        for (axis, stride) in strides.enumerated() {
            let places = (0..<result[axis]).map { source(of: $0 - before[axis], extent: shape[axis]) * stride }
            offsets = offsets.flatMap { base in places.map { base + $0 } }
        }
        return (result, offsets)
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        return [try plan(shape, strides: shape.rowMajorStrides).shape]
    }

    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField {
        pad.receptiveField(inputs, shapes: shapes, map: map)
    }
}
