import ActivationStore
import Support

/// Groups of images: by label, and within a label by what else holds of them.
struct RetrainingGroups {
    /// What an image may have besides its label.
    struct Attribute {
        /// As people read it, such as `conv4:3 > 1.25`.
        var name: String
        /// One a lane.
        var holds: [Bool]
    }

    /// Names of the groups, by label and then by attributes.
    private(set) var names: [String] = []
    /// The label of each group: a class of the network.
    private(set) var labels: [Int] = []
    /// The group of each lane; nil for images without a label that is a class.
    private(set) var ofImage: [Int?]
    /// Pairs of a small group and the one that it was joined to.
    private(set) var joined: [(name: String, images: Int)] = []

    /// - Parameters:
    ///   - classOfImage: of each lane, the class that is its label.
    ///   - fewest: training images that a group needs; smaller ones are joined to the largest of their label.
    init(classes: [String], classOfImage: [Int?], attributes: [Attribute], training: [Int], fewest: Int) {
        let combinations = 1 << attributes.count
        func group(_ image: Int) -> Int? {
            classOfImage[image].map { label in
                attributes.enumerated().reduce(label * combinations) { $0 + ($1.element.holds[image] ? 1 << $1.offset : 0) }
            }
        }
        var counts = [Int](repeating: 0, count: classes.count * combinations)
        for image in training { if let group = group(image) { counts[group] += 1 } }
        func name(_ group: Int) -> String {
            let parts = attributes.enumerated().map { place, attribute in
                (group % combinations >> place & 1 == 1 ? "" : "not ") + attribute.name
            }
            return ([classes[group / combinations]] + parts).joined(separator: ", ")
        }
        // Where a label's small groups go.
        var target = Array(counts.indices)
        for label in classes.indices {
            let own = label * combinations..<(label + 1) * combinations
            guard let largest = own.max(by: { (counts[$0], $1) < (counts[$1], $0) }) else { continue }
            for group in own where group != largest && counts[group] < fewest {
                target[group] = largest
                if counts[group] > 0 { joined.append((name(group), counts[group])) }
            }
        }
        let kept = counts.indices.filter { target[$0] == $0 && counts[$0] > 0 }
        let number = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
        let isSplit = Set(kept.filter { group in kept.contains { $0 != group && $0 / combinations == group / combinations } })
        names = kept.map { isSplit.contains($0) ? name($0) : classes[$0 / combinations] }
        labels = kept.map { $0 / combinations }
        ofImage = classOfImage.indices.map { image in group(image).flatMap { number[target[$0]] } }
    }
}

extension RetrainingGroups {
    /// Between the images on which a neuron is off and those on which it is on: the threshold that makes the variance between both largest.
    ///
    /// Otsu, "A Threshold Selection Method from Gray-Level Histograms", 1979, over the values themselves. Nil where all are equal.
    static func threshold(_ values: [Float]) -> Float? {
        let sorted = values.filter { $0.isFinite }.sorted()
        let total = sorted.reduce(0.0) { $0 + Double($1) }
        var (sum, best) = (0.0, (spread: 0.0, threshold: Float?.none))
        for index in sorted.indices.dropLast() {
            sum += Double(sorted[index])
            guard sorted[index] < sorted[index + 1] else { continue }
            let (below, above) = (Double(index + 1), Double(sorted.count - index - 1))
            let difference = sum / below - (total - sum) / above
            let spread = below * above * difference * difference
            if spread > best.spread { best = (spread, (sorted[index] + sorted[index + 1]) / 2) }
        }
        return best.threshold
    }
}
