import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Pages
import Search
import Support

/// What `ascend` is asked by an address.
struct AscentOrder: Sendable {
    var target: String
    /// As `ascend` takes them.
    var options: [String]

    var key: String { "ascent\0\(target)\0\(options.joined(separator: "\0"))" }

    private static let mostSteps = 4096
    private static let mostPictures = 16

    /// - Throws: ``Refusal`` in the words of the command line, `ExplanationError`, `StoreError`.
    init(_ target: String, _ fields: [Address.Field], in store: Store) throws {
        try ExplanationWishes.refuseFiles(target)
        self.target = try Objective(target, in: store.description).text
        options = fields.filter { !$0.value.isEmpty }.map { "--\($0.name)=\($0.value)" }
        let settings = try Self.settings(options, in: store).settings
        guard settings.steps <= Self.mostSteps, settings.count <= Self.mostPictures else {
            throw Refusal(
                sentence:
                    "a page makes at most \(Self.mostPictures) pictures in \(Self.mostSteps) steps; the command ascend makes more"
            )
        }
        // No other file of this machine is shown.
        if case .file(let path) = settings.start { _ = try store.image(named: path) }
    }

    /// - Returns: with every option spelt out by the style.
    static func settings(_ options: [String], in store: Store) throws -> (settings: AscentSettings, style: AscentStyle) {
        let parsed: AscentOptions
        do {
            parsed = try AscentOptions.parse(options)
        } catch {
            throw Refusal(sentence: AscentOptions.message(for: error), isHelp: AscentOptions.exitCode(for: error) == .success)
        }
        let model = store.description.model
        let settings = parsed.settings(side: min(model.inputHeight, model.inputWidth))
        try settings.validate()
        return (settings, parsed.style)
    }
}

extension ExplanationDesk {
    /// For the queue.
    func making(_ order: AscentOrder) -> WorkQueue.Make {
        { tell in
            let (settings, style) = try AscentOrder.settings(order.options, in: self.store)
            let outcome = try self.using { archive in
                try archive.ascent(of: try self.objective(order), settings: settings, style: style) { progress in
                    try tell(ExplanationProgress(part: nil, done: progress.step, total: settings.steps))
                    return true
                }
            }
            self.ascents.put(outcome, order.key)
            return outcome
        }
    }

    /// What was made a moment ago, or is kept.
    func ready(_ order: AscentOrder) throws -> AscentOutcome? {
        if let outcome = ascents[order.key] { return outcome }
        let (settings, style) = try AscentOrder.settings(order.options, in: store)
        return try using { try $0.keptAscent(of: try objective(order), settings: settings, style: style) }
    }

    /// - Throws: as ``made(_:for:)-(ExplanationOrder,_)``.
    func made(_ order: AscentOrder, for connection: Connection) throws -> AscentOutcome {
        if let ready = try ready(order) { return ready }
        let value = try queue.value(order.key, for: connection, make: making(order))
        guard let outcome = value as? AscentOutcome else { preconditionFailure("an ascent of another type") }
        return outcome
    }

    private func objective(_ order: AscentOrder) throws -> Objective {
        try Objective(order.target, in: store.description).fillingPictures(in: store.description)
    }
}

extension Explorer {
    /// `/ascent/TARGET?style=…`: the pictures that `ascend` makes, and how it went.
    func ascent(_ target: String, _ wanted: Wanted, _ connection: Connection) throws -> Answer {
        let order = try AscentOrder(target, wanted.question, in: store)
        let outcome = try desk.made(order, for: connection)
        var page = Answer(
            title: order.target, kind: "ascent",
            command: Spelling.line(
                ["neurodex"]
                    + Spelling.command(
                        "ascend", options: order.options + ["-o", "picture.png"], operands: [store.path, order.target]))
        ) {
            HTML(.section, .class("card")) { self.ascentForm(order.target, wanted.question) }
            HTML(.section, .class("card maps")) {
                for index in outcome.pictures.indices { self.picture(index, of: outcome, order, wanted) }
            }
            HTML(.section, .class("card")) { self.climb(outcome) }
        }
        page.subtitle = outcome.record.caption
        page.crumbs = HTML(.a, .href(Address("neuron", order.target))) { order.target }
        page.address = wanted.address
        page.text = { format in
            guard format == .json else { throw Refusal(sentence: "an ascent has JSON, and no CSV", status: .notFound) }
            return try outcome.record.json() + "\n"
        }
        return page
    }

