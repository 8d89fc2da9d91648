import Foundation

/// A second implementation of the operators, from the ONNX specification and with no thought of speed.
public enum SlowOperators {
    /// A sliding window over height and width, pads as in ONNX: top, left, bottom, right.
    public struct Window: Sendable {
        public var kernel: [Int]
        public var strides = [1, 1]
        public var dilations = [1, 1]
        public var pads = [0, 0, 0, 0]
        public var ceilMode = false

        public init(
            kernel: [Int], strides: [Int] = [1, 1], dilations: [Int] = [1, 1], pads: [Int] = [0, 0, 0, 0], ceilMode: Bool = false
        ) {
            (self.kernel, self.strides, self.dilations, self.pads) = (kernel, strides, dilations, pads)
            self.ceilMode = ceilMode
        }

        func reach(_ axis: Int) -> Int { (kernel[axis] - 1) * dilations[axis] + 1 }

        /// With the pads of `auto_pad` written out: the output is the input over the stride, rounded up.
        public func same(upper: Bool, over size: [Int]) -> Window {
            var window = self
            for axis in 0..<2 {
                let out = (size[axis] + strides[axis] - 1) / strides[axis]
                let total = max(0, (out - 1) * strides[axis] + reach(axis) - size[axis])
                window.pads[axis] = upper ? total / 2 : total - total / 2
                window.pads[axis + 2] = total - window.pads[axis]
            }
            return window
        }

        func output(_ size: [Int]) -> [Int] {
            (0..<2).map { axis in
                let room = Double(size[axis] + pads[axis] + pads[axis + 2] - reach(axis)) / Double(strides[axis])
                guard ceilMode else { return Int(room.rounded(.down)) + 1 }
                let count = Int(room.rounded(.up)) + 1
                // No window begins in the trailing padding.
                return (count - 1) * strides[axis] >= size[axis] + pads[axis] ? count - 1 : count
            }
        }
    }

    /// https://onnx.ai/onnx/operators/onnx__Conv.html; weights [outputs, inputs / groups, kernel height, kernel width].
    public static func convolution(
        _ x: SlowTensor, _ weights: SlowTensor, _ bias: [Double], _ window: Window, groups: Int = 1
    ) -> SlowTensor {
        let perGroup = weights.shape[1]
        let size = window.output(Array(x.shape[2...]))
        return SlowTensor([x.shape[0], weights.shape[0]] + size) { index in
            let group = index[1] / (weights.shape[0] / groups)
            var sum = bias[index[1]]
            for tap in SlowTensor.indices([perGroup] + window.kernel) {
                let y = index[2] * window.strides[0] - window.pads[0] + tap[1] * window.dilations[0]
                let column = index[3] * window.strides[1] - window.pads[1] + tap[2] * window.dilations[1]
                sum += x.at([index[0], group * perGroup + tap[0], y, column]) * weights.at([index[1], tap[0], tap[1], tap[2]])
            }
            return sum
        }
    }

    /// The values of x under every window, padding left out.
    private static func pooled(
        _ x: SlowTensor, _ window: Window, padding: Double? = nil, _ reduce: ([Double]) -> Double
    ) -> SlowTensor {
        SlowTensor(Array(x.shape[..<2]) + window.output(Array(x.shape[2...]))) { index in
            var values: [Double] = []
            for tap in SlowTensor.indices(window.kernel) {
                let y = index[2] * window.strides[0] - window.pads[0] + tap[0] * window.dilations[0]
                let column = index[3] * window.strides[1] - window.pads[1] + tap[1] * window.dilations[1]
                guard (0..<x.shape[2]).contains(y), (0..<x.shape[3]).contains(column) else {
                    // What lies beyond the padding that the file says is none.
                    let isPadding = y < x.shape[2] + window.pads[2] && column < x.shape[3] + window.pads[3]
                    if let padding, isPadding { values.append(padding) }
                    continue
                }
                values.append(x.at([index[0], index[1], y, column]))
            }
            return reduce(values)
        }
    }

