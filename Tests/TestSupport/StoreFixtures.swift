public import ActivationStore
import Foundation

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers everywhere.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A folder that is removed with the value's last reference.
public final class TemporaryFolder: Sendable {
    public let path: String

    /// In memory where the system offers that, since stores wait for the disk at every block; or on disk.
    public convenience init(onDisk: Bool = false) throws {
        let memory = "/dev/shm"
        let isMemory = !onDisk && FileManager.default.isWritableFile(atPath: memory)
        try self.init(in: isMemory ? memory : FileManager.default.temporaryDirectory.path)
    }

    public init(in parent: String) throws {
        path = parent + "/neurodex-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    public func file(_ name: String) -> String { path + "/" + name }
}

/// A dataset run through a network, as plain arrays: what a store of it must say.
public struct RecordedDataset: Sendable {
    public var description: StoreDescription
    public var images: [ImageRecord] = []
    /// By image, then neuron.
    public var values: [[Float]] = []
    public var positions: [[UInt32]] = []
    /// By image, then channel of the layers with means.
    public var means: [[Float]] = []

    /// Random activations with many ties, and some NaN, ±∞ and −0 if `hard`.
    public init(
        images count: Int, layers: [LayerRecord], classes: [String] = [], blockImages: Int = 640, topCount: Int = 100,
        seed: UInt64, hard: Bool = true
    ) {
        var random = SeededGenerator(seed: seed)
        description = StoreDescription(
            model: ModelRecord(
                name: "tiny", path: "tiny.onnx", sha256: String(repeating: "ab", count: 32), inputChannels: 3, inputHeight: 8,
                inputWidth: 8, opset: 17),
            preprocessing: #"{"resize":8}"#, preprocessingHash: "cafe", layers: layers, classes: classes,
            blockImages: blockImages, topCount: topCount)
        let special: [Float] = [.nan, .infinity, -.infinity, -0.0, 0]
        for index in 0..<count {
            var row: [Float] = []
            var places: [UInt32] = []
            for layer in description.layers {
                for channel in 0..<layer.channels {
                    let dice = Int.random(in: 0..<20, using: &random)
                    if hard, channel % 7 == 3 {
                        row.append(special[Int.random(in: 0..<(index % 3 == 0 ? 5 : 1), using: &random)])
                    } else if hard, dice < 2 {
                        row.append(special[Int.random(in: 0..<5, using: &random)])
                    } else if dice < 10 {
                        row.append(Float(Int.random(in: -3...3, using: &random)))
                    } else {
                        row.append(Float.random(in: -2...9, using: &random))
                    }
                    places.append(UInt32.random(in: 0..<UInt32(layer.height * layer.width), using: &random))
                }
            }
            values.append(row)
            positions.append(places)
            means.append((0..<description.meanCount).map { _ in Float.random(in: 0...1, using: &random) })
            let label = ["cat", "dog", "it's"][Int.random(in: 0..<3, using: &random)]
            images.append(
                ImageRecord(
                    path: "pets/\(label)/\(index).png", sha256: Data((0..<32).map { UInt8(truncatingIfNeeded: $0 + index) }),
                    width: 10 + index % 5, height: 20, bytes: 1000 + index, modified: 1_700_000_000_000_000_000 + index,
                    label: index % 11 == 10 ? nil : label, split: index % 4 == 0 ? "val" : "train",
                    predictedClass: classes.isEmpty ? nil : index % classes.count, predictedScore: 1.5,
                    thumbnail: index % 3 == 1 ? nil : Thumbnail(jpeg: Data(repeating: UInt8(index % 251), count: 5 + index % 7))))
        }
    }

    /// Layers with every width of position: 1×1, 7×7, 20×20 and 300×300 cells.
    public static func layers(channels: [Int] = [4, 3, 2, 5]) -> [LayerRecord] {
        let sides = [7, 20, 300, 1]
        return channels.indices.map { index in
            LayerRecord(
                name: "layer\(index)", tensor: "t\(index)", operatorName: "Conv", channels: channels[index],
                height: sides[index % 4], width: sides[index % 4],
                receptiveField: index == 0
                    ? ReceptiveFieldRecord(height: 3, width: 5, strideY: 1, strideX: 2, offsetY: -1, offsetX: -2) : nil,
                hasMean: index == 1, isLogits: index == channels.count - 1)
        }
    }

    /// Hands images `range` to a writer.
    public func append(_ range: Range<Int>, to writer: StoreWriter) throws {
        for index in range {
            try values[index].withUnsafeBufferPointer { values in
                try positions[index].withUnsafeBufferPointer { positions in
                    try means[index].withUnsafeBufferPointer { means in
                        try writer.append(image: images[index], values: values, positions: positions, means: means)
                    }
                }
            }
        }
    }

    public func open(_ path: String) throws -> StoreWriter {
        try StoreWriter.open(
            path: path, description: description, run: RunRecord(toolVersion: "test", arguments: ["index"], jobs: 2))
    }

    /// Writes the whole store at once.
    public func write(_ path: String) throws {
        let writer = try open(path)
        try append(0..<images.count, to: writer)
        try writer.finish()
    }

    /// A neuron's images, strongest (or weakest) first, ties by id, NaN left out.
    public func ranking(neuron: Int, lowest: Bool = false, where isKept: (Int) -> Bool = { _ in true }) -> [Int] {
        values.indices.filter { !values[$0][neuron].isNaN && isKept($0) }
            .sorted { a, b in
                let (left, right) = (values[a][neuron], values[b][neuron])
                return left == right ? a < b : (left > right) != lowest
            }
    }
}
