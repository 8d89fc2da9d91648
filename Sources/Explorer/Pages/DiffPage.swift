import ActivationStore
import Explanations
import Foundation
import Pages
import Search
import Support

/// Comparisons of two stores, made once for each state of their files.
final class DiffShelf: Sendable {
    private let kept = ResultShelf<Diff>(most: 8)

    func diff(_ query: DiffQuery, from a: Store, to b: Store) throws -> Diff {
        let states = [a, b].map { FileState(path: $0.path)?.text ?? "" }
        let key = (query.options + [a.path, b.path] + states).joined(separator: "\u{1}")
        if let found = kept[key] { return found }
        let diff = try query.run(from: a, to: b, withImages: true)
        kept.put(diff, key)
        return diff
    }
}

extension Explorer {
    /// `/diff?with=NAME`: what `diff` answers of this store and another of the server.
    func diff(_ wanted: Wanted) throws -> Answer {
        guard let first = others.first else {
            throw Refusal(
                sentence: "two stores are compared: serve them together, as in 'neurodex serve monday.sqlite tuesday.sqlite'")
        }
        let name = wanted.address["with"].flatMap { $0.isEmpty ? nil : $0 } ?? first.name
        guard let other = others.first(where: { $0.name == name }) else {
            throw Refusal(
                sentence: "no store of this server is called '\(name)'"
                    + Suggestion.clause(Suggestion.nearest(to: name, among: others.map(\.name), limit: 1)))
        }
        let fields = wanted.question.filter { $0.name != "with" }
        let query = try AddressedQuestion.parse(DiffQuery.self, operands: [], fields: fields) { try $0.check() }
        let line = Spelling.line(
            ["neurodex"] + Spelling.command(DiffQuery.name, options: query.options, operands: [store.path, other.store.path]))
        var page = Answer(
            title: "\(Self.fileName(store.path)) and \(Self.fileName(other.store.path))", kind: "diff", command: line
        ) {
            let diff = try self.diffs.diff(query, from: self.store, to: other.store)
            self.diffForm(wanted, query)
            self.diffNumbers(diff)
            HTML(.section, .class("card")) {
                HTML(.h2) { "Layers, by how their neurons drifted" }
                self.driftMap(diff)
            }
            HTML(.section, .class("card")) {
                HTML(.h2) { "Neurons that changed most" }
                HTML(.p, .class("quiet")) {
                    "Above what a neuron sees here, below what its partner sees in \(other.name). Drift is 1 less their rank correlation."
                }
                diff.neurons.map { self.changed($0, other) }
                if diff.neurons.isEmpty { HTML(.p, .class("note")) { "No neuron that lives in both stores can be ranked." } }
            }
            HTML(.section, .class("card")) { self.predictions(diff.predictions, other) }
        }
        page.subtitle = "A: \(store.path) · B: \(other.store.path)"
        page.address = wanted.address
        page.listing = { try self.commands.diff(query.run(from: self.store, to: other.store)) }
        return page
    }

    private func diffForm(_ wanted: Wanted, _ query: DiffQuery) -> HTML {
        HTML(.form, .class("ask"), Attribute("action", Address("diff"))) {
            Self.choice("With", "with", wanted.address["with"], others.map { ($0.name, $0.store.path) })
            Self.field("Layer", "layer", wanted.address["layer"], hint: "all")
            Self.choice(
                "Partners", "by", query.by.rawValue,
                [("correlation", "most alike"), ("assignment", "best one to one"), ("index", "same channel")])
            Self.field("How many", "k", "\(query.count)", type: "number")
            HTML(.button, .class("primary")) { "Compare" }
        }
    }

