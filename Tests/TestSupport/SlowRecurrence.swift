import Foundation

/// A second implementation of recurrent layers, from the ONNX specification: one sequence, one step after the other.
public struct SlowRecurrence: Sendable {
    public enum Cell: Sendable { case lstm, gru, plain }

    public var cell: Cell
    /// [directions, gates · hidden, channels] and [directions, gates · hidden, hidden].
    public var (weights, recurrent): (SlowTensor, SlowTensor)
    /// [directions, 2 · gates · hidden]
    public var bias: SlowTensor?
    /// [directions, 3 · hidden]
    public var peepholes: SlowTensor?
    /// [directions, hidden]
    public var (initialHidden, initialCell): (SlowTensor?, SlowTensor?)
    /// Of each direction.
    public var isReversed = [false]
    public var resetsAfter = false
    /// f, g and h.
    public var functions: [@Sendable (Double) -> Double] = [{ 1 / (1 + exp(-$0)) }, { tanh($0) }, { tanh($0) }]

    public init(_ cell: Cell, weights: SlowTensor, recurrent: SlowTensor) {
        (self.cell, self.weights, self.recurrent) = (cell, weights, recurrent)
    }

    private var hidden: Int { recurrent.shape[2] }

    /// - Parameter x: [steps, channels]
    /// - Returns: hidden values [directions, steps, hidden], and the last hidden values and cells, [directions, hidden].
    public func run(_ x: SlowTensor) -> (all: SlowTensor, last: SlowTensor, lastCell: SlowTensor) {
        let steps = x.shape[0]
        var all = [Double]()
        var last = [Double]()
        var lastCell = [Double]()
        for (direction, reversed) in isReversed.enumerated() {
            var h = (0..<hidden).map { initialHidden?.at([direction, $0]) ?? 0 }
            var c = (0..<hidden).map { initialCell?.at([direction, $0]) ?? 0 }
            var rows = [[Double]](repeating: [], count: steps)
            for step in reversed ? Array((0..<steps).reversed()) : Array(0..<steps) {
                (h, c) = self.step(direction, (0..<x.shape[1]).map { x.at([step, $0]) }, h, c)
                rows[step] = h
            }
            all += rows.joined()
            last += h
            lastCell += c
        }
        let count = isReversed.count
        return (
            SlowTensor([count, steps, hidden], all), SlowTensor([count, hidden], last), SlowTensor([count, hidden], lastCell)
        )
    }

    private func step(_ direction: Int, _ x: [Double], _ h: [Double], _ c: [Double]) -> ([Double], [Double]) {
        func input(_ gate: Int, _ unit: Int) -> Double {
            let row = gate * hidden + unit
            return x.indices.reduce(bias?.at([direction, row]) ?? 0) { $0 + x[$1] * weights.at([direction, row, $1]) }
        }
        func own(_ gate: Int, _ unit: Int, _ h: [Double]) -> Double {
            let row = gate * hidden + unit
            let shift = bias?.at([direction, weights.shape[1] + row]) ?? 0
            return h.indices.reduce(shift) { $0 + h[$1] * recurrent.at([direction, row, $1]) }
        }
        func peep(_ gate: Int, _ unit: Int) -> Double { peepholes?.at([direction, gate * hidden + unit]) ?? 0 }
        let units = 0..<hidden
        switch cell {
        case .lstm:
            let i = units.map { functions[0](input(0, $0) + own(0, $0, h) + peep(0, $0) * c[$0]) }
            let f = units.map { functions[0](input(2, $0) + own(2, $0, h) + peep(2, $0) * c[$0]) }
            let new = units.map { f[$0] * c[$0] + i[$0] * functions[1](input(3, $0) + own(3, $0, h)) }
            let o = units.map { functions[0](input(1, $0) + own(1, $0, h) + peep(1, $0) * new[$0]) }
            return (units.map { o[$0] * functions[2](new[$0]) }, new)
        case .gru:
            let z = units.map { functions[0](input(0, $0) + own(0, $0, h)) }
            let r = units.map { functions[0](input(1, $0) + own(1, $0, h)) }
            let reset = units.map { r[$0] * h[$0] }
            let candidate = units.map {
                functions[1](input(2, $0) + (resetsAfter ? r[$0] * own(2, $0, h) : own(2, $0, reset)))
            }
            return (units.map { (1 - z[$0]) * candidate[$0] + z[$0] * h[$0] }, c)
        case .plain: return (units.map { functions[1](input(0, $0) + own(0, $0, h)) }, c)
        }
    }
}
