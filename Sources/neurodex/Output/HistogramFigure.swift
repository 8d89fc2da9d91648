import ActivationStore
import Foundation
import Images
import Search

/// A neuron's histogram in the terminal.
struct HistogramTable: Printable {
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

/// The same as a picture.
struct HistogramPicture {
    var histogram: HistogramQuery.Histogram

    private enum Palette {
        static let page = Color(hex: 0xFBFBFA)
        static let bar = Color(hex: 0x3B6FA0)
        static let rule = Color(hex: 0xDEDDD9)
        static let ink = Color(hex: 0x1F2328)
        static let quiet = Color(hex: 0x6A7078)
    }

    private static let (width, height, margin) = (680, 380, 56)

    func rendered() -> Image {
        var image = Image(width: Self.width, height: Self.height, fill: Palette.page)
        let (left, top) = (Self.margin, Self.margin)
        let (inner, tall) = (Self.width - 2 * Self.margin, Self.height - 2 * Self.margin)
        let largest = max(histogram.counts.max() ?? 0, 1)
        let images = histogram.counts.reduce(0, +)
        image.write("\(histogram.layer):\(histogram.channel)", x: left, y: 16, font: .bold, color: Palette.ink)
        let rest = [(histogram.zeros, "exactly 0"), (histogram.nans, "NaN"), (histogram.infinite, "infinite")].filter { $0.0 > 0 }
        let note = (["\(images) images"] + rest.map { "\($0.0) \($0.1)" }).joined(separator: ", ")
        image.write(note, x: left, y: 32, color: Palette.quiet)
        for step in 1...4 { image.fill(x: left, y: top + tall - tall * step / 4, width: inner, height: 1, with: Palette.rule) }
        image.write("\(largest)", x: 8, y: top - 6, color: Palette.quiet)
        image.write("0", x: 8, y: top + tall - 6, color: Palette.quiet)
        for (index, count) in histogram.counts.enumerated() {
            let (start, end) = (inner * index / histogram.counts.count, inner * (index + 1) / histogram.counts.count)
            let bar = count == 0 ? 0 : max(1, Int((Double(tall) * Double(count) / Double(largest)).rounded()))
            image.fill(x: left + start, y: top + tall - bar, width: max(1, end - start - 1), height: bar, with: Palette.bar)
        }
        image.fill(x: left, y: top + tall, width: inner, height: 1, with: Palette.ink)
        if let low = histogram.edges.first, let high = histogram.edges.last {
            label(low, at: 0, &image)
            label(low / 2 + high / 2, at: inner / 2, &image)
            label(high, at: inner, &image)
        }
        return image
    }

    private func label(_ value: Double, at place: Int, _ image: inout Image) {
        let text = shortNumber(value)
        let x = Self.margin + place - Font.regular.width(of: text) / 2
        image.write(text, x: x, y: Self.height - Self.margin + 8, color: Palette.quiet)
    }
}
