import ActivationStore

/// Those that can judge labels, and which of them does.
struct JudgePanel {
    /// The better first; of an image the first that can judge it is asked.
    private var judges: [(judge: SuspectsQuery.Judge, judgement: Judgement)] = []
    private(set) var remarks: [Remark] = []
    /// Places of images that nobody can judge.
    private(set) var unjudged: [Int] = []
    private(set) var reasonUnjudged = ""

    /// - Parameter by: who alone is to judge; nil for the better of the network and the regression.
    /// - Throws: ``QueryError/cannotJudge(_:reason:)`` where the one that is asked for cannot.
    init(
        _ labels: ImageLabels, _ neurons: NeuronSet, layer: String, _ found: TellingNeurons, witnesses: Int,
        by: SuspectsQuery.Judge?, _ fold: BlockFold
    ) throws {
        var others: [String] = []
        var extent: String?
        func isAsked(_ judge: SuspectsQuery.Judge, unless problem: String?) throws -> Bool {
            guard by == nil || by == judge else { return false }
            guard let problem else { return true }
            guard by == nil else { throw QueryError.cannotJudge(judge, reason: problem) }
            others.append("not by \(judge.name(layer: layer)): \(problem)")
            return false
        }
        let counts = Array(labels.counts.dropLast())
        if try isAsked(.network, unless: NetworkJudge.problem(fold.description, labels: labels)) {
            judges.append((.network, try NetworkJudge.judge(labels, fold)))
        }
        if try isAsked(.regression, unless: RegressionJudge.problem(counts, neurons: neurons.count)),
            let regression = try RegressionJudge(labels, neurons, separation: found.separation, fold)
        {
            judges.append((.regression, regression.judge()))
            extent = regression.extent
        }
        judges.removeAll { $0.judgement.judged == 0 }
        if judges.isEmpty, by == nil || by == .neurons {
            judges = [(.neurons, try NeuronJudge.judge(found.best.map { Array($0.prefix(witnesses)) }, labels, fold))]
        }
        others = compare(layer) + others
        if judges.contains(where: { $0.judge == .regression }), let extent {
            others.append("the regression was fitted to \(extent)")
        }
        if let first = judges.first { remarks = [.rankedBy(first.judge, layer: layer, others: others)] }
        listUnjudged(labels)
    }

    /// Puts the one first that agrees with more labels, of images that both can judge, or the network; says how far each does.
    private mutating func compare(_ layer: String) -> [String] {
        guard judges.count > 1, let count = judges.first?.judgement.opinions.count else { return [] }
        let common = (0..<count).filter { place in judges.allSatisfy { $0.judgement.opinions[place] != nil } }
        guard !common.isEmpty else { return ["no image can be judged by both"] }
        let agreements = judges.map { $0.judgement.agreement(common) }
        let order = judges.indices.sorted { (agreements[$0].right, $1) > (agreements[$1].right, $0) }
        judges = order.map { judges[$0] }
        return [
            "it agrees with \(agreements[order[0]].share) of \(common.count) labels, "
                + "\(judges[1].judge.name(layer: layer)) with \(agreements[order[1]].share)"
        ]
    }

    private mutating func listUnjudged(_ labels: ImageLabels) {
        unjudged = labels.images.indices.filter { place in judges.allSatisfy { $0.judgement.opinions[place] == nil } }
        let few = "has fewer than \(RegressionJudge.parts) images"
        reasonUnjudged =
            switch judges.map(\.judge) {
            case [.network]: "the label is no class of the network, or a score is NaN"
            case [.regression], [.neurons]: "the label \(few)"
            default: "the label is no class of the network and \(few)"
            }
    }

    /// Who judges the image at a place, which other label that suggests, and how likely both are.
    func opinion(_ place: Int) -> (judge: SuspectsQuery.Judge, suggested: String, opinion: Judgement.Opinion) {
        for (judge, judgement) in judges {
            if let opinion = judgement.opinions[place] { return (judge, judgement.names[opinion.suggested], opinion) }
        }
        preconditionFailure("place \(place) is judged by nobody")
    }

    /// Places of the images of which another label is likelier, the most suspect first.
    var ranking: [Int] {
        let isUnjudged = Set(unjudged)
        let count = judges.first?.judgement.opinions.count ?? 0
        let suspects = (0..<count).filter { !isUnjudged.contains($0) }.compactMap { place -> (place: Int, key: Double)? in
            let (judge, _, opinion) = opinion(place)
            guard opinion.disagrees else { return nil }
            return (place, judge == .neurons ? opinion.own - opinion.other : opinion.own)
        }
        return suspects.sorted { $0.key == $1.key ? $0.place < $1.place : $0.key < $1.key }.map(\.place)
    }
}

/// The neurons to be named with an image.
struct SuspectReasons {
    private let found: TellingNeurons
    private let labels: ImageLabels
    private let fold: BlockFold
    private let count: Int
    private let numbers: [String: Int]
    /// By label: what its neurons say, and the copies of each.
    private var heard: [Int: (testimony: Testimony, copies: [[NeuronName]])] = [:]

    init(_ found: TellingNeurons, _ labels: ImageLabels, _ fold: BlockFold, count: Int) {
        (self.found, self.labels, self.fold, self.count) = (found, labels, fold, count)
        numbers = Dictionary(labels.names.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    /// Those that tell `label` best, each once, the loudest on the image first; none where it is no label with images enough.
    mutating func witnesses(of label: String, on place: Int) throws -> [SuspectsQuery.Witness] {
        guard let number = numbers[label], !found.best[number].isEmpty else { return [] }
        let (testimony, copies) = try heard[number] ?? listen(number)
        heard[number] = (testimony, copies)
        let description = fold.description
        let speakers = testimony.neurons.indices.map { which in
            let (layer, channel) = description.name(ofNeuron: testimony.neurons[which])
            return SuspectsQuery.Witness(
                layer: layer, channel: channel, percentile: testimony.percentile(which, place), copies: copies[which])
        }
        return speakers.indices.sorted {
            speakers[$0].percentile == speakers[$1].percentile
                ? $0 < $1 : speakers[$0].percentile > speakers[$1].percentile
        }.map { speakers[$0] }
    }

    private func listen(_ label: Int) throws -> (Testimony, [[NeuronName]]) {
        let best = found.best[label]
        let groups = try Copies(labels.images, fold).groups(best, effects: best.map { _ in 0 }, count: count)
        let testimony = try Testimony(groups.map { best[$0.leader] }, labels.images, fold)
        return (testimony, groups.map { $0.members.map { NeuronName(best[$0], fold.description) } })
    }
}
