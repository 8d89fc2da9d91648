import CKernels
import COneDNN

/// A convolution with 3×3 taps and stride 1 by Winograd's minimal filtering, which multiplies a quarter as often as its definition says
/// (Lavin and Gray 2016, https://arxiv.org/abs/1509.09308). Measured on one core with AVX2 or AVX-512, 64 to 256 channels: two to
/// three times as fast as oneDNN's direct kernel.
///
/// Whether it is used depends on the shape of one image alone, so that results do not depend on the batch.
struct WinogradConvolution {
    private let weights: SharedFloats
    private let bias: [Float]
    private let rectifier: ndx_rectifier
    private let size: ndx_winograd

    /// - Parameters:
    ///   - weights: [outputs, inputs, 3, 3].
    ///   - precision: what oneDNN's kernel would multiply.
    /// - Returns: Nil where it is not faster, or the convolution is of another kind.
    init?(
        weights: [Float], bias: [Float], _ activation: Activation?, _ window: Window, from source: Location,
        to destination: Location, beside precision: Precision
    ) {
        let (channels, filters) = (source.shape[1], destination.shape[1])
        let (height, width) = (destination.shape[2], destination.shape[3])
        guard window.kernel == [3, 3], window.stride == [1, 1], window.dilation == [1, 1],
            let rectifier = ndx_rectifier(activation),
            Self.isFaster(channels: channels, filters: filters, height: height, width: width, than: precision)
        else { return nil }
        self.bias = bias
        self.rectifier = rectifier
        size = ndx_winograd(
            batch: source.batch * source.shape[0], height: source.shape[2], width: source.shape[3], channels: channels,
            out_height: height, out_width: width, filters: filters, pad_top: window.padBefore[0], pad_left: window.padBefore[1])
        self.weights = SharedFloats(count: ndx_winograd_packed(channels, filters))
        ndx_winograd_pack(weights, channels, filters, self.weights.start)
    }

    /// By the processor's cycles, 16 multiply-adds in each, or 32 of bfloat16: a tile of 4×4 pixels takes 9 for a pixel, channel and filter by
    /// definition; else 36 for the whole tile, and some 300 to transform 8 of its channels or filters. Weights, four times as many, that no
    /// cache holds come at some 2.7 bytes a cycle, once for every 24 tiles of two images. Measured with AVX-512, milliseconds by definition and by
    /// filtering: 64 channels of 56×56 2.0 and 0.63, 512 of 28×28 32 and 12, of 14×14 8.0 and 4.4, of 7×7 1.9 and 1.4 to 1.9.
    private static func isFaster(channels: Int, filters: Int, height: Int, width: Int, than precision: Precision) -> Bool {
        let tiles = ((height + 3) / 4) * ((width + 3) / 4)
        let definition = 9 * height * width * channels * filters / (precision == .bfloat16 ? 32 : 16)
        let transforms = 300 * ((channels + 7) / 8 + (filters + 7) / 8)
        let products = tiles * (36 * channels * ((filters + 15) & ~15) / 16 + transforms)
        let bytes = ndx_winograd_packed(channels, filters) * MemoryLayout<Float>.size
        let streams = bytes > 16 << 20 ? (2 * tiles + 23) / 24 * bytes * 10 / 27 / 2 : 0
        return max(products, streams) < definition * 3 / 4
    }

    func emit(from source: Location, to destination: Location, into program: inout ProgramBuilder) {
        let tiles = ndx_winograd_tiles([size])
        // Each thread of a team has its own part.
        let scratch = (ndx_winograd_scratch([size]) + WorkerMemory.alignment - 1) & ~(WorkerMemory.alignment - 1)
        let cost = 16 * size.filters
        program.emit(reads: [source], writes: [destination], scratch: scratch * Team.size) {
            [weights, bias, rectifier, size] memory in
            let (from, to, scratchpad) = (memory[source], memory[destination], memory.scratch)
            return {
                Team.split(tiles, cost: cost, grain: 6) { range in
                    let own = range.lowerBound == 0 ? scratchpad : scratchpad + scratch
                    ndx_winograd_run([size], from, to, weights.start, bias, rectifier, range.lowerBound, range.upperBound, own)
                }
            }
        }
    }
}
