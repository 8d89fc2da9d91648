import Foundation

/// NumPy's `default_rng(seed).standard_normal()`: PCG64 seeded by `SeedSequence`, and the ziggurat of 256 layers.
///
/// Reference outputs of models were computed for inputs made so. O'Neill, "PCG: A Family of Simple Fast Space-Efficient
/// Statistically Good Algorithms for Random Number Generation", 2014; Marsaglia and Tsang, "The Ziggurat Method for
/// Generating Random Variables", 2000. The tables are computed, so a value may differ from NumPy's in its last bits.
public struct NumPyRandom {
    private var state: UInt128
    private let increment: UInt128
    private static let tables = Ziggurat()

    public init(seed: UInt32) {
        let words = Self.seedWords(seed)
        state = 0
        increment = (UInt128(words[2]) << 64 | UInt128(words[3])) << 1 | 1
        step()
        state &+= UInt128(words[0]) << 64 | UInt128(words[1])
        step()
    }

    private mutating func step() {
        let multiplier = UInt128(0x2360_ED05_1FC6_5DA4) << 64 | 0x4385_DF64_9FCC_F645
        state = state &* multiplier &+ increment
    }

    private mutating func next() -> UInt64 {
        step()
        let folded = UInt64(truncatingIfNeeded: state >> 64) ^ UInt64(truncatingIfNeeded: state)
        let turn = UInt64(truncatingIfNeeded: state >> 122)
        return folded >> turn | folded << ((64 &- turn) & 63)
    }

    private mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    public mutating func normal() -> Double {
        let tables = Self.tables
        while true {
            let bits = next()
            let index = Int(bits & 0xFF)
            let magnitude = (bits >> 9) & 0x000F_FFFF_FFFF_FFFF
            let sign: Double = (bits >> 8) & 1 == 1 ? -1 : 1
            let x = Double(magnitude) * tables.width[index]
            if magnitude < tables.inside[index] { return sign * x }
            if index == 0 {
                while true {
                    let tail = -log1p(-uniform()) / Ziggurat.edge
                    let height = -log1p(-uniform())
                    if height + height > tail * tail {
                        return (magnitude >> 8) & 1 == 1 ? -(Ziggurat.edge + tail) : Ziggurat.edge + tail
                    }
                }
            }
            let slope = (tables.density[index - 1] - tables.density[index]) * uniform() + tables.density[index]
            if slope < exp(-0.5 * x * x) { return sign * x }
        }
    }

    /// Four words of 64 bits from NumPy's `SeedSequence`.
    private static func seedWords(_ seed: UInt32) -> [UInt64] {
        var constant: UInt32 = 0x43B0_D7E5
        func hash(_ value: UInt32) -> UInt32 {
            var value = value ^ constant
            constant &*= 0x931E_8875
            value &*= constant
            return value ^ value >> 16
        }
        func mix(_ x: UInt32, _ y: UInt32) -> UInt32 {
            let result = 0xCA01_F9DD &* x &- 0x4973_F715 &* y
            return result ^ result >> 16
        }
        var pool = (0..<4).map { hash($0 == 0 ? seed : 0) }
        for source in 0..<4 {
            for target in 0..<4 where target != source { pool[target] = mix(pool[target], hash(pool[source])) }
        }
        var output: UInt32 = 0x8B51_F9DD
        let words = (0..<8).map { index -> UInt64 in
            var value = pool[index % 4] ^ output
            output &*= 0x58F3_8DED
            value &*= output
            return UInt64(value ^ value >> 16)
        }
        return (0..<4).map { words[2 * $0] | words[2 * $0 + 1] << 32 }
    }

    private struct Ziggurat {
        static let edge = 3.6541528853610087963519472518

        var inside = [UInt64](repeating: 0, count: 256)
        var width = [Double](repeating: 0, count: 256)
        var density = [Double](repeating: 1, count: 256)

        init() {
            let edge = Self.edge
            let bits = 0x1p52
            let area = edge * exp(-0.5 * edge * edge) + (Double.pi / 2).squareRoot() * erfc(edge / 2.0.squareRoot())
            let base = area / exp(-0.5 * edge * edge)
            inside[0] = UInt64(edge / base * bits)
            width[0] = base / bits
            width[255] = edge / bits
            density[255] = exp(-0.5 * edge * edge)
            var (right, above) = (edge, edge)
            for index in stride(from: 254, through: 1, by: -1) {
                right = (-2 * log(area / right + exp(-0.5 * right * right))).squareRoot()
                inside[index + 1] = UInt64(right / above * bits)
                above = right
                density[index] = exp(-0.5 * right * right)
                width[index] = right / bits
            }
        }
    }
}
