import ActivationStore
import Explanations
import Foundation
import Images
import Pages
import Search
import Support

/// What the overview shows: counted once for each state of the file.
struct Overview: Sendable {
    var summary: StoreSummary
    var skipped: [SkippedRecord]
    var matrix: ConfusionMatrix
    /// Images by what the network answers, and by their size.
    var answers: [(name: String, count: Int)] = []
    var sizes: [(name: String, count: Int, condition: String)] = []
    /// What attributes narrow images to.
    var attributes: [ImageFacets.Value] = []
    /// Why there are none; nil where they could be read.
    var attributesGap: String?

    /// More images than their thumbnails are counted of for a page: all their bytes are read for it.
    static let mostCounted = 10_000
}

/// Of the neurons of each layer: the share of dead ones, of zeros, and the mean.
struct LayerNumbers: Sendable {
    var dead: [Double] = []
    var zeros: [Double] = []
    var means: [Double] = []
}

final class OverviewShelf: Sendable {
    private let overviews = KeptUntilChanged<Overview>()
    private let numbers = KeptUntilChanged<LayerNumbers>()
    private let infos = KeptUntilChanged<[[String]]>()

    /// What `info` says, name and value.
    func info(of store: Store, make: () throws -> [[String]]) throws -> [[String]] {
        try infos.value(of: FileState(path: store.path), make: make)
    }

    func overview(of store: Store) throws -> Overview {
        try overviews.value(of: FileState(path: store.path)) { try Self.made(of: store) }
    }

    private static func made(of store: Store) throws -> Overview {
        let description = store.description
        let images = try store.images()
        var overview = Overview(
            summary: try store.summary(countsThumbnails: false), skipped: try store.skipped(),
            matrix: ConfusionMatrix(images, classes: description.classes))
        overview.answers = Overview.answers(images, classes: description.classes)
        overview.sizes = Overview.sizes(images)
        do {
            overview.attributes = try store.attributes().flatMap(ImageFacets.values)
        } catch let error as StoreError {
            overview.attributesGap = "Attributes are left out: \(error)."
        }
        return overview
    }

    func numbers(of store: Store) throws -> LayerNumbers {
        try numbers.value(of: FileState(path: store.path)) {
            var numbers = LayerNumbers()
            for layer in store.description.layers {
                let all = try store.statistics(neurons: layer.neurons)
                let count = Double(max(all.count, 1))
                numbers.dead.append(all.reduce(0) { $0 + ($1.isDead ? 1 : 0) } / count)
                numbers.zeros.append(all.reduce(0) { $0 + $1.zeroShare } / count)
                numbers.means.append(all.reduce(0) { $0 + ($1.mean ?? 0) } / count)
            }
            return numbers
        }
    }
}

extension Explorer {
    /// `/`: the model, its data, how right it is, and its layers.
    func overview(_ wanted: Wanted) throws -> Answer {
        if let field = wanted.question.first(where: { $0.name != "selective" }) {
            throw Refusal(sentence: "the overview takes color, not '\(field.name)'")
        }
        var page = Answer(
            title: Self.fileName(store.description.model.name), kind: "overview",
            command: Spelling.line(["neurodex", "info", store.path])
        ) {
            let overview = try self.overviews.overview(of: self.store)
            self.numbers(overview.summary)
            if let gap = overview.attributesGap { HTML(.p, .class("note")) { gap } }
            try HTML(.section, .class("card")) { try self.map(overview, wanted) }
            try HTML(.div, .class("cards")) {
                try HTML(.section, .class("card")) {
                    HTML(.h2) { "Model and data" }
                    let info = try self.overviews.info(of: self.store) {
                        let isQuick = overview.summary.images > Overview.mostCounted
                        return try Array(self.commands.info(self.store, isQuick).fields.dropFirst())
                    }
                    Self.facts(info.map { ($0.first ?? "", $0.last ?? "") })
                }
                HTML(.section, .class("card")) { self.labels(overview.summary) }
                if !overview.matrix.labels.isEmpty { HTML(.section, .class("card wide")) { self.confusion(overview.matrix) } }
                if !overview.skipped.isEmpty { HTML(.section, .class("card")) { self.skipped(overview.skipped) } }
            }
        }
        page.subtitle = store.path
        page.address = wanted.address
        page.listing = { try self.commands.info(self.store, false) }
        return page
    }

