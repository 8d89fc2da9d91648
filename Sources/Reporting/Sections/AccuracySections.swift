import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import Search
import Support

/// How often the network is right.
struct AccuracySection: SectionMaker {
    let id = "accuracy"
    let title = "Accuracy"
    let explanation = """
        Accuracy is the share of images that were answered with their label. With few images it is only roughly known: the 95 % interval \
        (Wilson's) says how roughly. Of a class, recall is the share of its images that were answered with it, and precision the share of the \
        answers with it that were right.
        """

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let rows = try AccuracyQuery(by: []).run(in: ground.store)
        section.add("classes", Self.table(rows.hits))
        section.add(rows.remarks)
        let matrix = ConfusionMatrix(ground.judged, classes: ground.description.classes)
        if matrix.classes.count <= 40 {
            let picture = matrix.page(scale: 1.5).rendered()
            let shown = try ground.add(
                picture, named: "confusion", alternative: Self.alternative(matrix),
                caption: ["Labels (rows) and answers (columns)"])
            section.add("matrix", Gallery(caption: "Confusion matrix", rows: [.init(title: "", pictures: [shown])]))
        }
        let wrong = try ConfusionQuery(right: false).run(in: ground.store)
        if !wrong.isEmpty {
            section.add("confused", ReportTable("What was taken for what, the most frequent first", wrong.hits, limit: 15))
        }
        guard let all = rows.first?.accuracy else { return [] }
        return [Finding(.notice, "The network is right on \(inWords(all)).")]
    }

    /// Of many classes those that are worst, as far as a few images can tell.
    private static func table(_ rows: [AccuracyQuery.Group]) -> ReportTable {
        let (caption, classes) = ("Accuracy, and recall and precision of every class", rows.dropFirst())
        guard classes.count > mostClasses else { return ReportTable(caption, rows, limit: mostClasses + 1) }
        let known = classes.filter { ($0.accuracy?.total ?? 0) >= ReportGround.fewestImages }
        guard !known.isEmpty else {
            return ReportTable(
                caption, rows, showing: Array(rows.prefix(1)),
                "No class has \(ReportGround.fewestImages) images, so none is shown by itself. The first of")
        }
        let worst = known.enumerated().sorted {
            ($0.element.accuracy?.share ?? 1, $0.offset) < ($1.element.accuracy?.share ?? 1, $1.offset)
        }.prefix(shownClasses).map(\.element)
        return ReportTable(
            caption, rows, showing: rows.prefix(1) + worst,
            "All images, and the \(worst.count) classes with the lowest accuracy among the \(known.count) that have "
                + "\(ReportGround.fewestImages) images and more, of")
    }

    /// More are not listed one by one, but so many of the worst.
    private static let mostClasses = 60
    private static let shownClasses = 20

    private static func alternative(_ matrix: ConfusionMatrix) -> String {
        "Confusion matrix of \(matrix.labels.count) labels and \(matrix.classes.count) classes: \(matrix.right) of "
            + "\(matrix.judged) images lie on its diagonal. The table beside it has all cells that do not."
    }
}

/// Whether it is as often right as it is sure.
struct CalibrationSection: SectionMaker {
    let id = "calibration"
    let title = "Calibration"
    let explanation = """
        A network gives a probability with every answer. Of answers that are 90 % sure, nine of ten should be right. The expected \
        calibration error is how far probability and share of right answers are apart, on average over all answers.
        """

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let rows = try CalibrationQuery(bins: 10).run(in: ground.store)
        section.add("bins", ReportTable("Answers by their probability", rows.hits))
        section.add(rows.remarks)
        guard let all = rows.first else { return [] }
        let picture = ReliabilityPicture(bins: Array(rows.dropFirst())).page().rendered()
        let shown = try ground.add(
            picture, named: "reliability",
            alternative:
                "Share of right answers over mean probability, a bar a bin; the diagonal is where both are equal. The "
                + "table has the numbers.",
            caption: ["Bars below the diagonal: too sure"])
        section.add("diagram", Gallery(caption: "Reliability", rows: [.init(title: "", pictures: [shown])]))
        let direction = all.confidence > all.accuracy.share ? "too sure" : "not sure enough"
        return [
            Finding(
                .notice,
                "Its answers are \(percent(all.confidence)) sure on average and right in \(percent(all.accuracy.share)): "
                    + "\(direction) by \(percent(abs(all.confidence - all.accuracy.share))); expected calibration error "
                    + "\(percent(all.error))."
            )
        ]
    }
}

