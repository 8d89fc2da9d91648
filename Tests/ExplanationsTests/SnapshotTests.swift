import Explanations
import Foundation
import Images
import TestSupport
import Testing

/// How pages look, as a grid of 24 × 18 levels of grey each: what moves, vanishes or changes its colour is seen, and what a
/// pixel more or less does is not.
///
/// `NEURODEX_RECORD=1` writes the grids anew; look at the pictures before these are committed.
@Suite struct SnapshotTests {
    private static let (columns, rows) = (24, 18)
    /// Levels of 255, of one cell and of all on the mean.
    private static let (cellTolerance, meanTolerance) = (10, 1.0)

    private func path(_ name: String) -> String { Fixtures.path("snapshots/\(name).txt") }

    private func grid(_ image: Image) -> [[Int]] {
        (0..<Self.rows).map { row in
            (0..<Self.columns).map { column in
                let ys = row * image.height / Self.rows..<(row + 1) * image.height / Self.rows
                let xs = column * image.width / Self.columns..<(column + 1) * image.width / Self.columns
                var sum = 0
                for y in ys {
                    for x in xs {
                        let color = image[x, y]
                        sum += 299 * Int(color.red) + 587 * Int(color.green) + 114 * Int(color.blue)
                    }
                }
                return sum / 1000 / max(ys.count * xs.count, 1)
            }
        }
    }

    private func recorded(_ name: String) throws -> (size: String, grid: [[Int]]) {
        let lines = try String(contentsOfFile: path(name), encoding: .utf8).split(separator: "\n")
        let grid = lines.dropFirst().map { $0.split(separator: " ").compactMap { Int($0) } }
        return (String(try #require(lines.first)), grid)
    }

    private func isAlike(_ a: [[Int]], _ b: [[Int]]) -> Bool {
        let differences = zip(a.joined(), b.joined()).map { abs($0 - $1) }
        guard differences.count == Self.rows * Self.columns, a.joined().count == b.joined().count else { return false }
        let mean = Double(differences.reduce(0, +)) / Double(differences.count)
        return differences.allSatisfy { $0 <= Self.cellTolerance } && mean <= Self.meanTolerance
    }

    @Test func pagesLookAsTheyDid() throws {
        let isRecording = ProcessInfo.processInfo.environment["NEURODEX_RECORD"] == "1"
        let pages = try SamplePages.all()
        #expect(pages.count == 5)
        for (name, page) in pages {
            let image = page.rendered()
            let (size, now) = ("\(image.width) \(image.height)", grid(image))
            if isRecording {
                let text = ([size] + now.map { $0.map { "\($0)" }.joined(separator: " ") }).joined(separator: "\n") + "\n"
                try text.write(toFile: path(name), atomically: true, encoding: .utf8)
                try Data(try image.pngData()).write(to: URL(fileURLWithPath: NSTemporaryDirectory() + "/snapshot-\(name).png"))
            }
            let before = try recorded(name)
            #expect(before.size == size, "\(name) had another size")
            #expect(isAlike(before.grid, now), "\(name) looks otherwise; grid now: \(now)")
        }
    }

    /// The tolerance notices a panel that moves by a twentieth of the page, and one that is lost.
    @Test func whatMovesIsSeen() throws {
        let page = try SamplePages.figure()
        let before = grid(page.rendered())
        func moved(_ x: Double) -> Page {
            var other = Page(width: page.width, height: page.height, scale: page.scale)
            other.add(page, x: x, y: 0)
            return other
        }
        #expect(isAlike(before, grid(moved(0).rendered())))
        #expect(!isAlike(before, grid(moved(page.width / 20).rendered())))
        var covered = page
        covered.fill(x: page.width * 0.4, y: page.height * 0.2, width: 100, height: 100, with: Page.Palette.ground)
        #expect(!isAlike(before, grid(covered.rendered())))
    }
}
