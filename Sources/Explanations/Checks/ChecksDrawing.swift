import Foundation
import Images

/// The checks of a map, small enough to stand under it: the deletion and insertion curves, each over those of the map moved
/// elsewhere, and the correlation at every stage of random weights, from the class's layer to all of them.
struct ChecksDrawing {
    private let checks: MapChecks

    /// Of all of it, in units of the page.
    static let height = 3 * line + curveHeight + 10 + barsHeight + 6

    private static let curveHeight = 44.0
    private static let line = Font.regular.lineHeight
    private static let barsHeight = 44.0
    private static let gap = 14.0
    private static let field = Color(hex: 0xF0F1F3)
    private static let moved = Color(hex: 0xA9AFB7)

    init(_ checks: MapChecks) { self.checks = checks }

    func draw(x: Double, y: Double, width: Double, on page: inout Page) {
        let half = (width - Self.gap) / 2
        let failed = Set(checks.failures.map(\.check))
        draw(checks.curves?.deletion, "deletion", failed.contains(.deletion), x: x, y: y, width: half, on: &page)
        draw(
            checks.curves?.insertion, "insertion", failed.contains(.insertion), x: x + half + Self.gap, y: y, width: half,
            on: &page)
        drawStages(x: x, y: y + Self.line + Self.curveHeight + 10, width: width, on: &page)
    }

    private static func color(_ isFailed: Bool) -> Color { isFailed ? Page.Palette.alarm : Page.Palette.quiet }

    // MARK: Curves

    private func draw(
        _ curve: PerturbationCurves.Curve?, _ name: String, _ isFailed: Bool, x: Double, y: Double, width: Double,
        on page: inout Page
    ) {
        let numbers = curve.map { String(format: " %.2f (%.2f)", $0.area, $0.movedArea) } ?? ": not judged"
        page.write(
            Font.regular.shortened(name + numbers, toWidth: width), x: x, y: y, color: Self.color(isFailed))
        let top = y + Self.line + 2
        page.fill(x: x, y: top, width: width, height: Self.curveHeight, with: Self.field)
        guard let curve else { return }
        let all = curve.values + curve.movedValues
        let (low, high) = (all.min() ?? 0, all.max() ?? 1)
        for (values, color) in [
            (curve.movedValues, Self.moved), (curve.values, isFailed ? Page.Palette.alarm : Page.Palette.ink),
        ] {
            draw(values, color, low: min(low, 0), high: high, x: x, y: top, width: width, on: &page)
        }
    }

    /// A line through values at equal distances.
    private func draw(
        _ values: [Double], _ color: Color, low: Double, high: Double, x: Double, y: Double, width: Double, on page: inout Page
    ) {
        let range = high > low ? high - low : 1
        let step = width / Double(max(values.count - 1, 1))
        let points = values.enumerated().map { index, value in
            Page.Point(x + Double(index) * step, y + 1 + (high - value) / range * (Self.curveHeight - 2))
        }
        page.stroke(points, thickness: 1.5, with: color)
    }

    // MARK: Random weights

    /// A bar a stage from 0 to 1, its number under it, and over those that are judged a line that they must not reach.
    private func drawStages(x: Double, y: Double, width: Double, on page: inout Page) {
        let isFailed = !checks.survivedParts.isEmpty
        let stages = checks.randomisation?.stages ?? []
        let title = stages.isEmpty ? "random weights: not judged" : "random weights, class layer to all"
        page.write(Font.regular.shortened(title, toWidth: width), x: x, y: y, color: Self.color(isFailed))
        guard !stages.isEmpty else { return }
        let top = y + Self.line + 2
        let step = width / Double(stages.count)
        let inner = Self.barsHeight - 2
        for (index, stage) in stages.enumerated() {
            let (left, barWidth) = (x + Double(index) * step, min(step - 4, 40))
            page.fill(x: left, y: top, width: barWidth, height: inner, with: Self.field)
            let limit = stage.parts.isEmpty ? nil : checks.randomisation?.limit
            let isOver = limit.map { (stage.correlation ?? 0) > $0 } ?? false
            let bar = min(max(stage.correlation ?? 0, 0), 1) * inner
            page.fill(
                x: left, y: top + inner - bar, width: barWidth, height: bar,
                with: isOver ? Page.Palette.alarm : limit == nil ? Self.moved : Page.Palette.ink)
            if let limit {
                let line = top + inner - limit * inner
                page.fill(x: left, y: line, width: barWidth, height: 1, with: isOver ? Page.Palette.ink : Page.Palette.alarm)
            }
            page.write(
                Self.number(stage.correlation), x: left, y: top + Self.barsHeight,
                font: Font(.regular, size: min(12, step * 0.55)),
                color: Self.color(isOver))
        }
    }

    /// In three characters: ".91", "1.0", "-.1"; a stage that was not judged has a question mark.
    private static func number(_ correlation: Double?) -> String {
        guard let correlation else { return "?" }
        let text = String(format: "%.2f", correlation)
        guard abs(correlation) < 0.995 else { return correlation > 0 ? "1.0" : "-1" }
        return text.hasPrefix("-") ? String(format: "%.1f", correlation).replacing("0.", with: ".") : String(text.dropFirst())
    }
}
