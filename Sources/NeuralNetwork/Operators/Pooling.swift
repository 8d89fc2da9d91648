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
    /// Whether a mean is over the whole window also where that reaches beyond all padding (`Expansion.normRules`).
    private let takesWholeWindows: Bool
    static let wholeWindows = "whole_windows"
    /// False only for a reduction that drops the axes it has gone over.
    private let keepsAxes: Bool

    init(_ node: NodeReader) throws {
        isMaximum = node.operatorType.hasSuffix("MaxPool")
        countsPadding = node.int("count_include_pad", default: 0) != 0
        keepsAxes = true
        takesWholeWindows = node.int(Self.wholeWindows, default: 0) != 0
        let isGlobal = node.operatorType.hasPrefix("Global")
        window = isGlobal ? nil : try Window(node, kernel: nil)
        guard node.outputCount < 2 else { throw Refusal("gives the indices of its maxima as well, which neurodex does not read") }
        guard node.int("storage_order", default: 0) == 0 else { throw Refusal("counts in column-major order (storage_order)") }
    }

    /// Of the whole map; nil where a reduction is neither a mean nor a maximum.
    init?(covering reduction: ndx_reduction, keepsAxes: Bool) {
        guard reduction == NDX_REDUCE_MEAN || reduction == NDX_REDUCE_MAX else { return nil }
        (isMaximum, countsPadding, window, self.keepsAxes) = (reduction == NDX_REDUCE_MAX, false, nil, keepsAxes)
        takesWholeWindows = false
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
        let output = try resolved(source).output
        return [[source[0], source[1]] + (keepsAxes ? output : [])]
    }

    /// Of a mean that counts padding and whose last windows reach beyond it (ceil_mode): for each row and column of the result, the part of the
    /// window that is no padding which the file does not know of, over the whole. Nil where all are whole.
    private func shares(_ shape: [Int]) throws -> [[Float]]? {
        let (resolved, output) = try resolved(shape)
        guard let window, countsPadding, !takesWholeWindows, window.autoPad == "NOTSET" || window.autoPad.isEmpty,
            resolved.padAfter != window.padAfter
        else { return nil }
        return (0..<2).map { axis in
            let end = shape[2 + axis] + window.padBefore[axis] + window.padAfter[axis]
            return (0..<output[axis]).map { place in
                let start = place * window.stride[axis]
                let inside = (0..<window.kernel[axis]).count { start + $0 * window.dilation[axis] < end }
                return Float(window.kernel[axis]) / Float(max(inside, 1))
            }
        }
    }

    /// Emits what multiplies each place of a channels-last map by its row's and its column's number.
    private static func scale(_ map: Location, by shares: [[Float]], into program: inout ProgramBuilder) {
        let (images, channels) = (map.shape[0] * program.batch, map.shape[1])
        program.emit(reads: [map], writes: [map]) { memory in
            let start = memory[map]
            return {
                for image in 0..<images {
                    for (y, row) in shares[0].enumerated() {
                        for (x, column) in shares[1].enumerated() where row * column != 1 {
                            let pixel = start + ((image * shares[0].count + y) * shares[1].count + x) * channels
                            for channel in 0..<channels { pixel[channel] *= row * column }
                        }
                    }
                }
            }
        }
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
        if let shares = try shares(source.shape) { Self.scale(destination, by: shares, into: &program) }
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

    /// A gradient as it is where every window is divided by its whole size.
    private func ofWholeWindows(_ gradient: Location, _ source: Location, into program: inout BackwardBuilder) throws -> Location
    {
        guard !isMaximum, let shares = try shares(source.shape) else { return gradient }
        let scaled = program.temporary(gradient.shape)
        program.copy(gradient, to: scaled)
        Self.scale(scaled, by: shares, into: &program.forward)
        return scaled
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let source = try program.location(node.inputs[0])
        let from = try ofWholeWindows(program.incoming(node), source, into: &program)
        let (resolved, output) = try resolved(source.shape)
        let size = Self.size(source, output)
        let window = resolved.counted
        let (isMaximum, countsPadding) = (isMaximum, countsPadding)
        let (batch, inner, outer) = Self.maps(source, from, batch: program.batch)
        try program.contribute(to: node.inputs[0]) { program, target in
            program.emit(reads: isMaximum ? [source, from] : [from], writes: [target]) { memory in
                let (input, from, to) = (memory[source], memory[from], memory[target])
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
