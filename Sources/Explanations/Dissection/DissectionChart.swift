public import Images

/// How many neurons of a layer tell each concept, as bars; the concepts that most tell come first.
public struct DissectionChart: Sendable {
    private let heading: String
    private let note: String
    private let bars: [(name: String, count: Int, best: Double)]

    /// What the paper calls a detector.
    public static let leastIoU = 0.04
    private static let most = 40
    private static let (width, margin, line, names, numbers) = (680.0, 24.0, 20.0, 170.0, 120.0)
    private static let bar = Color(hex: 0x3B6FA0)
    private typealias Palette = Page.Palette

    /// - Parameter leastIoU: what a neuron's best concept has to have for it to count.
    public init(_ dissection: LayerDissection, leastIoU: Double = Self.leastIoU) {
        let detectors = dissection.best.filter { $0.iou > leastIoU }
        let found = Dictionary(grouping: detectors, by: \.concept)
        heading =
            "\(dissection.layer): \(detectors.count) of \(dissection.channels) neurons tell \(found.count) of \(dissection.concepts.count) concepts"
        let sorted = found.sorted { ($0.value.count, $1.key) > ($1.value.count, $0.key) }
        bars = sorted.prefix(Self.most).map { concept, pairs in
            (dissection.concepts[concept], pairs.count, pairs.map(\.iou).max() ?? 0)
        }
        let rest = sorted.count - bars.count
        note =
            "neurons whose best concept has an intersection over union above \(leastIoU), on \(dissection.images) images"
            + (rest > 0 ? "; \(rest) concepts of fewer neurons are not drawn" : "")
    }

    /// One a layer, under each other.
    public static func page(of dissections: [LayerDissection], leastIoU: Double = Self.leastIoU) -> Page {
        let pages = dissections.map { DissectionChart($0, leastIoU: leastIoU).page() }
        var (page, y) = (Page(width: width, height: pages.reduce(0) { $0 + $1.height }), 0.0)
        for part in pages {
            page.add(part, x: 0, y: y)
            y += part.height
        }
        return page
    }

    public func page() -> Page {
        let height = 2 * Self.margin + 44 + Double(max(bars.count, 1)) * Self.line
        var page = Page(width: Self.width, height: height)
        page.write(heading, x: Self.margin, y: Self.margin - 6, font: .bold)
        page.write(note, x: Self.margin, y: Self.margin + 12, color: Palette.quiet)
        let (left, room) = (Self.margin + Self.names, Self.width - 2 * Self.margin - Self.names - Self.numbers)
        let largest = Double(max(bars.map(\.count).max() ?? 1, 1))
        for (index, bar) in bars.enumerated() {
            let y = Self.margin + 44 + Double(index) * Self.line
            let name = Font.regular.wrapped(bar.name, toWidth: Self.names - 8).first ?? ""
            page.write(name, x: left - 8 - Font.regular.width(of: name), y: y)
            let length = max(1, room * Double(bar.count) / largest)
            page.fill(x: left, y: y + 2, width: length, height: Self.line - 7, with: Self.bar)
            let best = Figure.number(Float(bar.best))
            page.write("\(bar.count), best IoU \(best)", x: left + length + 6, y: y, color: Palette.quiet)
        }
        page.fill(x: left, y: Self.margin + 40, width: 1, height: height - 2 * Self.margin - 40, with: Palette.ink)
        return page
    }
}