    /// `/ascending/TARGET?…`: how far it is, as events; see ``explaining(_:_:)``.
    func ascending(_ target: String, _ wanted: Wanted, _ connection: Connection) throws -> Response {
        let order = try AscentOrder(target, wanted.question, in: store)
        let page = Address(path: ["ascent", order.target], query: wanted.question)
        let jobs = try desk.ready(order) == nil ? [(order.key, desk.making(order))] : []
        return try feed(of: jobs, all: 1, page, connection)
    }

    /// `/ascent.png?target=…&picture=0`.
    func ascentPicture(_ address: Address, _ connection: Connection) throws -> Response? {
        guard address.path == ["ascent.png"] else { return nil }
        let fields = address.query.filter { $0.name != "target" && $0.name != "picture" }
        let outcome = try desk.made(AscentOrder(address["target"] ?? "", fields, in: store), for: connection)
        guard let index = Int(address["picture"] ?? "0"), outcome.pictures.indices.contains(index) else {
            throw Refusal(sentence: "picture is 0 to \(outcome.pictures.count - 1)", status: .notFound)
        }
        return try Self.picture(outcome.pictures[index])
    }

    func ascentForm(_ target: String, _ fields: [Address.Field]) -> HTML {
        func value(_ name: String) -> String? { fields.last { $0.name == name }?.value }
        let others = fields.filter { !["style", "steps", "count", "seed"].contains($0.name) && !$0.value.isEmpty }
        return HTML(
            .form, .class("ask"), Attribute("action", Address(path: ["ascent", target])),
            Attribute("data-explain", Address(path: ["ascending", target]))
        ) {
            Self.choice("Style", "style", value("style") ?? "olah", AscentStyle.allCases.map { ($0.rawValue, $0.rawValue) })
            Self.field("Steps", "steps", value("steps"), type: "number", hint: "256")
            Self.field("Pictures", "count", value("count"), type: "number", hint: "1")
            Self.field("Seed", "seed", value("seed"), type: "number", hint: "0")
            for field in others {
                HTML(.label) {
                    field.name
                    HTML(.input, .type("text"), .name(field.name), .value(field.value))
                }
            }
            HTML(.button, .class("primary")) { "Ascend" }
        }
    }

    private func picture(_ index: Int, of outcome: AscentOutcome, _ order: AscentOrder, _ wanted: Wanted) -> HTML {
        let picture = outcome.pictures[index]
        let fields = [Address.Field("target", order.target), Address.Field("picture", "\(index)")] + wanted.question
        func number(_ values: [Double]) -> String { values.indices.contains(index) ? shortNumber(values[index]) : "none" }
        return HTML(.figure, .class("map")) {
            HTML(.div, .class(DrawnExplanation.isSmall(picture) ? "layers pixels" : "layers")) {
                HTML(
                    .img, .src(Address(path: ["ascent.png"], query: fields)), .alt("What \(order.target) wants"),
                    .width(picture.width), .height(picture.height))
            }
            HTML(.figcaption) {
                HTML(.span) { "\(number(outcome.record.first)) → \(number(outcome.record.last))" }
                if outcome.hasNotRisen { HTML(.span, .class("bad")) { "the objective did not rise" } }
                HTML(.small) { outcome.wasKept ? "kept in the store" : "made now" }
            }
        }
    }

    /// The objective at every step.
    private func climb(_ outcome: AscentOutcome) -> HTML {
        let curve = outcome.record.curve
        let (low, high) = (curve.min() ?? 0, curve.max() ?? 1)
        let points = curve.enumerated().map { step, value in
            let x = Double(step) / Double(max(curve.count - 1, 1)) * 640
            let y = 118 - (high > low ? (value - low) / (high - low) : 0) * 114
            return String(format: "%.1f,%.1f", x, y)
        }
        return HTML(.div) {
            HTML(.h2) { "The objective less its penalties, step by step" }
            HTML(
                .svg, .class("chart climb"), Attribute("viewBox", "0 0 640 138"), Attribute("role", "img"),
                .label(outcome.record.summary)
            ) {
                HTML(.polyline, Attribute("points", points.joined(separator: " ")))
                HTML(.text, Attribute("x", 0), Attribute("y", 134)) { "step 1: \(shortNumber(curve.first ?? 0))" }
                HTML(.text, Attribute("x", 640), Attribute("y", 134), Attribute("text-anchor", "end")) {
                    "step \(curve.count): \(shortNumber(curve.last ?? 0))"
                }
            }
            HTML(.small) { outcome.record.summary }
        }
    }
}