    private func diffNumbers(_ diff: Diff) -> HTML {
        let found = diff.predictions
        var numbers = [("\(diff.images.compared)", "images in both"), ("\(found.changed)", "predictions changed")]
        if let a = found.accuracyInA, let b = found.accuracyInB {
            numbers.append((String(format: "%.1f → %.1f %%", a * 100, b * 100), "right of \(found.labelled)"))
        }
        numbers += [("\(diff.apart.died)", "channels died"), ("\(diff.apart.woke)", "woke")]
        return HTML(.div) {
            HTML(.div, .class("numbers")) {
                for (value, name) in numbers {
                    HTML(.div) {
                        HTML(.b) { value }
                        HTML(.span) { name }
                    }
                }
            }
            if diff.isSameModel { HTML(.p, .class("note")) { "Both stores are of the same network." } }
            if diff.preprocessing != nil { HTML(.p, .class("note")) { "Pictures were prepared differently." } }
            if diff.images.onlyInA + diff.images.onlyInB > 0 {
                HTML(.p, .class("quiet")) {
                    "\(diff.images.onlyInA) images are in A alone, \(diff.images.onlyInB) in B alone; they are left out."
                }
            }
            for left in diff.leftOut {
                HTML(.p, .class("quiet")) { "Layer \(left.layer) of \(left.store.uppercased()) is left out: \(left.reason)" }
            }
        }
    }

    /// A neuron with its partner, and what both see where they are strongest.
    private func changed(_ neuron: NeuronDiff, _ other: ServedStore) -> HTML {
        let moved = (went: Set(neuron.went.map(\.imageID)), came: Set(neuron.came.map(\.imageID)))
        return HTML(.article, .class("neuron")) {
            HTML(.h3) {
                HTML(.a, .href(Address("neuron", "\(neuron.layer):\(neuron.channel)"))) {
                    neuronName(neuron.layer, neuron.channel)
                }
                if let partner = neuron.partner {
                    " → "
                    HTML(.a, .href(other.address(["neuron", "\(neuron.other):\(partner)"]))) { "\(neuron.other):\(partner)" }
                }
                HTML(.small) {
                    "drift \(shortNumber(neuron.drift)), \(neuron.shared) strongest shared"
                        + (neuron.shift.map { ", shift \(shortNumber($0))" } ?? "")
                }
            }
            HTML(.div, .class("strip")) {
                neuron.strongestInA.prefix(10).map { seen($0, nil, note: moved.went.contains($0.imageID) ? "went" : nil) }
            }
            HTML(.div, .class("strip")) {
                neuron.strongestInB.prefix(10).map { seen($0, other, note: moved.came.contains($0.imageID) ? "came" : nil) }
            }
        }
    }

    /// - Parameter other: the store that the image is of; nil for this one.
    private func seen(_ hit: TopQuery.Hit, _ other: ServedStore?, note: String?) -> HTML {
        let place = PictureShelf.Place(layer: hit.layer, y: hit.y, x: hit.x)
        let picture = Self.address(ofPicture: hit.imageID, size: 160, place)
        let name = Self.fileName(hit.image) + (note.map { ", \($0)" } ?? "")
        return HTML(
            .a, .class("frame" + (note.map { " \($0)" } ?? "")), .title(name),
            .href(other?.address(["image", "\(hit.imageID)"]) ?? Address("image", "\(hit.imageID)"))
        ) {
            HTML(
                .img, .src(other?.address(picture.path, query: picture.query) ?? picture), .alt("What it saw of \(name)"),
                .width(80), .height(80), Attribute("loading", "lazy"))
        }
    }

    /// Images that the two networks answer differently.
    private func predictions(_ found: PredictionDiff, _ other: ServedStore) -> HTML {
        HTML(.div) {
            HTML(.h2) { "Predictions that changed" }
            HTML(.p, .class("quiet")) {
                "\(found.changed) of \(found.compared): \(found.broken) broken, \(found.mended) mended, the first \(found.changes.count) here."
            }
            HTML(.div, .class("tiles")) {
                for change in found.changes {
                    tile(
                        change.imageID, alt: "The image \(Self.fileName(change.image))",
                        lines: [
                            "\(change.inA) → \(change.inB)", Self.word(of: change),
                            (change.label.map { "label \($0)" } ?? "no label"), Self.fileName(change.image),
                        ])
                }
            }
        }
    }

    private static func word(of change: PredictionDiff.Change) -> String {
        switch (change.isRightInA, change.isRightInB) {
        case (true?, false?): "broken"
        case (false?, true?): "mended"
        default: "other"
        }
    }
}
