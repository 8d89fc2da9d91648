import ActivationStore
import Foundation
import Support

/// How shortcuts are looked for: places in the store, marks and tints in the pictures.
extension ShortcutsQuery {
    /// What was looked for, and what came of it.
    struct Search {
        var labels: ImageLabels
        var mapped: Int
        var asked: Int
        var tellers: [Teller] = []
        /// Pairs of neuron and label, or labels, that were judged, by kind.
        var judged: [Kind: Int] = [:]
        var found: [Shortcut] = []
        var remarks: [Remark] = []
    }

    func isWanted(_ kind: Kind) -> Bool { self.kind.isEmpty || self.kind.contains(kind) }

    /// The neurons that tell labels, and those whose maxima are in one place.
    func places(in store: Store) throws -> Search {
        let description = store.description
        let references = layer.isEmpty ? description.layers.map { $0.name } : layer
        let asked = try NeuronSet(references, in: description)
        let neurons = NeuronSet(
            description.layers.filter { $0.height >= 4 && $0.width >= 4 }.flatMap { layer in
                asked.ranges.map { $0.clamped(to: layer.neurons) }
            })
        return try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            let labels = try ImageLabels(snapshot, images: fold.images, mask: fold.presence)
            guard labels.counts.count(where: { $0 > 0 }) > 1 else { throw QueryError.noLabels }
            let places = PlaceSearch(labels: labels, fold: fold, auroc: auroc, share: share, rate: rate)
            var search = Search(labels: labels, mapped: neurons.count, asked: asked.count)
            search.tellers = try places.tellers(neurons)
            search.remarks = labels.fewImages(PlaceFinding.fewest, so: "no shortcut can be found for them")
            guard isWanted(.place) else { return search }
            let all = try search.tellers.flatMap { try places.places(of: $0) }
            search.judged[.place] = all.count
            search.found = passing(all, expected: 1)
            return search
        }
    }

    /// Marks and tints, beside the places that were found.
    func lookAtPictures(_ search: inout Search, in store: Store) throws {
        let kinds = [Kind.mark, .tint].filter(isWanted)
        let names = kinds.map { $0 == .mark ? "marks that move" : "tints" }.joined(separator: " and ")
        guard let pictures else {
            return search.remarks.append(.plain("\(names) were not looked for: the question was given no pictures"))
        }
        search.remarks += search.labels.fewImages(LabelledPictures.fewest, so: "\(names) are not looked for on them")
        let counts = search.labels.counts
        let told = PictureSearch.told(search.tellers).filter { counts[$0] >= LabelledPictures.fewest }
        guard !told.isEmpty else { return }
        let others = search.labels.names.indices.filter { !told.contains($0) && counts[$0] > 0 }
        let wanted = told + others.prefix(max(0, LabelledPictures.mostLabels - told.count))
        let seen = try LabelledPictures(of: Array(wanted.prefix(LabelledPictures.mostLabels)), search.labels, in: store, pictures)
        search.remarks += Self.unseen(names, told: told.count, seen)
        let inPictures = PictureSearch(store: store, labels: search.labels, tellers: search.tellers, pictures: seen)
        if isWanted(.tint) {
            let all = inPictures.tints()
            search.judged[.tint] = all.count
            search.found += passing(all, expected: TintFinding.mostOthers)
        }
        if isWanted(.mark) {
            let all = try inPictures.marks()
            search.judged[.mark] = all.count
            // What is always in one place was found so, if places were asked for.
            let places = search.found
            search.found += passing(all, expected: PatchSearch.mostOthers).filter { mark in
                !places.contains { place in
                    guard place.label == mark.label, let one = place.spot, let other = mark.spot else { return false }
                    return one.isSame(as: other)
                }
            }
        }
    }

    /// Those that meet the conditions.
    private func passing(_ all: [Shortcut], expected: Double) -> [Shortcut] {
        Shortcut.control(all).filter { $0.q <= rate && $0.share >= share && $0.excess > 0 && $0.expected <= expected }
    }

    /// What could not be looked at.
    private static func unseen(_ names: String, told: Int, _ seen: LabelledPictures) -> [Remark] {
        var remarks: [Remark] = []
        if told > LabelledPictures.mostLabels {
            remarks.append(
                .plain(
                    "\(names) were looked for on the \(LabelledPictures.mostLabels) labels of \(told) that neurons tell best; "
                        + "--layer and --auroc choose others"
                ))
        }
        if seen.missing > 0, let example = seen.example {
            remarks.append(
                .notSeen(
                    images: seen.missing, of: seen.asked, example: example,
                    consequence: "\(names) were looked for without them; --images FOLDER says where they are now"))
        }
        return remarks
    }

    /// Why there is no finding.
    func nothing(_ search: Search) -> [Remark] {
        guard search.mapped > 0 else {
            return [
                .nothing(
                    lookedAt: "0 of \(search.asked) neurons", because: "only those with a map of 4×4 cells and more have places")
            ]
        }
        let (neurons, bound) = ("\(search.mapped) neurons", String(format: "%g", auroc))
        let pairs = search.tellers.reduce(0) { $0 + $1.told.count }
        guard pairs > 0 else {
            return [.nothing(lookedAt: neurons, because: "none tells a label with an AUROC of \(bound) or more")]
        }
        let tail = String(format: "%g %% of the label's images and at a false discovery rate of %g", 100 * share, rate)
        return Kind.allCases.compactMap { kind in
            guard let judged = search.judged[kind] else { return nil }
            let few = "\(pairs) pairs of neuron and label have an AUROC of \(bound) or more, but"
            let because: String
            switch kind {
            case .place where judged == 0:
                because = "\(few) no neuron has a place on \(PlaceFinding.fewest) images of its label"
            case .place:
                because =
                    "of \(judged) pairs of neuron and label with an AUROC of \(bound) or more, "
                    + "none has its maxima in one place on "
                    + tail
            case .mark where judged == 0:
                because = "\(few) no neuron sees enough of \(LabelledPictures.fewest) pictures of its label to compare them"
            case .mark:
                because = "of \(judged) pairs of neuron and label that were compared, none sees the same patch on " + tail
            case .tint where judged == 0:
                because = "\(few) no label has \(LabelledPictures.fewest) pictures whose colours could be compared"
            case .tint:
                because = "of \(judged) labels, none has one tint on " + tail
            }
            return .nothing(lookedAt: neurons, because: because)
        }
    }
}
