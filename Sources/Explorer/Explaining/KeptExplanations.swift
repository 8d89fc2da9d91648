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
        let all = try store.explanations()
        let records = all.filter { method == nil || $0.method == method }
        var page = Answer(
            title: "Explanations", kind: "explanations",
            command: Spelling.line(
                ["neurodex"]
                    + Spelling.command("explanations", options: Spelling.option("--method", method), operands: [store.path]))
        ) {
            let start = min((wanted.page - 1) * Self.keptOfAPage, records.count)
            let shown = records[start..<min(start + Self.keptOfAPage, records.count)]
            self.keptForm(all, method)
            if records.isEmpty {
                HTML(.p, .class("note")) {
                    "The store keeps none" + (method.map { " of \($0)" } ?? "")
                        + ". An image's page makes them, as do saliency, occlusion, cam and deconv."
                }
            }
            try HTML(.div, .class("tiles large")) { try shown.map { try self.tile($0) } }
            HTML(.p) {
                if start + shown.count < records.count {
                    HTML(.a, .class("button"), .href(wanted.address.with("page", "\(wanted.page + 1)"))) { "More" }
                }
            }
        }
        page.subtitle = "\(records.count) that the store keeps"
        page.address = wanted.address
        page.listing = { try self.commands.kept(records) }
        return page
    }

    private func keptForm(_ records: [ExplanationRecord], _ method: String?) -> HTML {
        let counts = Dictionary(grouping: records, by: \.method).mapValues(\.count).sorted { $0.key < $1.key }
        return HTML(.ul, .class("chips")) {
            Self.chip("all", "\(records.count)", Address("explanations"), isCurrent: method == nil)
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

    /// Where it is shown; nil for one of an image that is not the store's.
    private func address(of record: ExplanationRecord) throws -> Address? {
        guard record.image != nil else { return Address(path: ["ascent", record.target]) }
        guard let hash = record.imageSHA256, let image = try store.images(sha256: hash).first else { return nil }
        let order = ExplanationOrder(
            image: .stored(image.id), method: [record.method] + record.arguments, target: record.target,
            isChecked: record.checks != nil)
        return Address(path: ["explanations"], query: order.fields)
    }
}
