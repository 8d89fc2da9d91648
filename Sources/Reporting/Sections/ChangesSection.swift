import ActivationStore
import Foundation
import Search
import Support

/// What changed since the network before this one.
struct ChangesSection: SectionMaker {
    let id = "changes"
    let title = "Change since the previous network"
    let explanation = """
        A better average may hide new errors. Both networks are compared on the images that both stores have: which answers turned from wrong to \
        right and from right to wrong, in which groups errors are new, and which neurons no longer see what they saw.
        """

    private struct Layer: TableRow {
        var diff: LayerDiff

        static let columns: [ListColumn<Layer>] = list {
            column("layer", \.diff.layer)
            column("neurons", \.diff.neurons)
            column("median_correlation", title: "median correlation", \.diff.medianCorrelation)
            column("overlap", title: "strongest images kept", \.diff.overlap)
            column("died", \.diff.died)
            column("woke", \.diff.woke)
        }
    }

    private struct Neuron: TableRow {
        var diff: NeuronDiff

        static let columns: [ListColumn<Neuron>] = list {
            column("neuron") { "\($0.diff.layer):\($0.diff.channel)" }
            column("partner") { one in one.diff.partner.map { "\(one.diff.other):\($0)" } }
            column("correlation", \.diff.correlation)
            column("drift", \.diff.drift)
        }
    }

    private struct Flip: TableRow {
        var change: PredictionDiff.Change

        static let columns: [ListColumn<Flip>] = list {
            column("image", \.change.image)
            column("label", \.change.label)
            column("before", \.change.inA)
            column("now", \.change.inB)
            column("change") { $0.kind }
        }

        var kind: String {
            switch (change.isRightInA, change.isRightInB) {
            case (true?, false?): "broken"
            case (false?, true?): "mended"
            default: "other"
            }
        }
    }

    private struct Group: TableRow {
        var label: String
        var broken: Int
        var mended: Int

        static let columns: [ListColumn<Group>] = list {
            column("label", \.label)
            column("broken", title: "new errors", \.broken)
            column("mended", \.mended)
        }
    }

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        guard let path = ground.options.beside else {
            section.add("none", .text("No previous network was named (--beside STORE), so nothing is said of changes."))
            return []
        }
        let old = try Store.open(path: path)
        let diff = try DiffQuery(count: 100_000).run(from: old, to: ground.store)
        let answers = diff.predictions
        var facts = [
            Fact("Previous network", old.description.model.name), Fact("Its SHA-256", old.description.model.sha256),
            Fact(
                "Images compared",
                "\(diff.images.compared); only before: \(diff.images.onlyInA), only now: \(diff.images.onlyInB)"),
            Fact("Other answers", "\(answers.changed) of \(answers.compared)"),
            Fact("From wrong to right, from right to wrong", "\(answers.mended) and \(answers.broken)"),
        ]
        if let before = answers.accuracyInA, let now = answers.accuracyInB {
            facts.append(Fact("Accuracy on these", "\(percent(before)) before, \(percent(now)) now (\(answers.labelled) images)"))
        }
        section.add("facts", ReportTable("Both networks", facts))
        let flips = answers.changes.map { Flip(change: $0) }
        if !flips.isEmpty {
            section.add("flips", ReportTable("Answers that changed, new errors first", flips, limit: 20))
            let groups = Dictionary(grouping: flips.filter { $0.change.label != nil }) { $0.change.label ?? "" }.map {
                label, own in
                Group(label: label, broken: own.count { $0.kind == "broken" }, mended: own.count { $0.kind == "mended" })
            }.sorted { ($1.broken, $0.label) < ($0.broken, $1.label) }
            section.add("groups", ReportTable("New errors by label", groups, limit: 20))
        }
        section.add("layers", ReportTable("Layers", diff.layers.map { Layer(diff: $0) }))
        section.add(
            "neurons", ReportTable("Neurons that changed most", diff.neurons.prefix(200).map { Neuron(diff: $0) }, limit: 12))
        return [
            Finding(
                answers.broken > 0 ? .alarm : .notice,
                "Since \(old.description.model.name): \(counted(answers.broken, "answer")) turned from right to wrong, "
                    + "\(answers.mended) from wrong to right."
            )
        ]
    }
}
