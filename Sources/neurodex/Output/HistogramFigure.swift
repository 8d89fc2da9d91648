import ActivationStore
import Foundation
import Images
import Search
import Support

/// A neuron's histogram as a picture.
struct HistogramPicture {
    var histogram: HistogramQuery.Histogram
    /// What of each bar is of one label.
    var part: (name: String, counts: [Int])?

    private typealias Palette = Page.Palette
    private static let (width, height, margin) = (680.0, 380.0, 56.0)
    private static let bar = Color(hex: 0x3B6FA0)

    func page() -> Page {
        var page = Page(width: Self.width, height: Self.height)
        let (left, top) = (Self.margin, Self.margin)
        let (inner, tall) = (Self.width - 2 * Self.margin, Self.height - 2 * Self.margin)
        let largest = max(histogram.counts.max() ?? 0, 1)
        let images = histogram.counts.reduce(0, +)
        page.write("\(histogram.layer):\(histogram.channel)", x: left, y: 14, font: .bold)
        let rest = [(histogram.zeros, "exactly 0"), (histogram.nans, "NaN"), (histogram.infinite, "infinite")].filter { $0.0 > 0 }
        let note = (["\(images) images"] + rest.map { "\($0.0) \($0.1)" }).joined(separator: ", ")
        page.write(note, x: left, y: 31, color: Palette.quiet)
        if let part {
            let text = "labelled \(part.name): \(part.counts.reduce(0, +))"
            let x = left + inner - Font.regular.width(of: text)
            page.fill(x: x - 16, y: 33, width: 10, height: 10, with: Palette.went)
            page.write(text, x: x, y: 31, color: Palette.quiet)
        }
        for step in 1...4 {
            page.fill(x: left, y: top + tall - tall * Double(step) / 4, width: inner, height: 0.5, with: Palette.rule)
        }
        page.write("\(largest)", x: left - 8 - Font.regular.width(of: "\(largest)"), y: top - 8, color: Palette.quiet)
        page.write("0", x: left - 8 - Font.regular.width(of: "0"), y: top + tall - 8, color: Palette.quiet)
        let step = inner / Double(max(histogram.counts.count, 1))
        for (index, count) in histogram.counts.enumerated() where count > 0 {
            let bar = max(1, tall * Double(count) / Double(largest))
            page.fill(
                x: left + Double(index) * step, y: top + tall - bar, width: max(0.5, step - 1), height: bar, with: Self.bar)
            guard let part, part.counts.indices.contains(index), part.counts[index] > 0 else { continue }
            let share = max(1, tall * Double(part.counts[index]) / Double(largest))
            page.fill(
                x: left + Double(index) * step, y: top + tall - share, width: max(0.5, step - 1), height: share,
                with: Palette.went)
        }
        page.fill(x: left, y: top + tall, width: inner, height: 1, with: Palette.ink)
        if let low = histogram.edges.first, let high = histogram.edges.last {
            label(low, at: 0, &page)
            label(low / 2 + high / 2, at: inner / 2, &page)
            label(high, at: inner, &page)
        }
        page.write(
            "activation", x: left + (inner - Font.regular.width(of: "activation")) / 2, y: Self.height - 30, color: Palette.quiet)
        return page
    }

    private func label(_ value: Double, at place: Double, _ page: inout Page) {
        let text = shortNumber(value)
        page.write(
            text, x: Self.margin + place - Font.regular.width(of: text) / 2, y: Self.height - Self.margin + 6,
            color: Palette.quiet)
    }
}
