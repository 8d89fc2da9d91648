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
        let facets = try imageFacets()
        let known = ["where", "sort"] + facets.names
        if let field = wanted.question.first(where: { !known.contains($0.name) }) {
            throw Refusal(sentence: "images takes \(known.joined(separator: ", ")), not '\(field.name)'")
        }
        let condition = try facets.condition(of: wanted.address)
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
            try self.facets(wanted)
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
        page.subtitle = condition.map { $0.count > 400 ? $0.prefix(400) + " …" : $0 }
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

    private func imageFacets() throws -> ImageFacets {
        ImageFacets(
            try overviews.overview(of: store), changes: try others.map { ($0.name, try changedAnswers(in: $0.store)) })
    }

    /// Made once for each state of both files.
    private func changedAnswers(in other: Store) throws -> PredictionDiff {
        let key = [store, other].map { FileState(path: $0.path)?.text ?? "" }.joined(separator: " ") + other.path
        if let known = changes[key] { return known }
        let found = try PredictionDiff.all(from: store, to: other)
        changes.put(found, key)
        return found
    }

    private func facets(_ wanted: Wanted) throws -> HTML {
        let facets = try imageFacets()
        let address = wanted.address.with("page", nil)
        let isAll = address.query.allSatisfy { $0.name == "sort" }
        return HTML(.div) {
            HTML(.form, .class("ask"), Attribute("action", Address("images"))) {
                Self.field("Where", "where", address["where"], hint: "label = 'cat' AND NOT correct", isLong: true)
                sortField(address["sort"])
                for field in address.query where facets.names.contains(field.name) {
                    HTML(.input, .type("hidden"), .name(field.name), .value(field.value))
                }
                HTML(.button, .class("primary")) { "Show" }
            }
            HTML(.ul, .class("chips")) { Self.chip("all", "\(facets.images)", Address("images"), isCurrent: isAll) }
            if let gap = facets.gap { HTML(.p, .class("note")) { gap } }
            for row in facets.rows where !row.values.isEmpty {
                HTML(.div, .class("facet")) {
                    HTML(.small) { row.title }
                    HTML(.ul, .class("chips")) {
                        for value in row.values.prefix(24) {
                            let isSet = address[row.name] == value.name || address["where"] == value.condition
                            let other = address["where"] == value.condition ? address.with("where", nil) : address
                            Self.chip(
                                value.name, "\(value.count)", other.with(row.name, isSet ? nil : value.name), isCurrent: isSet)
                        }
                    }
                    if row.values.count > 24 {
                        HTML(.small) {
                            "\(row.values.count - 24) more: \(row.name)=NAME in the address, or find them in the box above"
                        }
                    }
                }
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
