import ActivationStore
import Foundation
import Images
import Indexing
import NeuralNetwork

/// What a run did, as it is said at its end.
struct IndexReport {
    let store: String
    let description: StoreDescription
    let summary: Indexer.Summary
    let labels: RunLabels
    let relabelled: Relabelling.Summary

    /// Prints everything.
    /// - Throws: `StoreError`, and what judging the precision does.
    func print() throws {
        printFiles()
        let isIdle = summary.indexed + summary.skipped + summary.renamed.count == 0 && !summary.interrupted
        if labels.isSaid || summary.indexed > 0 { labels.notes.forEach(printNote) }
        relabelled.lines.forEach(printNote)
        if isIdle, relabelled.isEmpty {
            printNote("\(store): nothing to do, all \(summary.known) images were there already")
            return
        }
        printNote("\(store): " + counts.joined(separator: ", "))
        printNote("pictures: \(try Preprocessing(json: description.preprocessing).summary)")
        printNotNumbers()
        try printAnswers()
        if description.precision != .float32, summary.indexed > 0 { try printAgreement() }
    }

    private func printFiles() {
        for record in summary.skippedExamples { printNote("skipped \(record.path): \(record.reason)") }
        if summary.skipped > summary.skippedExamples.count {
            printNote(
                "… and \(summary.skipped - summary.skippedExamples.count) more; neurodex sql \(store) \"SELECT * FROM skipped_image\" lists them"
            )
        }
        for path in summary.changed.prefix(10) { printNote("changed since it was indexed, run anew: \(path)") }
        for file in summary.renamed.prefix(10) { printNote("renamed: \(file.from) is now \(file.to)") }
    }

    private var counts: [String] {
        let rate = summary.seconds > 0 ? Double(summary.indexed) / summary.seconds : 0
        var parts = [
            String(format: "%d images in %.1f s (%.0f/s)", summary.indexed, summary.seconds, rate),
            "\(description.neuronCount) neurons of \(description.layers.count) layers",
        ]
        if summary.known > 0 { parts.insert("\(summary.known) were there already", at: 1) }
        if summary.skipped > 0 { parts.append("\(summary.skipped) files skipped") }
        if !summary.changed.isEmpty { parts.append("\(summary.changed.count) of them changed") }
        if !summary.renamed.isEmpty { parts.append("\(summary.renamed.count) renamed") }
        return parts
    }

    /// What the network gave that is no number.
    private func printNotNumbers() {
        guard let example = summary.notNumbers.example else { return }
        let layer = description.layer(ofNeuron: example.neuron)
        let (images, neurons) = (summary.notNumbers.images, summary.notNumbers.neurons.count)
        let what =
            switch (summary.notNumbers.haveNaN, summary.notNumbers.haveInfinity) {
            case (true, true): "NaN, which is no number, and infinite values"
            case (true, false): "NaN, which is no number"
            default: "infinite values"
            }
        printNote(
            "the network gives \(what): on \(images) of \(summary.indexed) images, in \(neurons) of \(description.neuronCount) neurons, first \(layer.name):\(example.neuron - layer.firstNeuron) on \(example.path); look for a weight that is NaN, infinite or far too large, or for another preprocessing"
        )
    }

    /// How labels and answers meet.
    private func printAnswers() throws {
        let agreement = try Store.open(path: store).labelAgreement()
        agreement.lines(classes: description.classes).forEach(printNote)
        if description.classes.isEmpty, agreement.labelled > 0, let scores = description.layers.last(where: { $0.isLogits }) {
            printNote(
                "the names of the network's \(scores.channels) classes are not known; --classes names them, so that its answers are compared with the labels"
            )
        }
    }

    /// What it did to the lists of strongest images that the network multiplied less exactly.
    private func printAgreement() throws {
        let agreement = try PrecisionAgreement(of: try Store.open(path: store), model: description.model.path)
        let least = agreement.least.map { ", least in layer \($0.layer): \(percent($0.share))" } ?? ""
        printNote(
            "beside float32, on \(agreement.images) of the images: \(percent(agreement.share)) of the \(agreement.length) strongest of each neuron are the same\(least)"
        )
    }
}
