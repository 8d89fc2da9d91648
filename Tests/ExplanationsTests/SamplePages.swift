import Explanations
import Foundation
import Images
import Search

/// A page of each kind, of made-up numbers.
enum SamplePages {
    static func all() throws -> [(name: String, page: Page)] {
        [
            ("figure", try figure()), ("sheet", sheet()), ("card", try card()), ("matrix", matrix().page()),
            ("filters", filters()),
        ]
    }

    /// A disc on a slope of grey.
    private static func photograph(_ size: Int = 56) -> Image {
        let pixels = (0..<size * size).flatMap { pixel -> [UInt8] in
            let (x, y) = (Double(pixel % size), Double(pixel / size))
            let middle = Double(size) / 2
            let isInside = (x - middle) * (x - middle) + (y - middle) * (y - middle) < middle * middle / 3
            let level = UInt8(255 * (x + y) / Double(2 * size))
            return isInside ? [200, 90, 40] : [level, level, level]
        }
        return Image(width: size, height: size, pixels: pixels)
    }

    private static func map(isSigned: Bool, _ size: Int = 56) -> ExplanationMap {
        let values = (0..<size * size).map { pixel -> Float in
            let (x, y) = (Float(pixel % size) / Float(size) - 0.3, Float(pixel / size) / Float(size) - 0.6)
            return exp(-30 * (x * x + y * y)) - (isSigned ? 0.4 * x : 0)
        }
        return ExplanationMap(channels: 1, height: size, width: size, values: values, isSigned: isSigned)
    }

    private static func panel(isSigned: Bool, isFine: Bool) -> Figure.Panel {
        let look = MapLook(isSigned: isSigned, quantity: isSigned ? "score lost" : "|∂score/∂pixel|", isFine: isFine, clip: 99)
        return Figure.Panel(
            .map(map(isSigned: isSigned), look, boxes: [Rectangle(x: 8, y: 20, width: 20, height: 22)]), title: "cat  91.2 %",
            notes: ["score 4.2"], warnings: ["survives random weights"])
    }

    static func figure() throws -> Page {
        let rows = (0..<2).map { index in
            Figure.Row(
                image: photograph(), title: "cat-\(index).jpg", notes: ["labelled cat", "answered cat 91.2 %, right"],
                panels: [panel(isSigned: false, isFine: true), panel(isSigned: false, isFine: false)])
        }
        return try Figure(heading: "Gradient saliency", rows: rows, size: 224).page()
    }

    static func sheet() -> Page {
        let cells = (0..<5).map { index in
            ContactSheet.Cell(
                image: photograph(40 + 8 * index), caption: ["1.25  cat", "cat-\(index).jpg"],
                rectangle: index == 1 ? Rectangle(x: 5, y: 5, width: 20, height: 12) : nil,
                border: index == 2 ? Page.Palette.came : nil)
        }
        let row = ContactSheet.Row(title: "conv4:3", subtitle: "Conv, sees 44×44 pixels", cells: cells)
        return ContactSheet(title: "Strongest images", rows: [row, ContactSheet.Row(cells: cells.reversed())]).page(scale: 1)
    }

    static func card() throws -> Page {
        let classes = [("cat", 0.91, "91.2 %"), ("dog", 0.07, "7.4 %"), ("bird", 0.01, "1.4 %")]
        let map = try Figure.page(of: panel(isSigned: true, isFine: false), over: photograph(), heading: "Occlusion", scale: 1)
        return Card(
            title: "cat-0.jpg", subtitle: "explained for cat, by petshop",
            rows: [
                [
                    .photograph(photograph(), lines: ["cat-0.jpg", "labelled cat"], scale: 1),
                    .bars("Classes", classes.map { (name: $0.0, share: $0.1, text: $0.2) }, scale: 1), map,
                ], [sheet()],
            ]
        ).page(scale: 1)
    }

    /// Shares from none to all, so that a number stands on every shade.
    static func matrix() -> ConfusionMatrix {
        let names = ["cat", "dog", "bird", "fish"]
        let counts = [[9, 1, 0, 0], [5, 5, 0, 0], [3, 3, 4, 0], [2, 2, 2, 4]]
        var answers: [(label: String, split: String?, answer: String)] = []
        for (label, row) in zip(names, counts) {
            for (answer, count) in zip(names, row) { answers += (0..<count).map { _ in (label, nil, answer) } }
        }
        return ConfusionMatrix(answers: answers, classes: names)
    }

    private static func filters() -> Page {
        let cells = (0..<8).map { ContactSheet.Cell(image: photograph(5 + $0), caption: ["\($0)"]) }
        return ContactSheet(title: "Filters of conv1", subtitle: "8 filters", cells: cells, columns: 4, cellSize: 64).page(
            scale: 2)
    }
}
