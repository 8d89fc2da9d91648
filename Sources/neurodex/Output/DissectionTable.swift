import Explanations
import Search
import Support

/// A neuron and a concept that its strong places cover, as they are listed.
struct DissectionRow: NeuronRow {
    var layer: String
    var channel: Int
    var concept: String
    /// Pixels of both by pixels of either.
    var iou: Double
    var precision: Double?
    var recall: Double?
    var threshold: Float
    var images: Int

    static let columns: [ListColumn<DissectionRow>] = list {
        neuronColumn
        layerColumn
        channelColumn
        column("concept", \.concept).shortened
        column("iou", title: "IoU", \.iou)
        column("precision", \.precision)
        column("recall", \.recall)
        column("threshold", \.threshold)
        column("images", \.images)
    }

    init(_ pair: LayerDissection.Pair, of dissection: LayerDissection) {
        (layer, channel, concept) = (dissection.layer, pair.channel, dissection.concepts[pair.concept])
        (iou, precision, recall) = (pair.iou, pair.precision, pair.recall)
        (threshold, images) = (dissection.thresholds[pair.channel], pair.images)
    }
}

/// What is listed of dissections.
struct DissectionListing {
    let rows: [DissectionRow]
    private let dissections: [LayerDissection]
    private let leastIoU: Double
    private let left: Int
    /// The largest IoU of all that could be listed; nil where nothing could.
    private let largest: Double?

    /// - Parameters:
    ///   - isOfPairs: a row for each neuron and concept, instead of one for each neuron.
    ///   - concept: only rows of it.
    ///   - leastIoU: rows have more; 0 for all there are.
    init(_ dissections: [LayerDissection], isOfPairs: Bool, concept: String?, leastIoU: Double, count: Int?) {
        (self.dissections, self.leastIoU) = (dissections, leastIoU)
        let all = dissections.flatMap { dissection -> [DissectionRow] in
            let pairs = isOfPairs || concept != nil ? dissection.pairs : dissection.best
            return pairs.filter { concept == nil || dissection.concepts[$0.concept] == concept }
                .map { DissectionRow($0, of: dissection) }
        }
        largest = all.map(\.iou).max()
        let sorted = all.filter { $0.iou > leastIoU || leastIoU == 0 }.enumerated().sorted {
            ($1.element.iou, $0.offset) < ($0.element.iou, $1.offset)
        }.map(\.element)
        rows = Array(sorted.prefix(count ?? sorted.count))
        left = sorted.count - rows.count
    }

    /// Sentences: the detectors of each layer, and what to know of the numbers.
    var notes: [String] {
        var notes = dissections.map(Self.summary)
        if rows.isEmpty, let largest {
            notes.append(
                "nothing has an IoU above \(leastIoU); the largest is \(shortNumber(largest)), and --min-iou 0 lists all")
        }
        if left > 0 { notes.append("\(left) more rows have an IoU above \(leastIoU); -k \(rows.count + left) lists them") }
        for dissection in dissections.prefix(1) {
            let nowhere = dissection.concepts.indices.filter { dissection.areas[$0] == 0 }
            if let first = nowhere.first {
                notes.append(
                    "\(nowhere.count) of \(dissection.concepts.count) concepts are nowhere in what the network sees, such as \(dissection.concepts[first])"
                )
            }
            if let example = dissection.strangeExample {
                notes.append(
                    "\(dissection.strangePixels) pixels of \(dissection.strangeImages) masks have a colour that the table does not name, and are of no concept, such as \(example)"
                )
            }
        }
        return notes
    }

    private static func summary(_ dissection: LayerDissection) -> String {
        let detectors = dissection.best.filter { $0.iou > DissectionChart.leastIoU }
        let found = Dictionary(grouping: detectors, by: \.concept).mapValues(\.count)
        let most = found.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        let named = most.prefix(8).map { "\(dissection.concepts[$0.key]) \($0.value)" }.joined(separator: ", ")
        let list = named.isEmpty ? "" : ": " + named + (most.count > 8 ? " …" : "")
        return
            "\(dissection.layer): \(detectors.count) of \(dissection.channels) neurons tell \(found.count) of \(dissection.concepts.count) concepts with an IoU above \(DissectionChart.leastIoU), on \(dissection.images) images\(list)"
    }
}