    private func numbers(_ summary: StoreSummary) -> HTML {
        let neurons = store.description.layers.reduce(0) { $0 + $1.channels }
        var numbers = [
            ("\(summary.images)", "images"), ("\(store.description.layers.count)", "layers"), ("\(neurons)", "neurons"),
        ]
        if let right = Proportion.of(summary.rightAnswers, in: summary.answers) {
            let bounds = String(format: "%.1f to %.1f", right.low * 100, right.high * 100)
            numbers.append((String(format: "%.1f %%", right.share * 100), "right of \(right.total) answers (95 %: \(bounds))"))
        }
        if summary.skipped > 0 { numbers.append(("\(summary.skipped)", "files skipped")) }
        return HTML(.div, .class("numbers")) {
            for (value, name) in numbers {
                HTML(.div) {
                    HTML(.b) { value }
                    HTML(.span) { name }
                }
            }
        }
    }

    private func labels(_ summary: StoreSummary) -> HTML {
        HTML(.div) {
            HTML(.h2) { "Labels" }
            HTML(.ul, .class("chips")) {
                for label in summary.labels.prefix(60) {
                    Self.chip(label.name, "\(label.images)", Self.images(label: label.name))
                }
            }
            if summary.labels.isEmpty { HTML(.p, .class("quiet")) { "The images have no labels." } }
            if summary.labels.count > 60 { HTML(.small) { "\(summary.labels.count - 60) more" } }
        }
    }

    private func skipped(_ skipped: [SkippedRecord]) -> HTML {
        HTML(.div) {
            HTML(.h2) { "Files that were skipped" }
            for file in skipped.prefix(50) {
                HTML(.p) {
                    HTML(.b) { Self.fileName(file.path) }
                    " " + file.reason
                }
            }
            if skipped.count > 50 { HTML(.small) { "\(skipped.count - 50) more" } }
        }
    }

    /// Cells lead to their images. Of many labels, those with the most wrong answers.
    private func confusion(_ matrix: ConfusionMatrix) -> HTML {
        let most = 24
        let wrong = matrix.labels.indices.map { row in
            matrix.classes.indices.reduce(0) { $0 + (matrix.classes[$1] == matrix.labels[row] ? 0 : matrix.counts[row][$1]) }
        }
        let rows = Array(matrix.labels.indices.sorted { wrong[$0] == wrong[$1] ? $0 < $1 : wrong[$0] > wrong[$1] }.prefix(most))
            .sorted()
        let columns = matrix.classes.indices.filter { column in rows.contains { matrix.counts[$0][column] > 0 } }.prefix(2 * most)
        return HTML(.div) {
            HTML(.h2) { "Answers by label" }
            if rows.count < matrix.labels.count {
                HTML(.small) { "The \(rows.count) of \(matrix.labels.count) labels with the most wrong answers" }
            }
            HTML(.div, .class("scroll")) {
                HTML(.table, .class("confusion")) {
                    HTML(.tr) {
                        HTML(.th) { "label ↓ answer →" }
                        for column in columns {
                            HTML(.th, .title(matrix.classes[column])) { Target.shortName(matrix.classes[column]) }
                        }
                    }
                    for row in rows {
                        HTML(.tr) {
                            HTML(.th, .title(matrix.labels[row])) { Target.shortName(matrix.labels[row]) }
                            for column in columns { cell(matrix, row, column) }
                        }
                    }
                }
            }
        }
    }

    private func cell(_ matrix: ConfusionMatrix, _ row: Int, _ column: Int) -> HTML {
        let count = matrix.counts[row][column]
        guard count > 0 else { return HTML(.td) { HTML(.span, .class("c0")) { "·" } } }
        let share = Double(count) / Double(max(matrix.counts[row].reduce(0, +), 1))
        let kind = matrix.labels[row] == matrix.classes[column] ? "right" : "wrong"
        let sql = "label = \(Spelling.sql(matrix.labels[row])) AND predicted = \(Spelling.sql(matrix.classes[column]))"
        return HTML(.td) {
            HTML(
                .a, .class("\(kind)\(share < 0.34 ? 1 : share < 0.67 ? 2 : 3)"), .href(Self.images(where: sql)),
                .title("\(count) images of \(matrix.labels[row]) answered \(matrix.classes[column])")
            ) { count }
        }
    }
}
