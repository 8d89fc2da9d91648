import Foundation
import Support

/// Normally distributed numbers from a seed: ``SplitMix64`` through the transformation of Box and Muller (1958).
public struct GaussianNoise: Sendable {
    private var source: SplitMix64
    private var spare: Float?

    /// - Parameter stream: independent sequences of the same seed.
    public init(seed: UInt64, stream: UInt64 = 0) {
        source = SplitMix64(seed: seed &* 0x9E37_79B9_7F4A_7C15 &+ stream &* 0xD1B5_4A32_D192_ED03)
        _ = bits()
    }

    /// 64 random bits.
    public mutating func bits() -> UInt64 { source.next() }

    /// In 0..<1.
    public mutating func uniform() -> Double { Double(bits() >> 11) * 0x1p-53 }

    /// Of mean 0 and deviation 1.
    public mutating func next() -> Float {
        if let value = spare {
            spare = nil
            return value
        }
        let radius = (-2 * log(1 - uniform())).squareRoot()
        let angle = 2 * Double.pi * uniform()
        spare = Float(radius * sin(angle))
        return Float(radius * cos(angle))
    }
}
