import Support

/// A neuron's histogram in the terminal.
struct HistogramListing: Printable {
    var histogram: HistogramQuery.Histogram

    private static let barWidth = 40

    func encode(to encoder: any Encoder) throws { try histogram.encode(to: encoder) }

    var table: TextTable {
        let largest = histogram.counts.max() ?? 0
        var rows = histogram.counts.enumerated().map { index, count -> [TextTable.Cell] in
            [
                .value(histogram.edges[index]), .value(histogram.edges[index + 1]), .value(count),
                .text(Self.bar(Double(count) / Double(max(largest, 1)))),
            ]
        }
        for (count, name) in [(histogram.zeros, "of these exactly 0"), (histogram.nans, "NaN"), (histogram.infinite, "infinite")]
        where count > 0 {
            rows.append([.nothing, .nothing, .value(count), .text(name)])
        }
        return TextTable(columns: ["from", "to", "images", "\(histogram.layer):\(histogram.channel)"], rows: rows)
    }

    /// Whole blocks and one of eight eighths; what is there at all is seen.
    private static func bar(_ share: Double) -> String {
        let eighths = share > 0 ? max(1, Int((share * Double(8 * barWidth)).rounded())) : 0
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    }

    var fields: [[String]] {
        [["from", "to", "images"]]
            + histogram.counts.indices.map {
                ["\(histogram.edges[$0])", "\(histogram.edges[$0 + 1])", "\(histogram.counts[$0])"]
            }
    }
}
