/// What share of each pixel lies inside closed lines: text and lines without steps at their edges.
///
/// Every line adds, to the pixels it goes through and all to their right, the area between them; opposite lines take it away
/// again. As in Levien's font-rs, https://medium.com/@raphlinus/inside-the-fastest-font-renderer-in-the-world-75ae5270c445.
struct Coverage {
    /// Of the first cell, in pixels of the picture.
    let left: Int
    let top: Int
    let width: Int
    let height: Int
    private var cells: [Float]

    /// - Parameters: what is drawn lies between these, in pixels.
    init(x: ClosedRange<Double>, y: ClosedRange<Double>) {
        (left, top) = (Int(x.lowerBound.rounded(.down)), Int(y.lowerBound.rounded(.down)))
        width = Int(x.upperBound.rounded(.up)) - left + 2
        height = Int(y.upperBound.rounded(.up)) - top + 1
        cells = [Float](repeating: 0, count: width * height)
    }

    /// The share of the pixels of each row, from the left.
    func forEachPixel(_ body: (_ x: Int, _ y: Int, _ share: Float) -> Void) {
        for row in 0..<height {
            var sum: Float = 0
            for column in 0..<width {
                sum += cells[row * width + column]
                let share = min(abs(sum), 1)
                // Less is rounding.
                if share > 0.002 { body(left + column, top + row, share) }
            }
        }
    }

    /// A side of a closed line.
    mutating func addLine(from start: (x: Double, y: Double), to end: (x: Double, y: Double)) {
        guard start.y != end.y else { return }
        let direction: Float = start.y < end.y ? 1 : -1
        let (upper, lower) = start.y < end.y ? (start, end) : (end, start)
        let slope = (lower.x - upper.x) / (lower.y - upper.y)
        let (first, last) = (upper.y - Double(top), lower.y - Double(top))
        var x = upper.x - Double(left)
        for row in max(Int(first), 0)..<min(Int(last.rounded(.up)), height) {
            let part = min(Double(row + 1), last) - max(Double(row), first)
            let next = x + slope * part
            add(Float(part) * direction, from: Float(min(x, next)), to: Float(max(x, next)), row: row)
            x = next
        }
    }

    /// A quadratic curve, as eight lines.
    mutating func addCurve(from start: (x: Double, y: Double), by control: (x: Double, y: Double), to end: (x: Double, y: Double))
    {
        var before = start
        for step in 1...8 {
            let t = Double(step) / 8
            func mix(_ a: Double, _ b: Double, _ c: Double) -> Double { (1 - t) * (1 - t) * a + 2 * t * (1 - t) * b + t * t * c }
            let next = (mix(start.x, control.x, end.x), mix(start.y, control.y, end.y))
            addLine(from: before, to: next)
            before = next
        }
    }

    /// A line's part within one row: `height` of it, between two places.
    private mutating func add(_ height: Float, from start: Float, to end: Float, row: Int) {
        let (first, last) = (Int(start), Int(end.rounded(.up)))
        guard first >= 0, last < width else { return }
        let cell = row * width + first
        guard last > first + 1 else {
            let middle = (start + end) / 2 - Float(first)
            cells[cell] += height * (1 - middle)
            cells[cell + 1] += height * middle
            return
        }
        // The area to the right of the line up to the end of each pixel; each cell holds what the next pixel has more.
        func area(_ column: Int) -> Float {
            let from = max(start, Float(column))
            let to = min(end, Float(column + 1))
            let (left, right) = ((from - start) / (end - start), (to - start) / (end - start))
            return right * (Float(column + 1) - to) + (left + right) / 2 * (to - from)
        }
        var before: Float = 0
        for column in first..<last {
            let now = area(column)
            cells[row * width + column] += height * (now - before)
            before = now
        }
        cells[row * width + last] += height * (1 - before)
    }
}
