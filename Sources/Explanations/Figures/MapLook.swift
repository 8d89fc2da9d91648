import Support

/// How a method's maps are drawn: what their numbers are, which never depends on the numbers themselves.
public struct MapLook: Equatable, Sendable {
    /// Whether values below zero mean something: these maps are coloured evenly about zero, all others from zero upwards.
    public var isSigned: Bool
    /// What the numbers are, for the scale: “score lost”.
    public var quantity: String
    /// Of single pixels, which need a panel of their own to be seen.
    public var isFine: Bool
    /// The quantile of the magnitudes that gets the last colour, in percent: 100 for the largest.
    public var clip: Double

    public init(isSigned: Bool, quantity: String, isFine: Bool = false, clip: Double = 100) {
        self.isSigned = isSigned
        self.quantity = quantity
        self.isFine = isFine
        self.clip = clip
    }

    /// The value of the last colour.
    public struct Limit: Equatable, Sendable {
        public var value: Float
        /// Whether there are values beyond it.
        public var isClipped: Bool
        /// Which quantile it is, in words.
        public var remark: String
    }

    /// One plane of a map for the picture, [height × width]: the sum over the colours of a signed one, of another the largest
    /// magnitude (Simonyan et al. 2013).
    public func plane(of map: ExplanationMap) -> [Float] {
        isSigned ? map.colorSum : map.channels > 1 ? map.plane : map.values.map(abs)
    }

    /// The quantile of the magnitudes; the largest, where the quantile is zero.
    public func limit(of map: ExplanationMap) -> Limit {
        let magnitudes = plane(of: map).map(abs).sorted()
        let largest = magnitudes.last ?? 0
        let rank = Int((clip / 100 * Double(magnitudes.count)).rounded(.up)) - 1
        let quantile = magnitudes.isEmpty ? 0 : magnitudes[min(max(rank, 0), magnitudes.count - 1)]
        let value = quantile > 0 ? quantile : largest
        return Limit(
            value: value > 0 ? value : 1, isClipped: value < largest, remark: ", clipped at the \(Self.percent(clip)) percentile")
    }

    /// 0...1 for the colours: 0 is zero, or where `isSigned` ½ is.
    public func levels(of map: ExplanationMap, limit: Float, isSigned: Bool) -> [Float] {
        plane(of: map).map { value in
            let share = max(-1, min(1, value / limit))
            return isSigned ? (share + 1) / 2 : max(share, 0)
        }
    }

    /// 99.5th, 99th.
    private static func percent(_ value: Double) -> String {
        let text = value.shortText
        let ending =
            switch text.suffix(2) {
            case "11", "12", "13": "th"
            default:
                switch text.last {
                case "1": "st"
                case "2": "nd"
                case "3": "rd"
                default: "th"
                }
            }
        return text + ending
    }
}
