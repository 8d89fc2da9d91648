import CKernels
import COneDNN

/// Maximum and average over a sliding window or over the whole map.
///
/// https://onnx.ai/onnx/operators/onnx__MaxPool.html, onnx__AveragePool.html, onnx__GlobalAveragePool.html,
/// onnx__GlobalMaxPool.html; ReduceMean and ReduceMax over height and width become this (see `Reduction`).
struct Pooling: ChannelsFirst {
    static let names = ["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"]

    var isPooling: Bool { true }
    var changedRegion: ChangedRegion { .window }

    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? { .standard }

    /// A mean or maximum is between the values that it is made of.
    func sign(_ inputs: [Sign], of node: Graph.Node) -> Sign { inputs.first ?? .unknown }

    /// An average at the edge is one of fewer pixels, which a part of the map cannot know.
    func slidingWindow(over size: [Int]) -> (window: Window, filler: Float)? {
        guard let window = try? window?.resolved(over: size).window,
            isMaximum || window.padBefore + window.padAfter == [0, 0, 0, 0]
        else { return nil }
        return (window, isMaximum ? -.greatestFiniteMagnitude : 0)
    }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        remapped(inputs, to: output, keepsChannels: true)
    }

    let isMaximum: Bool
    private let countsPadding: Bool
    /// Nil: over the whole map.
    private(set) var window: Window?
    /// False only for a reduction that drops the axes it has gone over.
    private let keepsAxes: Bool

    init(_ node: NodeReader) throws {
        isMaximum = node.operatorType.hasSuffix("MaxPool")
        countsPadding = node.int("count_include_pad", default: 0) != 0
        keepsAxes = true
        let isGlobal = node.operatorType.hasPrefix("Global")
        window = isGlobal ? nil : try Window(node, kernel: nil)
        guard node.outputCount < 2 else { throw Refusal("gives the indices of its maxima as well, which neurodex does not read") }
        guard node.int("storage_order", default: 0) == 0 else { throw Refusal("counts in column-major order (storage_order)") }
    }

    /// Of the whole map; nil where a reduction is neither a mean nor a maximum.
    init?(covering reduction: ndx_reduction, keepsAxes: Bool) {
        guard reduction == NDX_REDUCE_MEAN || reduction == NDX_REDUCE_MAX else { return nil }
        (isMaximum, countsPadding, window, self.keepsAxes) = (reduction == NDX_REDUCE_MAX, false, nil, keepsAxes)
    }

    /// `GlobalAveragePool`, which one exporter writes as ReduceMean and the other does not.
    var ownName: String? { window == nil ? "Global\(isMaximum ? "Max" : "Average")Pool" : nil }

    func averagesWhole(_ size: [Int]) -> Bool {
        guard !isMaximum else { return false }
        guard let window else { return true }
        return window.kernel == size && window.padBefore == [0, 0] && window.padAfter == [0, 0]
    }

    var unpadded: any Operator {
        var result = self
        result.window = window?.unpadded
        return result
    }

    var takesIntegers: Bool { isMaximum }

    private func resolved(_ shape: [Int]) throws -> (window: Window, output: [Int]) {
        guard shape.count == 4 else { throw Refusal("needs a map [batch, channels, height, width], but gets \(shape)") }
        return try (window ?? Window(covering: shape[2], shape[3])).resolved(over: [shape[2], shape[3]])
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let source = inputs.first??.shape ?? []
        let (resolved, output) = try resolved(source)
        if let window, countsPadding, window.autoPad == "NOTSET", resolved.padAfter != window.padAfter {
            throw Refusal("counts padding and rounds its size up (ceil_mode); neurodex reads one of the two")
        }
        return [[source[0], source[1]] + (keepsAxes ? output : [])]
    }

    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField {
        (try? resolved(shapes[0]).window.receptiveField(inputs[0])) ?? inputs[0]
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        let (resolved, output) = try resolved(source.shape)
        guard !isMaximum else {
            return lowerMaximum(resolved.counted, from: source, to: destination, size: output, into: &program)
        }
        var native = resolved.native
        var map = source.map
        map.height = Int64(output[0])
        map.width = Int64(output[1])
        let kind = countsPadding ? ND_AVERAGE_INCLUDING_PADDING : ND_AVERAGE_EXCLUDING_PADDING
        let kernel = try Kernel { nd_pooling(source.map, map, &native, kind) }
        program.emit(kernel, reads: [source], writes: [destination])
    }

    /// By a loop of our own: on AVX2, where oneDNN 2.6 has no fast one for channels-last maps, it takes a tenth of the time.
    private func lowerMaximum(
        _ window: ndx_window, from source: Location, to destination: Location, size output: [Int],
        into program: inout ProgramBuilder
    ) {
        let size = Self.size(source, output)
        let (batch, inner, outer) = Self.maps(source, destination, batch: program.batch)
        let pool = program.keepsNaN ? ndx_max_pooling_or_nan : ndx_max_pooling
        program.emit(reads: [source], writes: [destination]) { memory in
            let (from, to) = (memory[source], memory[destination])
            return {
                for image in 0..<batch {
                    Team.split(size.out_height, cost: size.out_width * size.channels, grain: 1) { rows in
                        pool(
                            from + image * inner, to + image * outer, size, window, rows.lowerBound, rows.upperBound)
                    }
                }
            }
        }
    }

    /// How many maps there are, several of one image where the batch axis holds more, and the elements of one on both sides.
    private static func maps(_ source: Location, _ result: Location, batch: Int) -> (count: Int, inner: Int, outer: Int) {
        (batch * source.shape[0], source.count / source.shape[0], result.count / source.shape[0])
    }

    private static func size(_ source: Location, _ output: [Int]) -> ndx_pooling {
        ndx_pooling(
            height: source.shape[2], width: source.shape[3], channels: source.shape[1], out_height: output[0],
            out_width: output[1])
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        let source = try program.location(node.inputs[0])
        let (resolved, output) = try resolved(source.shape)
        let size = Self.size(source, output)
        let window = resolved.counted
        let (isMaximum, countsPadding) = (isMaximum, countsPadding)
        let (batch, inner, outer) = Self.maps(source, gradient, batch: program.batch)
        try program.contribute(to: node.inputs[0]) { program, target in
            program.emit(reads: isMaximum ? [source, gradient] : [gradient], writes: [target]) { memory in
                let (input, from, to) = (memory[source], memory[gradient], memory[target])
                return {
                    for image in 0..<batch {
                        if isMaximum {
                            Team.split(size.height, cost: size.width * size.channels, grain: 1) { rows in
                                ndx_max_pooling_backward(
                                    input + image * inner, from + image * outer, to + image * inner, size, window,
                                    rows.lowerBound, rows.upperBound)
                            }
                        } else {
                            ndx_average_pooling_backward(
                                from + image * outer, to + image * inner, size, window, countsPadding ? 1 : 0)
                        }
                    }
                }
            }
        }
    }
}
