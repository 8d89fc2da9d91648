/// Finds for each channel of a layer the value that no more than a share of all positions exceed: exactly, and in memory that
/// does not grow with their number.
///
/// Floats are in the order of whole numbers once their sign is turned into an order, so the value is found digit by digit, of
/// 11, 11 and 10 bits: values are added once for each. While values are still added, ``floor(of:)`` is known to be no larger
/// than the value that is looked for, so what lies below it need not be added again.
package struct ThresholdSearch {
    private static let places: [(shift: UInt32, digits: Int)] = [(21, 1 << 11), (10, 1 << 11), (0, 1 << 10)]
    private static let room = 1 << 11

    private let channels: Int
    /// So many values may be larger.
    private var rank: Int
    /// By channel, then digit: values of digits above the one that is looked for. What lies at or below it is not counted any
    /// more, which keeps counts near `rank`.
    private var counts: [UInt32]
    /// By channel: the digits that are known.
    private var known: [UInt32]
    /// By channel: the digit that is looked for, as far as it has risen.
    private var digit: [Int]
    /// By channel: values larger than all that have the known digits and this one.
    private var above: [Int]
    private var place = 0

    /// - Parameter rank: how many values may be larger; more, while it is not yet known how many there are.
    package init(channels: Int, rank: Int) {
        (self.channels, self.rank) = (channels, rank)
        counts = [UInt32](repeating: 0, count: channels * Self.room)
        known = [UInt32](repeating: 0, count: channels)
        digit = [Int](repeating: 0, count: channels)
        above = [Int](repeating: 0, count: channels)
    }

    /// Adds values of a channel.
    package mutating func add(_ values: UnsafeBufferPointer<Float>, to channel: Int) {
        let (shift, digits) = Self.places[place]
        let (start, current, own) = (channel * Self.room, digit[channel], known[channel])
        let mask = place == 0 ? 0 : ~UInt32(0) << Self.places[place - 1].shift
        var larger = 0
        counts.withUnsafeMutableBufferPointer { counts in
            for value in values {
                let key = Self.key(value)
                let found = Int(key >> shift) & (digits - 1)
                guard found > current, key & mask == own else { continue }
                counts[start + found] += 1
                larger += 1
            }
        }
        above[channel] += larger
        raise(channel)
    }

    /// Moves the digit up while too many values are above it.
    private mutating func raise(_ channel: Int) {
        while above[channel] > rank, digit[channel] < Self.room - 1 {
            digit[channel] += 1
            above[channel] -= Int(counts[channel * Self.room + digit[channel]])
        }
    }

    /// The value that is looked for is no smaller than this, in the order of ``key(_:)``; while the first digit is counted.
    package func floor(of channel: Int) -> UInt32 { UInt32(digit[channel]) << Self.places[0].shift }

    /// All values have been added for this digit.
    ///
    /// - Parameter rank: how many values may be larger, now that it is known how many there are.
    /// - Returns: whether they have to be added for another one.
    package mutating func advance(rank: Int) -> Bool {
        self.rank = rank
        for channel in 0..<channels {
            raise(channel)
            known[channel] |= UInt32(digit[channel]) << Self.places[place].shift
            digit[channel] = 0
        }
        for index in counts.indices { counts[index] = 0 }
        place += 1
        return place < Self.places.count
    }

    /// The values that were looked for, one a channel; NaN where there is no number.
    package var values: [Float] { known.map(Self.value) }

    /// Whole numbers in the order of values: NaN below everything, −0 as 0.
    package static func key(_ value: Float) -> UInt32 {
        guard !value.isNaN else { return 0 }
        let bits = value == 0 ? 0 : value.bitPattern
        return bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
    }

    private static func value(_ key: UInt32) -> Float {
        guard key != 0 else { return .nan }
        return Float(bitPattern: key & 0x8000_0000 == 0 ? ~key : key & 0x7FFF_FFFF)
    }
}