    /// https://onnx.ai/onnx/operators/onnx__MaxPool.html
    public static func maximum(_ x: SlowTensor, _ window: Window) -> SlowTensor { pooled(x, window) { $0.max() ?? -.infinity } }

    /// https://onnx.ai/onnx/operators/onnx__AveragePool.html
    public static func average(_ x: SlowTensor, _ window: Window, countsPadding: Bool = false) -> SlowTensor {
        pooled(x, window, padding: countsPadding ? 0 : nil) { $0.reduce(0, +) / Double($0.count) }
    }

    /// https://onnx.ai/onnx/operators/onnx__LpPool.html
    public static func norm(_ x: SlowTensor, _ window: Window, power: Double) -> SlowTensor {
        pooled(x, window) { pow($0.reduce(0) { $0 + pow(abs($1), power) }, 1 / power) }
    }

    /// alpha x Wᵀ + beta b; weights [outputs, inputs].
    public static func linear(_ x: SlowTensor, _ weights: SlowTensor, _ bias: [Double], alpha: Double = 1, beta: Double = 1)
        -> SlowTensor
    {
        SlowTensor(x.shape.dropLast() + [weights.shape[0]]) { index in
            let row = Array(index.dropLast())
            let output = index[index.count - 1]
            let dot = (0..<weights.shape[1]).reduce(0.0) { $0 + x.at(row + [$1]) * weights.at([output, $1]) }
            return alpha * dot + beta * bias[output]
        }
    }

    /// The last two axes multiplied as matrices, those before broadcast: https://onnx.ai/onnx/operators/onnx__MatMul.html.
    public static func product(_ a: SlowTensor, _ b: SlowTensor) -> SlowTensor {
        let rank = max(a.shape.count, b.shape.count)
        func aligned(_ x: SlowTensor) -> SlowTensor { x.reshaped([Int](repeating: 1, count: rank - x.shape.count) + x.shape) }
        let (left, right) = (aligned(a), aligned(b))
        let outer = zip(left.shape, right.shape).dropLast(2).map { max($0, $1) }
        return SlowTensor(outer + [left.shape[rank - 2], right.shape[rank - 1]]) { index in
            func outerIndex(_ shape: [Int]) -> [Int] { zip(index, shape).dropLast(2).map { $1 == 1 ? 0 : $0 } }
            return (0..<left.shape[rank - 1]).reduce(0.0) { sum, inner in
                sum + left.at(outerIndex(left.shape) + [index[rank - 2], inner])
                    * right.at(outerIndex(right.shape) + [inner, index[rank - 1]])
            }
        }
    }

    /// gamma (x - mean) / sqrt(variance + epsilon) + beta, a channel (axis 1).
    public static func batchNormalization(
        _ x: SlowTensor, gamma: [Double], beta: [Double], mean: [Double], variance: [Double], epsilon: Double
    ) -> SlowTensor {
        SlowTensor(x.shape) { index in
            let channel = index[1]
            return gamma[channel] * (x.at(index) - mean[channel]) / (variance[channel] + epsilon).squareRoot() + beta[channel]
        }
    }

    /// https://onnx.ai/onnx/operators/onnx__LRN.html: x / (bias + alpha / size · Σ x²)^beta, over `size` channels around.
    public static func lrn(_ x: SlowTensor, size: Int, alpha: Double, beta: Double, bias: Double) -> SlowTensor {
        SlowTensor(x.shape) { index in
            let channels = index[1] - (size - 1) / 2...index[1] + size / 2
            let squares = channels.reduce(0.0) { sum, channel in
                let value = x.at([index[0], channel, index[2], index[3]])
                return sum + value * value
            }
            return x.at(index) / pow(bias + alpha / Double(size) * squares, beta)
        }
    }

