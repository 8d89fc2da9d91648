import CKernels
import Foundation
import GRDB

/// One neuron over all images of a store.
public struct NeuronStatistics: Equatable, Sendable {
    public let neuron: Int
    /// Images.
    public let count: Int
    public let nanCount: Int
    public let infiniteCount: Int
    public let zeroCount: Int
    /// Smallest value that is not NaN; nil if there is none.
    public let minimum: Float?
    /// Largest value that is not NaN; nil if there is none.
    public let maximum: Float?
    /// Mean of the finite values; nil if there is none.
    public let mean: Double?
    /// Sum of the finite values' squared deviations from the mean; nil if there is none.
    public let m2: Double?
    /// Counts of values that are not NaN, in the 256 buckets that ``bucketBounds(_:)`` gives.
    public let histogram: [UInt32]
    let settled: Settled

    /// Count, mean and m2 over full blocks.
    struct Settled: Equatable, Sendable {
        var count: Int
        var mean: Double
        var m2: Double
    }

    public var finiteCount: Int { count - nanCount - infiniteCount }
    /// Of the population, not of a sample; nil if no value is finite.
    public var deviation: Double? { m2.map { ($0 / Double(finiteCount)).squareRoot() } }
    /// 0 … 1.
    public var zeroShare: Double { count == 0 ? 0 : Double(zeroCount) / Double(count) }
    /// Zero on every image.
    public var isDead: Bool { count > 0 && zeroCount == count }

    /// The values that bucket `index` counts: lower bound included and upper bound not, in ascending order of buckets.
    /// The first, the last and the two middle buckets also hold what lies beyond ±65536 and within ±2⁻¹⁶.
    public static func bucketBounds(_ index: Int) -> Range<Float> {
        func edge(_ p: Int) -> Float { p == 0 ? 0 : Float(bitPattern: UInt32(p + 444) << 21) }
        if index >= 128 { return edge(index - 128)..<edge(index - 127) }
        return -edge(128 - index)..<(-edge(127 - index))
    }

    init(neuron: Int, raw: ndx_statistics, moments: ndx_moments, histogram: [UInt32]) {
        self.neuron = neuron
        count = Int(raw.count)
        nanCount = Int(raw.nan_count)
        infiniteCount = Int(raw.infinite_count)
        zeroCount = Int(raw.zero_count)
        minimum = raw.count > raw.nan_count ? raw.minimum : nil
        maximum = raw.count > raw.nan_count ? raw.maximum : nil
        mean = moments.count > 0 ? moments.mean : nil
        m2 = moments.count > 0 ? moments.m2 : nil
        self.histogram = histogram
        settled = Settled(count: Int(raw.settled.count), mean: raw.settled.mean, m2: raw.settled.m2)
    }

    /// What the fold goes on from.
    var raw: ndx_statistics {
        var raw = ndx_statistics_empty()
        raw.count = UInt64(count)
        raw.nan_count = UInt64(nanCount)
        raw.infinite_count = UInt64(infiniteCount)
        raw.zero_count = UInt64(zeroCount)
        if let minimum { raw.minimum = minimum }
        if let maximum { raw.maximum = maximum }
        raw.settled = ndx_moments(count: UInt64(settled.count), mean: settled.mean, m2: settled.m2)
        return raw
    }

    /// - Parameter row: of ``StatisticsRows``.
    init(row: RawStatement) {
        func real(_ column: Int32) -> Double? { row.isNull(column) ? nil : row.double(column) }
        neuron = row.int(0)
        count = row.int(1)
        nanCount = row.int(2)
        infiniteCount = row.int(3)
        zeroCount = row.int(4)
        minimum = real(5).map { Float($0) }
        maximum = real(6).map { Float($0) }
        mean = real(7)
        m2 = real(8)
        let (first, listed) = (row.int(9), row.bytes(10))
        var histogram = [UInt32](repeating: 0, count: 256)
        for index in 0..<listed.count / 4 where (0..<256).contains(first) && histogram.indices.contains(first + index) {
            histogram[first + index] = UInt32(littleEndian: listed.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
        }
        self.histogram = histogram
        settled = Settled(count: row.int(11), mean: row.double(12), m2: row.double(13))
    }

    static let insertSQL = "INSERT INTO neuron_statistics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

    /// - Parameter statement: of ``insertSQL``. The values are those of ``init(neuron:raw:moments:histogram:)``, without making
    ///   an array for each neuron.
    static func insert(
        _ statement: RawStatement, neuron: Int, raw: ndx_statistics, moments: ndx_moments, histogram: UnsafeBufferPointer<UInt32>
    ) throws {
        let hasValue = raw.count > raw.nan_count
        let first = histogram.firstIndex { $0 > 0 } ?? 0
        let listed = histogram[first..<(histogram.lastIndex { $0 > 0 } ?? first - 1) + 1]
        let blob = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(histogram)[first * 4..<(first + listed.count) * 4])
        var sum = RowChecksum()
        func bind(_ column: Int32, _ number: Int) {
            statement.bind(column, number)
            sum.add(number)
        }
        func bind(_ column: Int32, _ number: Double) {
            statement.bind(column, number)
            sum.add(number)
        }
        bind(1, neuron)
        bind(2, Int(raw.count))
        bind(3, Int(raw.nan_count))
        bind(4, Int(raw.infinite_count))
        bind(5, Int(raw.zero_count))
        bind(6, hasValue ? Double(raw.minimum) : .nan)
        bind(7, hasValue ? Double(raw.maximum) : .nan)
        bind(8, moments.count > 0 ? moments.mean : .nan)
        bind(9, moments.count > 0 ? moments.m2 : .nan)
        bind(10, first)
        statement.bind(11, bytes: blob.baseAddress, count: blob.count)
        sum.add(blob)
        bind(12, Int(raw.settled.count))
        bind(13, raw.settled.mean)
        bind(14, raw.settled.m2)
        statement.bind(15, sum.value)
        try statement.run()
    }
}
