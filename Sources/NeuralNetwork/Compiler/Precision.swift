import COneDNN

/// How exactly a network's convolutions multiply.
public enum Precision: String, CaseIterable, Sendable {
    case float32
    /// Maps and weights are rounded to 8 significant bits (bfloat16) before they are multiplied; sums, and all that is recorded, are floats.
    /// Only where that is faster: https://arxiv.org/abs/1905.12322 (Kalamkar et al., "A Study of BFLOAT16 for Deep Learning Training", 2019).
    case bfloat16

    /// Whether this processor has instructions for it.
    public var isSupported: Bool { self == .float32 || nd_has_bfloat16() }
}
