import ActivationStore
import Explanations
import Images

/// The mean of images, and of the maps of each target by each network, added one image after the other.
struct ExplanationMeans<Method: ExplanationMethod> {
    private struct One {
        var mean: MapMean
        var look: MapLook
        /// What is before the target in the title.
        var prefix: String
        var target: Target
        var captions: Set<String> = []
        /// Of the evidence in boxes.
        var shares: [Double] = []
    }

    private let method: Method
    private let clip: Double?
    private var pictures = ImageMean()
    private var maps: [One] = []
    private var labels: [String: Int] = [:]
    private var count = 0

    init(of method: Method, clip: Double?) { (self.method, self.clip) = (method, clip) }

    /// - Parameter prefixes: one an explanation.
    mutating func add(_ answer: Answer, prefixes: [String]) {
        count += 1
        pictures.add(answer.subject.framed.image)
        if let label = answer.subject.stored?.label { labels[label, default: 0] += 1 }
        for (index, explanation) in answer.explanations.enumerated() {
            if index == maps.count {
                let look = method.look(of: explanation.map, target: explanation.target)
                maps.append(
                    One(mean: MapMean(look: look), look: look, prefix: prefixes[index], target: explanation.target))
            }
            maps[index].mean.add(explanation.map)
            maps[index].captions.insert(explanation.target.caption)
            maps[index].shares += answer.findings[index].evidence.map { [$0] } ?? []
        }
    }

    /// For every network and target the mean map, and the target of the first image.
    /// - Throws: `Failure` for maps of different shapes.
    func all() throws -> [(target: Target, map: ExplanationMap)] {
        try maps.map { one in
            guard let map = one.mean.map else {
                throw Failure("the maps have different shapes, so they have no mean; name one layer, or one target, for all")
            }
            return (one.target, map)
        }
    }

    func row() throws -> Figure.Row {
        let panels = try zip(maps, all()).map { one, mean in
            var look = one.look
            look.clip = clip ?? look.clip
            look.quantity = "mean of: " + look.quantity
            let title = one.captions.count == 1 ? one.captions.first ?? "" : "what each is answered with"
            return Figure.Panel(
                .map(mean.map, look, boxes: []), title: one.prefix + title,
                notes: ["mean of \(count) maps"]
                    + (one.shares.isEmpty ? [] : ["in the boxes: \(FindingsOptions.percent(one.shares)) of the evidence"]),
                warnings: mean.map.emptiness.map { [$0] } ?? [])
        }
        let labels = labels.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let named = labels.prefix(5).map { "\($0.value) \(Target.shortName($0.key))" }.joined(separator: ", ")
        return Figure.Row(
            image: pictures.image, title: "Mean of \(count) images",
            notes: named.isEmpty ? [] : [named + (labels.count > 5 ? " and \(labels.count - 5) labels more" : "")],
            panels: panels)
    }
}