    /// exp x / Σ exp x along an axis, or its logarithm.
    public static func softmax(_ x: SlowTensor, axis: Int, logarithm: Bool = false) -> SlowTensor {
        SlowTensor(x.shape) { index in
            let sum = (0..<x.shape[axis]).reduce(0.0) { sum, place in
                var other = index
                other[axis] = place
                return sum + exp(x.at(other))
            }
            return logarithm ? x.at(index) - log(sum) : exp(x.at(index)) / sum
        }
    }

    /// Every element of what is left of a tensor along `axes`, from all that it was made of.
    public static func reduced(_ x: SlowTensor, axes: [Int], keep: Bool, _ reduce: ([Double]) -> Double) -> SlowTensor {
        let kept = x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] }
        let inner = SlowTensor.indices(x.shape.indices.map { axes.contains($0) ? x.shape[$0] : 1 })
        let result = SlowTensor(kept) { index in reduce(inner.map { x.at(zip(index, $0).map { $0 + $1 }) }) }
        return keep ? result : result.reshaped(x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })
    }

    /// (x - mean) / sqrt(variance + epsilon) over the elements that `sameGroup` says belong together.
    public static func normalized(
        _ x: SlowTensor, epsilon: Double, sameGroup: ([Int], [Int]) -> Bool
    ) -> SlowTensor {
        let all = SlowTensor.indices(x.shape)
        return SlowTensor(x.shape) { index in
            let group = all.filter { sameGroup(index, $0) }.map { x.at($0) }
            let mean = group.reduce(0, +) / Double(group.count)
            let variance = group.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(group.count)
            return (x.at(index) - mean) / (variance + epsilon).squareRoot()
        }
    }

    /// https://onnx.ai/onnx/operators/onnx__ConvTranspose.html, each input spread over the output; weights [inputs, outputs / groups, kernel
    /// height, kernel width].
    public static func transposedConvolution(
        _ x: SlowTensor, _ weights: SlowTensor, _ bias: [Double], _ window: Window, groups: Int = 1, size: [Int]
    ) -> SlowTensor {
        let (perGroup, inputs) = (weights.shape[1], x.shape[1] / groups)
        return SlowTensor([x.shape[0], perGroup * groups] + size) { index in
            let group = index[1] / perGroup
            var sum = bias[index[1]]
            for tap in SlowTensor.indices([inputs] + window.kernel) {
                let y = index[2] + window.pads[0] - tap[1] * window.dilations[0]
                let column = index[3] + window.pads[1] - tap[2] * window.dilations[1]
                guard y % window.strides[0] == 0, column % window.strides[1] == 0 else { continue }
                let channel = group * inputs + tap[0]
                sum +=
                    x.at([index[0], channel, y / window.strides[0], column / window.strides[1]])
                    * weights.at([channel, index[1] % perGroup, tap[1], tap[2]])
            }
            return sum
        }
    }

    public static func concatenated(_ parts: [SlowTensor], axis: Int) -> SlowTensor {
        var shape = parts[0].shape
        shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
        return SlowTensor(shape) { index in
            var index = index
            for part in parts {
                if index[axis] < part.shape[axis] { return part.at(index) }
                index[axis] -= part.shape[axis]
            }
            return .nan
        }
    }

    /// NumPy's x[start:end:step] along one axis, with the start already resolved and the count given.
    public static func sliced(_ x: SlowTensor, axis: Int, start: Int, step: Int, count: Int) -> SlowTensor {
        var shape = x.shape
        shape[axis] = count
        return SlowTensor(shape) { index in
            var source = index
            source[axis] = start + step * index[axis]
            return x.at(source, outside: .nan)
        }
    }

    /// Pads by `before` and `after`, which cut where they are negative.
    public static func padded(_ x: SlowTensor, before: [Int], after: [Int], value: Double) -> SlowTensor {
        SlowTensor(x.shape.indices.map { x.shape[$0] + before[$0] + after[$0] }) { index in
            x.at(zip(index, before).map { $0 - $1 }, outside: value)
        }
    }
}
