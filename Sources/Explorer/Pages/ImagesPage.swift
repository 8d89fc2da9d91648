import ActivationStore
import Foundation
import Pages
import Search
import Support

extension Explorer {
    private static let imagesOfAPage = 60
    private static let orders = ["id": "id", "score": "score DESC, id", "unsure": "score, id", "path": "path"]

    /// An image of the grid: its id, path, and lines below it.
    private struct Shown {
        var id: Int
        var path: String
        var lines: [String]
    }

    /// `/images`: a grid under any condition; a statement of `sql` gives the same, or `top` where a neuron sorts them.
    func images(_ wanted: Wanted) throws -> Answer {
        if let field = wanted.question.first(where: { !["where", "sort"].contains($0.name) }) {
            throw Refusal(sentence: "images takes where and sort, not '\(field.name)'")
        }
        let condition = wanted.address["where"].flatMap { $0.isEmpty ? nil : $0 }
        let sort = wanted.address["sort"].flatMap { $0.isEmpty ? nil : $0 } ?? "id"
        if let order = Self.orders[sort] { return try images(wanted, condition, order: order) }
        guard sort.contains(":") else {
            throw Refusal(
                sentence:
                    "sort is one of \(Self.orders.keys.sorted().joined(separator: ", ")), or a neuron LAYER:CHANNEL, not '\(sort)'"
            )
        }
        return try images(wanted, condition, neuron: sort)
    }

    private func images(_ wanted: Wanted, _ condition: String?, order: String) throws -> Answer {
        let select =
            "SELECT id, path, label, split, predicted, score, correct FROM image_info\(condition.map { " WHERE (\($0))" } ?? "") "
            + "ORDER BY \(order) LIMIT \(Self.imagesOfAPage + 1) OFFSET \((wanted.page - 1) * Self.imagesOfAPage)"
        let query = SQLQuery(statement: select, timeLimit: 20, memoryLimit: 256)
        return grid(wanted, condition, AddressedQuestion.command(query, store: store.path)) {
            try query.report(from: self.store).listing
        } shown: {
            try query.run(in: self.store).rows.compactMap { row in
                guard row.count > 4, let id = Int(row[0].field) else { return nil }
                let (path, label, answer) = (row[1].field, row[2].field, row[4].field)
                return Shown(
                    id: id, path: path,
                    lines: [
                        answer.isEmpty ? "no answer" : answer, label.isEmpty ? "no label" : "label \(label)", Self.fileName(path),
                    ])
            }
        }
    }

    /// By what they excite a neuron.
    private func images(_ wanted: Wanted, _ condition: String?, neuron: String) throws -> Answer {
        let last = wanted.page * Self.imagesOfAPage
        func question(_ count: Int) throws -> TopQuestion {
            try AddressedQuestion.parse(
                TopQuestion.self, operands: [neuron],
                fields: [.init("k", "\(count)")] + (condition.map { [.init("where", $0)] } ?? []))
        }
        let (listed, asked) = (try question(last), try question(last + 1))
        return grid(wanted, condition, AddressedQuestion.command(listed, store: store.path)) {
            try listed.report(from: self.store).listing
        } shown: {
            let hits = (try asked.report(from: self.store).listing as? Rows<TopQuery.Hit>)?.rows ?? []
            return hits.dropFirst(last - Self.imagesOfAPage).map { hit in
                Shown(
                    id: hit.imageID, path: hit.image,
                    lines: [
                        shortNumber(Double(hit.value)), hit.label.map { "label \($0)" } ?? "no label", Self.fileName(hit.image),
                    ])
            }
        }
    }

    private func grid(
        _ wanted: Wanted, _ condition: String?, _ command: String, listing: @escaping () throws -> any Printable,
        shown: @escaping () throws -> [Shown]
    ) -> Answer {
        var page = Answer(title: "Images", kind: "images", command: command) {
            let images = try shown()
            try self.facets(wanted, condition)
            if images.isEmpty { HTML(.p, .class("note")) { "No image meets the condition. Widen it, or choose another label." } }
            self.ticks(images.prefix(Self.imagesOfAPage).map { self.ticked($0) })
            self.thumbnailNote(images.prefix(Self.imagesOfAPage).map(\.id))
            HTML(.p) {
                if wanted.page > 1 {
                    HTML(.a, .class("button"), .href(wanted.address.with("page", "\(wanted.page - 1)"))) { "Before" }
                }
                " "
                if images.count > Self.imagesOfAPage {
                    HTML(.a, .class("button"), .href(wanted.address.with("page", "\(wanted.page + 1)"))) { "More" }
                }
            }
        }
        page.subtitle = condition
        page.address = wanted.address
        page.listing = listing
        return page
    }

