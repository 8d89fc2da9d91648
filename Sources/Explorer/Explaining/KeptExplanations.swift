import ActivationStore
import Explanations
import Foundation
import Pages
import Search
import Support

extension Explorer {
    private static let keptOfAPage = 60

    /// `/explanations`: what `explanations STORE` lists, with the pictures.
    func keptExplanations(_ wanted: Wanted) throws -> Answer {
        if let field = wanted.question.first(where: { $0.name != "method" }) {
            throw Refusal(sentence: "without an image, explanations takes method, not '\(field.name)'")
        }
        let method = wanted.address["method"].flatMap { $0.isEmpty ? nil : $0 }
        let ids = try store.explanationIDs(method: method)
        var page = Answer(
            title: "Explanations", kind: "explanations",
            command: Spelling.line(
                ["neurodex"]
                    + Spelling.command("explanations", options: Spelling.option("--method", method), operands: [store.path]))
        ) {
            let start = min((wanted.page - 1) * Self.keptOfAPage, ids.count)
            let shown = ids[start..<min(start + Self.keptOfAPage, ids.count)]
            try self.keptForm(method)
            if ids.isEmpty {
                HTML(.p, .class("note")) {
                    "The store keeps none" + (method.map { " of \($0)" } ?? "")
                        + ". An image's page makes them, as do saliency, occlusion, cam and deconv."
                }
            }
            try self.kept(shown)
            HTML(.p) {
                if start + shown.count < ids.count {
                    HTML(.a, .class("button"), .href(wanted.address.with("page", "\(wanted.page + 1)"))) { "More" }
                }
            }
        }
        page.subtitle = "\(ids.count) that the store keeps"
        page.address = wanted.address
        page.listing = { try self.commands.kept(self.store.explanations().filter { method == nil || $0.method == method }) }
        return page
    }

    /// Those that are kept of an image, the last ones first; nothing where there are none.
    func keptExplanations(of image: StoredImage) throws -> HTML {
        let ids = try store.explanationIDs(imageSHA256: image.sha256)
        guard !ids.isEmpty else { return HTML() }
        let most = 12
        return try HTML(.section, .class("card")) {
            HTML(.h2) { "Its explanations that the store keeps" }
            try kept(ids.suffix(most).reversed())
            if ids.count > most {
                HTML(.p, .class("quiet")) {
                    "The last \(most) of \(ids.count); "
                    HTML(.a, .href(Address("explanations"))) { "all of the store" }
                    " are on a page of their own."
                }
            }
        }
    }

    /// Only those that are shown are read and checked.
    private func kept(_ ids: some Collection<Int>) throws -> HTML {
        let records = try store.explanations(ids: ids)
        return try HTML(.div) {
            try HTML(.div, .class("tiles large")) { try records.map { try tile($0) } }
            if records.count < ids.count {
                HTML(.p, .class("note")) {
                    "\(ids.count - records.count) more are damaged, and are not shown: 'neurodex verify' names them, and asked for again they are made anew."
                }
            }
        }
    }

    private func keptForm(_ method: String?) throws -> HTML {
        let counts = try store.explanationCounts()
        return HTML(.ul, .class("chips")) {
            Self.chip("all", "\(counts.reduce(0) { $0 + $1.count })", Address("explanations"), isCurrent: method == nil)
            for (name, count) in counts {
                Self.chip(
                    name, "\(count)", Address("explanations", query: [Address.Field("method", name)]), isCurrent: name == method)
            }
        }
    }

    private func tile(_ record: ExplanationRecord) throws -> HTML {
        let address = try address(of: record)
        let picture = HTML(
            .img, .src(Address("kept", "\(record.id ?? 0).png")), Attribute("loading", "lazy"), .width(320), .height(240),
            .alt("\(record.method) of \(record.target)" + (record.image.map { " on \(Self.fileName($0))" } ?? "")))
        return HTML(.figure, .class("tile")) {
            if let address {
                HTML(.a, .class("frame"), .href(address)) { picture }
            } else {
                HTML(.span, .class("frame")) { picture }
            }
            HTML(.figcaption) {
                HTML(.span, .title(record.target)) { HTML(.b) { record.target } }
                HTML(.span) { ([record.method] + record.arguments.filter { !$0.isEmpty }).joined(separator: " ") }
                if let image = record.image { HTML(.span, .title(image)) { Self.fileName(image) } }
            }
        }
    }

    /// Where it is shown; nil for one of an image that is not the store's, and for what has no page.
    private func address(of record: ExplanationRecord) throws -> Address? {
        if record.method == ExplanationArchive.dissectionMethod { return nil }
        guard record.image != nil else { return Address(path: ["ascent", record.target]) }
        guard let hash = record.imageSHA256, let image = try store.images(sha256: hash).first else { return nil }
        let order = ExplanationOrder(
            image: .stored(image.id), method: [record.method] + record.arguments, target: record.target,
            isChecked: record.checks != nil)
        return Address(path: ["explanations"], query: order.fields)
    }
}
