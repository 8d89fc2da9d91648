import CKernels
import COneDNN

/// The way back through a strided convolution of few input channels, as a convolution of stride 1 whose channels are then spread over
/// pixels: the sub-pixel convolution that `walkthrough` teaches (Shi et al. 2016, https://arxiv.org/abs/1609.05158).
///
/// With stride s, padding p and X + p = s q + r: x[X] = Σ_t w[r + s t] y[q − t]. The remainders r become s² channels for each of the
/// image's. oneDNN computes 16 channels at once and wastes 13 of them on an image's three; stride 2 fills 12 (the first convolution of
/// ResNet-50: 11.7 → 7.5 ms).
struct SubpixelConvolution {
    private let weights: [Float]  // [stride² · inputs, outputs, taps, taps]
    private let window: Window
    private let stride: [Int]
    /// Pixels before the first that is wanted.
    private let skipped: [Int]
    private let shape: [Int]

    /// Nil where it is not worth it, or the way back is of another kind.
    init?(_ convolution: Convolution, _ window: Window, from gradient: Location, to target: Location) {
        let (inputs, outputs) = (target.shape[1], gradient.shape[1])
        let stride = window.stride
        guard convolution.groups == 1, target.shape[0] == 1, window.dilation == [1, 1], stride.product > 1, inputs < 8,
            inputs * stride.product <= 64
        else { return nil }
        /// Taps, first remainder-free pixel, size, padding before and after, along one axis.
        func plan(_ axis: Int) -> (taps: Int, first: Int, size: Int, before: Int, after: Int) {
            let (step, padding) = (stride[axis], window.padBefore[axis])
            let taps = (window.kernel[axis] + step - 1) / step
            let first = padding / step
            let size = (target.shape[2 + axis] - 1 + padding) / step - first + 1
            return (taps, first, size, taps - 1 - first, size + first - gradient.shape[2 + axis])
        }
        let plans: [(taps: Int, first: Int, size: Int, before: Int, after: Int)] = [plan(0), plan(1)]
        let (taps, size) = (plans.map(\.taps), plans.map(\.size))
        let (before, after) = (plans.map(\.before), plans.map(\.after))
        guard (before + after).allSatisfy({ $0 >= 0 }) else { return nil }
        self.stride = stride
        skipped = [0, 1].map { (axis: Int) -> Int in window.padBefore[axis] % stride[axis] }
        shape = [1, stride.product * inputs] + size
        var own = window
        (own.kernel, own.stride, own.padBefore, own.padAfter) = (taps, [1, 1], before, after)
        self.window = own
        let (kernel, values) = (window.kernel, convolution.weights.floats)
        var turned = [Float](repeating: 0, count: stride.product * inputs * outputs * taps.product)
        for output in 0..<outputs {
            for input in 0..<inputs {
                for y in 0..<kernel[0] {
                    for x in 0..<kernel[1] {
                        let channel = (y % stride[0] * stride[1] + x % stride[1]) * inputs + input
                        let (row, column) = (taps[0] - 1 - y / stride[0], taps[1] - 1 - x / stride[1])
                        turned[((channel * outputs + output) * taps[0] + row) * taps[1] + column] =
                            values[((output * inputs + input) * kernel[0] + y) * kernel[1] + x]
                    }
                }
            }
        }
        weights = turned
    }

    func emit(from gradient: Location, to target: Location, into program: inout BackwardBuilder) throws {
        let together = program.temporary(shape)
        var native = window.native
        let kernel = try Kernel { nd_convolution(gradient.map, together.map, &native, 1, weights, nil, .identity) }
        program.emit(kernel, reads: [gradient], writes: [together])
        let (batch, stride, skipped, fromWidth) = (program.batch, stride, skipped, shape[3])
        let (channels, height, width) = (target.shape[1], target.shape[2], target.shape[3])
        program.emit(reads: [together], writes: [target]) { memory in
            let (from, to) = (memory[together], memory[target])
            return {
                for image in 0..<batch {
                    Team.split(height, cost: width * channels, grain: 1) { rows in
                        ndx_interleave(
                            from + image * together.count, to + image * target.count + rows.lowerBound * width * channels,
                            rows.count, width, channels, stride, [skipped[0] + rows.lowerBound, skipped[1]], fromWidth)
                    }
                }
            }
        }
    }
}
