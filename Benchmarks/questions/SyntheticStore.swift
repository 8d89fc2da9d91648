import ActivationStore
import Foundation
import Images
import Indexing
import Support

/// A store as ResNet-50's recorded channels would fill it: four fifths of them with maps of at most 256 cells. Activations are seeded: each
/// neuron has its own scale and share of zeros, is log-normal otherwise, and is three times as strong on one label's images.
struct SyntheticStore {
    var images: Int
    var divisor: Int
    var labels: Int
    /// JPEGs that the images are of, in turns, each by a name of its own, with thumbnails; nil for images that are nowhere.
    var photos: String?
    /// Whether the last channels are scores of classes, one a label, and the largest is the answer: of three images in four their label.
    var answers = false

    private var layers: [LayerRecord] {
        let shapes = [("l0", 64, 112), ("l1", 2048, 56), ("l2", 3072, 28), ("l3", 10240, 14), ("l4", 9088, 7), ("pool", 2048, 1)]
        // What a cell sees, about as in ResNet-50.
        let fields = [112: (7, 2.0), 56: (35, 4), 28: (99, 8), 14: (299, 16), 7: (483, 32)]
        var layers = shapes.map { name, channels, side in
            LayerRecord(
                name: name, tensor: name, operatorName: "Conv", channels: max(channels / divisor, 1), height: side, width: side,
                receptiveField: fields[side].map { size, stride in
                    let offset = (stride - Double(size)) / 2
                    return ReceptiveFieldRecord(
                        height: size, width: size, strideY: stride, strideX: stride, offsetY: offset, offsetX: offset)
                })
        }
        guard answers else { return layers }
        // As many channels in all.
        layers[4].channels = max(layers[4].channels - labels, 1)
        layers.append(
            LayerRecord(name: "fc", tensor: "fc", operatorName: "Gemm", channels: labels, height: 1, width: 1, isLogits: true))
        return layers
    }

    private static let preprocessing = Preprocessing(.torchvision, input: Size(width: 224, height: 224))

    func description() throws -> StoreDescription {
        StoreDescription(
            model: ModelRecord(
                name: "synthetic", path: "synthetic.onnx", sha256: String(repeating: "0", count: 64), inputChannels: 3,
                inputHeight: 224, inputWidth: 224, opset: 17),
            preprocessing: try Self.preprocessing.canonicalJSON(), preprocessingHash: try Self.preprocessing.hash(),
            layers: layers,
            classes: answers ? (0..<labels).map { "label \($0)" } : [],
            thumbnailSide: photos == nil ? nil : Thumbnail.defaultSide)
    }

    func write(to path: String) throws {
        let description = try self.description()
        let album = try photos.map { try Album($0, beside: path, framing: Self.preprocessing.framing) }
        let writer = try StoreWriter.open(path: path, description: description, run: RunRecord(toolVersion: "benchmark"))
        let count = description.neuronCount
        var generator = Generator(state: 1)
        // The quantiles of a log-normal distribution of deviation 1, by 4096 equal shares.
        let table = (0..<4096).map { Float(exp(Self.normalQuantile((Double($0) + 0.5) / 4096))) }
        let zeros = (0..<count).map { _ in UInt32(generator.next() % 2600) }  // of 4096
        let scales = (0..<count).map { _ in Float(0.1) + Float(generator.next() % 1000) / 100 }
        let chosen = (0..<count).map { _ in Int(generator.next() % UInt64(labels)) }
        let cells = description.layers.flatMap { layer in
            [UInt32](repeating: UInt32(layer.height * layer.width), count: layer.channels)
        }
        var (values, positions) = ([Float](repeating: 0, count: count), [UInt32](repeating: 0, count: count))
        let start = ContinuousClock.now
        for image in 0..<images {
            let label = image * 7919 % labels
            for neuron in 0..<count {
                let bits = generator.next()
                let place = UInt32(truncatingIfNeeded: bits) & 4095
                // Between two quantiles, so that few values are equal but zeros.
                let part = 1 + Float((bits >> 12) & 0xffff) / Float(1 << 20)
                let strength = chosen[neuron] == label ? scales[neuron] * 3 : scales[neuron]
                values[neuron] = place < zeros[neuron] ? 0 : table[Int(place)] * strength * part
                positions[neuron] = UInt32((bits >> 32) * UInt64(cells[neuron]) >> 32)
            }
            let answer = answers ? answer(to: label, &values, &generator) : nil
            var record = ImageRecord(
                path: "images/\(image).jpg", sha256: Data(repeating: UInt8(truncatingIfNeeded: image), count: 32), width: 500,
                height: 375,
                bytes: 100_000, modified: 1, label: "label \(label)", split: image % 5 == 0 ? "val" : "train",
                predictedClass: answer, predictedScore: answer.map { values[count - labels + $0] })
            try album?.place(image, in: &record)
            try values.withUnsafeBufferPointer { values in
                try positions.withUnsafeBufferPointer { positions in
                    try writer.append(
                        image: record, values: values, positions: positions, means: UnsafeBufferPointer(start: nil, count: 0))
                }
            }
        }
        try writer.finish()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        print(
            String(
                format: "%d images × %d neurons made and written in %.1f s, %.0f million activations/s, making them included\n",
                images,
                count, seconds, Double(images * count) / seconds / 1e6))
    }

    /// Puts one score above all others, which becomes the answer.
    private func answer(to label: Int, _ values: inout [Float], _ generator: inout Generator) -> Int {
        let bits = generator.next()
        let answer = bits % 4 == 0 ? Int((bits >> 8) % UInt64(labels)) : label
        let scores = values.count - labels
        let largest = values[scores...].max() ?? 0
        values[scores + answer] = largest + Float((bits >> 32) % 1000) / 250
        return answer
    }

    /// Acklam's rational approximation is more than this needs; a search in the error function is enough.
    private static func normalQuantile(_ share: Double) -> Double {
        var (low, high) = (-8.0, 8.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if 0.5 * erfc(-middle / 2.0.squareRoot()) < share { low = middle } else { high = middle }
        }
        return low
    }

    /// SplitMix64 (Steele, Lea and Flood 2014).
    struct Generator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