    /// A form whose ticked images are explained side by side, or contrasted with all others.
    private func ticks(_ tiles: [HTML]) -> HTML {
        HTML(.form, .class("ticks"), Attribute("action", Address("explanations")), Attribute("data-ticks")) {
            if !tiles.isEmpty {
                HTML(.div, .class("ticker")) {
                    HTML(.span, Attribute("data-ticked")) { "Tick images to compare them" }
                    HTML(.button) { "Explain side by side" }
                    HTML(.button, Attribute("formaction", Address("contrast"))) { "Contrast with all others" }
                }
            }
            HTML(.div, .class("tiles")) { tiles }
        }
    }

    private func ticked(_ image: Shown) -> HTML {
        let name = Self.fileName(image.path)
        return HTML(.div, .class("tickable")) {
            tile(image.id, alt: "The image \(name)", lines: image.lines)
            HTML(.input, .type("checkbox"), .name("image"), .value("\(image.id)"), .label("Tick \(name)"))
        }
    }

    // MARK: Facets

    private func facets(_ wanted: Wanted, _ condition: String?) throws -> HTML {
        let overview = try overviews.overview(of: store)
        let summary = overview.summary
        var rows: [(title: String, facets: [(String, Int, String)])] = [
            ("", [("all", summary.images, "")]),
            ("Label", summary.labels.prefix(24).map { ($0.name, $0.images, "label = \(Self.quoted($0.name))") }),
            ("Split", summary.splits.prefix(12).map { ($0.name, $0.images, "split = \(Self.quoted($0.name))") }),
            ("Answer", overview.answers.prefix(24).map { ($0.name, $0.count, "predicted = \(Self.quoted($0.name))") }),
            ("Shorter side", overview.sizes.map { ($0.name, $0.count, $0.condition) }),
        ]
        if summary.answers > 0 {
            rows[0].facets.append(("wrong answers", summary.answers - summary.rightAnswers, "NOT correct"))
        }
        return HTML(.div) {
            HTML(.form, .class("ask"), Attribute("action", "/images")) {
                Self.field("Where", "where", condition, hint: "label = 'cat' AND NOT correct", isLong: true)
                sortField(wanted.address["sort"])
                HTML(.button, .class("primary")) { "Show" }
            }
            for row in rows where !row.facets.isEmpty {
                HTML(.div, .class("facet")) {
                    if !row.title.isEmpty { HTML(.small) { row.title } }
                    HTML(.ul, .class("chips")) {
                        for (name, count, sql) in row.facets {
                            Self.chip(
                                name, "\(count)", sql.isEmpty ? Address("images") : Self.images(where: sql),
                                isCurrent: (condition ?? "") == sql)
                        }
                    }
                }
            }
            if summary.labels.count > 24 {
                HTML(.small) { "\(summary.labels.count - 24) more labels: find them by name in the box above." }
            }
        }
    }

    private func sortField(_ sort: String?) -> HTML {
        HTML(.label) {
            "Order"
            HTML(
                .input, .type("text"), .name("sort"), .value(sort ?? ""), Attribute("list", "orders"),
                Attribute("placeholder", "as indexed; score, LAYER:CHANNEL"), Attribute("autocomplete", "off"))
            HTML(.datalist, .id("orders")) {
                HTML(.option, .value("score")) { "score, highest first" }
                HTML(.option, .value("unsure")) { "score, lowest first" }
                HTML(.option, .value("path")) { "path" }
                for layer in store.description.layers.suffix(24) { HTML(.option, .value("\(layer.name):0")) { "a neuron" } }
            }
        }
    }
}

extension Overview {
    /// How many images the network answers with each class, the most frequent first.
    static func answers(_ images: [StoredImage], classes: [String]) -> [(name: String, count: Int)] {
        var counts: [Int: Int] = [:]
        for image in images { if let answer = image.predictedClass { counts[answer, default: 0] += 1 } }
        return counts.filter { classes.indices.contains($0.key) }
            .sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }
            .map { (classes[$0.key], $0.value) }
    }

    /// How many images have a shorter side in each range of pixels; nothing where all are in one.
    static func sizes(_ images: [StoredImage]) -> [(name: String, count: Int, condition: String)] {
        let bounds = [0, 64, 128, 256, 512, 1024, 2048, Int.max]
        let ranges = zip(bounds, bounds.dropFirst()).map { low, high -> (name: String, count: Int, condition: String) in
            let count = images.count { (low..<high).contains(min($0.width, $0.height)) }
            let name = low == 0 ? "below \(high)" : high == .max ? "\(low) and more" : "\(low) to \(high - 1)"
            let tests =
                (low == 0 ? [] : ["min(width, height) >= \(low)"]) + (high == .max ? [] : ["min(width, height) < \(high)"])
            return (name, count, tests.joined(separator: " AND "))
        }.filter { $0.count > 0 }
        return ranges.count > 1 ? ranges : []
    }
}
