import ActivationStore
import Foundation
import Images
import NeuralNetwork
import Support

/// One thread's work: reads, decodes, resizes and runs images, a batch at a time.
final class IndexWorker {
    private let worker: Worker
    private let network: Network
    private let preprocessing: Preprocessing
    private let reader = ImageReader()
    private let logits: Range<Int>?
    private let thumbnailSide: Int?

    /// - Parameter thumbnailSide: of thumbnails, in pixels; nil for none.
    /// - Throws: `NetworkError` where the network's kernels cannot be bound.
    init(_ network: Network, _ preprocessing: Preprocessing, thumbnailSide: Int?) throws {
        self.thumbnailSide = thumbnailSide
        self.network = network
        self.preprocessing = preprocessing
        worker = try network.makeWorker()
        logits = network.layers.last { $0.isLogits }.map { $0.firstNeuron..<$0.firstNeuron + $0.channels }
    }

    /// Until there is no work left, or nobody takes the results.
    func work(from source: WorkSource, to queue: ResultQueue<Outcome>) {
        var isWanted = true
        while isWanted {
            var batch: [(sequence: Int, image: ImageRecord)] = []
            while batch.count < network.batch, isWanted, let (sequence, item) = source.take() {
                switch load(item, slot: batch.count) {
                case .success(let image): batch.append((sequence, image))
                case .failure(let skipped): isWanted = queue.put(.skipped(skipped.record), sequence: sequence)
                }
            }
            guard isWanted, !batch.isEmpty else { return }
            do {
                try worker.run()
                for (slot, entry) in batch.enumerated() where isWanted {
                    isWanted = queue.put(.indexed(result(entry.image, slot: slot)), sequence: entry.sequence)
                }
            } catch {
                _ = queue.put(.failed(error), sequence: batch[0].sequence)
                return
            }
        }
    }

    private struct Skipped: Error { var record: SkippedRecord }

    /// Reads an image into the network's input.
    private func load(_ item: Dataset.Item, slot: Int) -> Result<ImageRecord, Skipped> {
        let facts = FileFacts(item.file)
        do throws(ImageError) {
            let (framed, digest) = try reader.withContents(of: item.file) { bytes throws(ImageError) in
                let framed = try reader.read(bytes, framing: preprocessing.framing)
                return (framed, SHA256.hash(data: bytes))
            }
            preprocessing.write(framed.image, to: worker.input(image: slot))
            var thumbnail: Thumbnail?
            if let thumbnailSide { thumbnail = try Thumbnail(of: framed.image, side: thumbnailSide) }
            return .success(
                ImageRecord(
                    path: item.path, sha256: Data(digest), width: framed.placement.source.width,
                    height: framed.placement.source.height, bytes: facts?.bytes ?? 0, modified: facts?.modified ?? 0,
                    label: item.label, split: item.split, thumbnail: thumbnail))
        } catch {
            return .failure(
                Skipped(
                    record: SkippedRecord(path: item.path, reason: error.reason, bytes: facts?.bytes, modified: facts?.modified)))
        }
    }

    private func result(_ image: ImageRecord, slot: Int) -> IndexedImage {
        let values = worker.maxima(image: slot)
        var image = image
        if let logits, let best = logits.max(by: { values[$0] < values[$1] || values[$0].isNaN && !values[$1].isNaN }) {
            // Scores that are no numbers say of no class that it is the best.
            if !values[best].isNaN { image.predictedClass = best - logits.lowerBound }
            image.predictedScore = values[best]
        }
        return IndexedImage(
            image: image, values: Array(values), positions: Array(worker.positions(image: slot)),
            means: Array(worker.means(image: slot)))
    }
}
