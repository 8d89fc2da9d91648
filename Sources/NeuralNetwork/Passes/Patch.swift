/// The part of a map that the windows of an occlusion change: for each row and column of windows another place, always of one size, so that
/// one set of kernels serves all windows.
///
/// Nakandala, Kumar and Papakonstantinou, "Incremental and Approximate Inference for Faster Occlusion-based Deep CNN Explanations", 2019,
/// https://doi.org/10.1145/3299869.3319874, section 4.
struct Patch: Equatable, Sendable {
    /// What changes at most, vertically and horizontally: for each row of windows, and for each column.
    let changed: [[Range<Int>]]
    /// Height and width.
    let size: [Int]
    /// The first row for each row of windows, the first column for each column; inside the map.
    let starts: [[Int]]

    /// - Parameter extent: height and width of the whole map.
    init(changed: [[Range<Int>]], extent: [Int]) {
        self.changed = changed
        let size = changed.map { max(1, $0.map(\.count).max() ?? 1) }
        self.size = size
        starts = (0..<2).map { axis in changed[axis].map { max(0, min($0.lowerBound, extent[axis] - size[axis])) } }
    }

    /// Of what a sliding window makes of the map; `output` is the size of that.
    func through(_ window: Window, output: [Int]) -> Patch {
        let next = (0..<2).map { axis in
            let (stride, padding) = (window.stride[axis], window.padBefore[axis])
            return changed[axis].map { range -> Range<Int> in
                // Position o sees o·stride − padding ..< that + reach.
                let first = (max(0, range.lowerBound + padding - window.reach(axis) + 1) + stride - 1) / stride
                let last = max(0, range.upperBound - 1 + padding) / stride
                let lower = min(first, output[axis])
                return lower..<max(lower, min(last + 1, output[axis]))
            }
        }
        return Patch(changed: next, extent: output)
    }

    func union(_ other: Patch, extent: [Int]) -> Patch {
        let both = (0..<2).map { axis in
            zip(changed[axis], other.changed[axis]).map { a, b in
                a.isEmpty
                    ? b : b.isEmpty ? a : min(a.lowerBound, b.lowerBound)..<max(a.upperBound, b.upperBound)
            }
        }
        return Patch(changed: both, extent: extent)
    }

    /// Where a sliding window must read to make this patch, the padding around the map included.
    func reads(through window: Window) -> (size: [Int], starts: [[Int]]) {
        (
            (0..<2).map { (size[$0] - 1) * window.stride[$0] + window.reach($0) },
            (0..<2).map { axis in starts[axis].map { $0 * window.stride[axis] - window.padBefore[axis] } }
        )
    }
}
