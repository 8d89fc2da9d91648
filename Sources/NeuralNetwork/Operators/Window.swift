import CKernels
import COneDNN

/// A window that slides over a map, as convolutions and poolings use it; both axes, vertical first.
struct Window: Equatable, Sendable {
    var kernel: [Int]
    var stride: [Int]
    var dilation: [Int]
    /// Added before the first row and column.
    var padBefore: [Int]
    /// Added after the last, as the file says; the window of an actual map may reach further (see `resolved`).
    var padAfter: [Int]
    var autoPad: String = "NOTSET"
    /// Whether a window that sticks out at the far end counts.
    var ceilMode = false

    /// - Parameter kernel: taken from the weights, where there are any; else from the attribute.
    init(_ node: NodeReader, kernel weights: [Int]?) throws {
        guard let kernel = node.ints("kernel_shape") ?? weights else { throw Refusal("says no kernel_shape") }
        guard kernel.count == 2 else {
            throw Refusal("slides over \(kernel.count) axes; neurodex reads windows over height and width")
        }
        if let weights, weights != kernel { throw Refusal("says kernel_shape \(kernel), but its weights are \(weights)") }
        self.kernel = kernel
        stride = node.ints("strides") ?? [1, 1]
        dilation = node.ints("dilations") ?? [1, 1]
        let pads = node.ints("pads") ?? [0, 0, 0, 0]
        autoPad = node.string("auto_pad", default: "NOTSET")
        ceilMode = node.int("ceil_mode", default: 0) != 0
        guard pads.count == 4, stride.count == 2, dilation.count == 2,
            (kernel + stride + dilation).allSatisfy({ (1...65536).contains($0) }), pads.allSatisfy({ (0...65536).contains($0) })
        else {
            throw Refusal("has kernel \(kernel), strides \(stride), dilations \(dilation), pads \(pads), which make no window")
        }
        guard ["NOTSET", "", "VALID", "SAME_UPPER", "SAME_LOWER"].contains(autoPad) else {
            throw Refusal("has auto_pad '\(autoPad)'")
        }
        padBefore = [pads[0], pads[1]]
        padAfter = [pads[2], pads[3]]
    }

    /// The window that covers the whole of a map, once.
    init(covering height: Int, _ width: Int) {
        kernel = [height, width]
        stride = [1, 1]
        dilation = [1, 1]
        padBefore = [0, 0]
        padAfter = [0, 0]
    }

    /// The extent of one tap to the last, dilation included.
    func reach(_ axis: Int) -> Int { (kernel[axis] - 1) * dilation[axis] + 1 }

    /// This window over a map of `size` (height, width): its output's size, with the padding that automatic rules and
    /// `ceilMode` come to made explicit.
    func resolved(over size: [Int]) throws -> (window: Window, output: [Int]) {
        var window = self
        window.autoPad = "NOTSET"
        var output = [0, 0]
        for axis in 0..<2 {
            switch autoPad {
            case "SAME_UPPER", "SAME_LOWER":
                output[axis] = (size[axis] + stride[axis] - 1) / stride[axis]
                let total = max(0, (output[axis] - 1) * stride[axis] + reach(axis) - size[axis])
                let less = total / 2
                window.padBefore[axis] = autoPad == "SAME_UPPER" ? less : total - less
                window.padAfter[axis] = total - window.padBefore[axis]
            default:
                if autoPad == "VALID" { (window.padBefore[axis], window.padAfter[axis]) = (0, 0) }
                let room = size[axis] + window.padBefore[axis] + window.padAfter[axis] - reach(axis)
                guard room >= 0 else {
                    throw Refusal("its window of \(reach(0))×\(reach(1)) does not fit into a map of \(size[0])×\(size[1])")
                }
                output[axis] = room / stride[axis] + 1
                if ceilMode, room % stride[axis] != 0, output[axis] * stride[axis] < size[axis] + window.padBefore[axis] {
                    output[axis] += 1  // The last window starts inside the map or its leading padding.
                    window.padAfter[axis] += stride[axis] - room % stride[axis]
                }
            }
        }
        return (window, output)
    }

    /// This window over a map that has its padding already.
    var unpadded: Window {
        var window = self
        (window.padBefore, window.padAfter, window.autoPad, window.ceilMode) = ([0, 0], [0, 0], "NOTSET", false)
        return window
    }

    /// What a position of the output sees, from what a position of the input sees.
    func receptiveField(_ input: ReceptiveField) -> ReceptiveField {
        ReceptiveField(
            y: input.y.through(kernel: reach(0), step: stride[0], padding: padBefore[0]),
            x: input.x.through(kernel: reach(1), step: stride[1], padding: padBefore[1]))
    }

    /// For our own loops.
    var counted: ndx_window {
        func pair(_ a: [Int]) -> (Int, Int) { (a[0], a[1]) }
        return ndx_window(kernel: pair(kernel), stride: pair(stride), dilation: pair(dilation), pad_before: pair(padBefore))
    }

    /// For oneDNN.
    var native: nd_window {
        func pair(_ a: [Int]) -> (Int64, Int64) { (Int64(a[0]), Int64(a[1])) }
        return nd_window(
            kernel: pair(kernel), stride: pair(stride), dilation: pair(dilation), pad_before: pair(padBefore),
            pad_after: pair(padAfter))
    }
}