/// The same by groups of images.
struct GroupsSection: SectionMaker {
    let id = "groups"
    let title = "Groups"
    let explanation = """
        A good average can hide a group on which the network is bad. Groups are listed from the smallest on, since the smallest are the least \
        known: look at the interval before comparing two of them.
        """

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let hasSplits = Set(ground.judged.map(\.split)).count > 1
        let own = try ground.options.groups.map { try ImageTable(contentsOf: $0).columns } ?? []
        let columns = ground.options.group.isEmpty ? own + (hasSplits ? ["split"] : []) + ["label"] : ground.options.group
        let rows = try AccuracyQuery(by: columns, groups: ground.options.groups).run(in: ground.store)
        let groups = Array(rows.dropFirst())
        section.add(rows.remarks)
        for column in columns {
            let own = groups.filter { $0.by == column }
            section.add(
                "by-\(columns.firstIndex(of: column) ?? 0)", ReportTable("By \(column), the smallest group first", own, limit: 40)
            )
        }
        guard let all = rows.first?.accuracy,
            let worst = groups.filter({ ($0.accuracy?.total ?? 0) >= ReportGround.fewestImages }).min(by: {
                ($0.accuracy?.share ?? 1) < ($1.accuracy?.share ?? 1)
            }),
            let share = worst.accuracy
        else {
            section.add("worst", .text("No group has \(ReportGround.fewestImages) images, so none is called the worst."))
            return []
        }
        let name = "\(worst.by) \(worst.group ?? "(none)")"
        let isApart = share.high < all.low
        section.add(
            "worst",
            .text(
                "The worst group of \(ReportGround.fewestImages) images and more is \(name): \(inWords(share)). "
                    + (isApart
                        ? "Its interval lies below that of all images."
                        : "Its interval overlaps that of all images, so chance may explain it.")))
        return isApart
            ? [Finding(.alarm, "The group \(name) is worse than the whole: \(inWords(share)), all images \(percent(all.share)).")]
            : []
    }
}

/// Shares of right answers over mean probabilities.
struct ReliabilityPicture {
    let bins: [CalibrationQuery.Bin]

    func page() -> Page {
        let (side, left, top) = (220.0, 54.0, 14.0)
        var page = Page(width: left + side + 20, height: top + side + 52, scale: 1.5)
        for bin in bins {
            let height = side * bin.accuracy.share
            let x = left + side * bin.from
            let width = max(side * (bin.to - bin.from) - 1, 1)
            page.fill(x: x, y: top + side - height, width: width, height: height, with: Color(hex: 0x9CC3E2))
            let (low, high) = (top + side * (1 - bin.accuracy.low), top + side * (1 - bin.accuracy.high))
            page.fill(x: x + width / 2 - 0.5, y: high, width: 1, height: max(low - high, 1), with: Color(hex: 0x08306B))
        }
        for step in 0..<110 {
            let along = side * Double(step) / 110
            page.fill(x: left + along, y: top + side - along - 2, width: 2, height: 2, with: Color(hex: 0xC2185B))
        }
        page.outline(Rectangle(x: left, y: top, width: side, height: side), thickness: 0.5, with: Page.Palette.rule)
        for (share, text) in [(0.0, "0"), (0.5, "50"), (1.0, "100 %")] {
            page.write(
                text, x: left + side * share - Font.regular.width(of: text) / 2, y: top + side + 4, color: Page.Palette.quiet)
            page.write(
                text, x: left - 6 - Font.regular.width(of: text), y: top + side * (1 - share) - Font.regular.lineHeight / 2,
                color: Page.Palette.quiet)
        }
        page.write("probability of the answer", x: left, y: top + side + 24)
        return page
    }
}
