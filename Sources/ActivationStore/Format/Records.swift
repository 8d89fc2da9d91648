import CKernels
public import Foundation
import GRDB

/// The network a store is of.
public struct ModelRecord: Hashable, Sendable {
    public var name: String
    /// Where the file was when the store was made.
    public var path: String
    /// Of the file and its external weights, lower-case hexadecimal.
    public var sha256: String
    public var inputChannels: Int
    public var inputHeight: Int
    public var inputWidth: Int
    public var opset: Int
    /// Which output of the file is computed; nil for its first.
    public var output: String?
    /// Further outputs that are computed too.
    public var others: [String]
    /// What convolutions multiplied, such as "bfloat16"; nil for float32.
    public var precision: String?
    /// How the layers were chosen; nil where the store does not say, as before version 4.
    public var choice: LayerChoice?
    /// How the file makes probabilities of its scores; nil where it does not, or the store does not say, as before version 0.3.
    public var answer: AnswerForm?
    /// What inputs beside the image hold, as JSON; nil where there are none.
    public var inputs: String?
    /// Names of the numbers that the network answers with, perhaps with units (`age [years]`), in its order; none where nobody said, or where it
    /// answers with scores of classes.
    public var outputNames: [String]

    public init(
        name: String, path: String, sha256: String, inputChannels: Int, inputHeight: Int, inputWidth: Int, opset: Int,
        output: String? = nil, others: [String] = [], precision: String? = nil, choice: LayerChoice? = nil,
        answer: AnswerForm? = nil, inputs: String? = nil, outputNames: [String] = []
    ) {
        self.name = name
        self.path = path
        self.sha256 = sha256
        self.inputChannels = inputChannels
        self.inputHeight = inputHeight
        self.inputWidth = inputWidth
        self.opset = opset
        self.output = output
        self.others = others
        self.precision = precision
        self.choice = choice
        self.answer = answer
        self.inputs = inputs
        self.outputNames = outputNames
    }
}

/// What makes probabilities of the scores of classes.
public enum AnswerForm: String, Sendable {
    case softmax
    /// Each class by itself.
    case sigmoid
}

/// What was asked to be recorded of a network.
public struct LayerChoice: Hashable, Sendable {
    /// Whether of a layer with an activation function what stands before it is recorded.
    public var beforeActivation: Bool
    /// Names of layers, with `*` and `?`; empty for the default ones.
    public var patterns: [String]

    public init(beforeActivation: Bool, patterns: [String]) {
        self.beforeActivation = beforeActivation
        self.patterns = patterns
    }
}

/// What one cell of a layer's map sees of the input: cell (y, x) covers the rows `offsetY + y·strideY ..< that + height`,
/// and columns likewise. Pixels of the network's input frame.
public struct ReceptiveFieldRecord: Hashable, Sendable {
    public var height: Int
    public var width: Int
    public var strideY: Double
    public var strideX: Double
    public var offsetY: Double
    public var offsetX: Double

    public init(height: Int, width: Int, strideY: Double, strideX: Double, offsetY: Double, offsetX: Double) {
        self.height = height
        self.width = width
        self.strideY = strideY
        self.strideX = strideX
        self.offsetY = offsetY
        self.offsetX = offsetX
    }
}

/// One recorded layer.
public struct LayerRecord: Hashable, Sendable {
    public var name: String
    /// The ONNX value that is recorded.
    public var tensor: String
    /// The ONNX operator that the layer is named for.
    public var operatorName: String
    public var channels: Int
    /// Rows of the map; 1 for a vector.
    public var height: Int
    /// Columns of the map; 1 for a vector.
    public var width: Int
    public var receptiveField: ReceptiveFieldRecord?
    /// Whether the spatial means are kept too.
    public var hasMean: Bool
    /// Whether the channels are the network's classes, before softmax.
    public var isLogits: Bool
    /// The neuron id of channel 0. Set by ``StoreDescription``.
    public package(set) var firstNeuron = 0

    public init(
        name: String, tensor: String, operatorName: String, channels: Int, height: Int, width: Int,
        receptiveField: ReceptiveFieldRecord? = nil, hasMean: Bool = false, isLogits: Bool = false
    ) {
        self.name = name
        self.tensor = tensor
        self.operatorName = operatorName
        self.channels = channels
        self.height = height
        self.width = width
        self.receptiveField = receptiveField
        self.hasMean = hasMean
        self.isLogits = isLogits
    }

    /// The ids of the layer's neurons.
    public var neurons: Range<Int> { firstNeuron..<firstNeuron + channels }

    /// Bytes of one stored position: the smallest unsigned integer that tells the map's cells apart.
    public var positionBytes: Int {
        switch height * width {
        case ...1: 0
        case ...256: 1
        case ...65536: 2
        default: 4
        }
    }
}

extension StoreDescription {
    /// The layer that has the numbers of ``ModelRecord/outputNames``: the last without a map that has as many channels.
    public var namedOutputs: LayerRecord? {
        let count = model.outputNames.count
        return count == 0 ? nil : layers.last { $0.height * $0.width == 1 && $0.channels == count && !$0.isLogits }
    }
}

/// What a store is of. Two runs with equal descriptions may go into one store.
public struct StoreDescription: Hashable, Sendable {
    public let model: ModelRecord
    /// Canonical JSON.
    public let preprocessing: String
    public let preprocessingHash: String
    /// In the order of the graph, their neurons numbered without gaps.
    public let layers: [LayerRecord]
    /// Names of the network's outputs, by channel of the logits; empty when not known.
    public let classes: [String]
    /// Images in a full block.
    public let blockImages: Int
    /// Length of the kept list of each neuron's strongest images.
    public let topCount: Int
    /// Which part of the dataset the store is of; nil for all of it.
    public let shard: Shard?
    /// The longest side, in pixels, of the thumbnails that are kept of images added later; nil for none. Stores of one set may differ in it.
    public internal(set) var thumbnailSide: Int?

    /// - Precondition: there is a layer; there are at most 1 048 576 neurons; `blockImages` rows fit a page; `topCount` ≥ 1.
    public init(
        model: ModelRecord, preprocessing: String, preprocessingHash: String, layers: [LayerRecord],
        classes: [String] = [], blockImages: Int = 640, topCount: Int = 100, shard: Shard? = nil,
        thumbnailSide: Int? = nil
    ) {
        var numbered = layers
        var next = 0
        for index in numbered.indices {
            numbered[index].firstNeuron = next
            next += numbered[index].channels
        }
        precondition(!layers.isEmpty, "a store needs a layer")
        precondition(next <= Schema.neuronLimit, "a store holds at most \(Schema.neuronLimit) neurons")
        precondition((1...Schema.largestBlock).contains(blockImages), "a row of \(blockImages) images overflows a page")
        precondition(topCount >= 1, "the list of the strongest holds at least one")
        self.model = model
        self.preprocessing = preprocessing
        self.preprocessingHash = preprocessingHash
        self.layers = numbered
        self.classes = classes
        self.blockImages = blockImages
        self.topCount = topCount
        self.shard = shard
        self.thumbnailSide = thumbnailSide
    }

    /// The same, with other names of the classes.
    func naming(classes: [String]) -> StoreDescription {
        StoreDescription(
            model: model, preprocessing: preprocessing, preprocessingHash: preprocessingHash, layers: layers, classes: classes,
            blockImages: blockImages, topCount: topCount, shard: shard, thumbnailSide: thumbnailSide)
    }

    /// The same, with thumbnails of another size; nil for none.
    public func keepingThumbnails(side: Int?) -> StoreDescription {
        var description = self
        description.thumbnailSide = side
        return description
    }

    /// The same, of all of the dataset.
    var whole: StoreDescription {
        StoreDescription(
            model: model, preprocessing: preprocessing, preprocessingHash: preprocessingHash, layers: layers, classes: classes,
            blockImages: blockImages, topCount: topCount, thumbnailSide: thumbnailSide)
    }

    /// Images in a block of a store of these layers: 640, or fewer where the block being filled and the lists of the strongest would
    /// take more than 120 MiB of memory, though never fewer than 256.
    ///
    /// Rows of these sizes fill pages to 95 % and more, whether positions take one byte or two.
    public static func blockImages(layers: [LayerRecord], topCount: Int) -> Int {
        let sizes = [640, 448, 320, 256]
        let image = layers.reduce(0) { $0 + $1.channels * (MemoryLayout<Float>.size + $1.positionBytes) }
        let lists = layers.reduce(0) { $0 + $1.channels } * topCount * MemoryLayout<ndx_top>.size
        return sizes.first { $0 * image + lists <= 120 << 20 } ?? sizes[sizes.count - 1]
    }

    /// For each class the first one that has its name, which itself is, mostly: two classes of one name are not told apart by labels.
    package var firstOfSameName: [Int] {
        var first: [String: Int] = [:]
        return classes.enumerated().map { channel, name in
            let known = first[name] ?? channel
            first[name] = known
            return known
        }
    }

    public var neuronCount: Int { layers.last.map { $0.neurons.upperBound } ?? 0 }
    /// Channels of the layers with means, which is how many means an image brings.
    public var meanCount: Int { layers.reduce(0) { $0 + ($1.hasMean ? $1.channels : 0) } }

    /// The layer that a neuron id belongs to.
    /// - Precondition: `neuron` is in `0 ..< neuronCount`.
    public func layer(ofNeuron neuron: Int) -> LayerRecord {
        var low = 0
        var high = layers.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if layers[middle].firstNeuron <= neuron { low = middle } else { high = middle - 1 }
        }
        return layers[low]
    }
}

/// One image that was run.
public struct ImageRecord: Hashable, Sendable {
    public var path: String
    /// Of the file; 32 bytes.
    public var sha256: Data
    /// Pixels of the file, after orientation.
    public var width: Int
    public var height: Int
    /// Of the file.
    public var bytes: Int
    /// Of the file, nanoseconds since 1970.
    public var modified: Int
    public var label: String?
    public var split: String?
    /// Channel of the largest logit.
    public var predictedClass: Int?
    /// The largest logit.
    public var predictedScore: Float?
    /// What the network saw of it, made smaller; nil for none.
    public var thumbnail: Thumbnail?

    public init(
        path: String, sha256: Data, width: Int, height: Int, bytes: Int, modified: Int, label: String? = nil,
        split: String? = nil, predictedClass: Int? = nil, predictedScore: Float? = nil, thumbnail: Thumbnail? = nil
    ) {
        self.path = path
        self.sha256 = sha256
        self.width = width
        self.height = height
        self.bytes = bytes
        self.modified = modified
        self.label = label
        self.split = split
        self.predictedClass = predictedClass
        self.predictedScore = predictedScore
        self.thumbnail = thumbnail
    }
}

/// A small picture of what the network saw of an image: resized and cropped, then made smaller.
public struct Thumbnail: Hashable, Sendable {
    public var jpeg: Data
    /// False where a store that it was copied from had damaged bytes; they are kept, and go on counting as damaged.
    package var isIntact = true

    public init(jpeg: Data) { self.jpeg = jpeg }
}

/// A file that could not be decoded.
public struct SkippedRecord: Hashable, Sendable {
    public var path: String
    public var reason: String
    public var bytes: Int?
    /// Nanoseconds since 1970.
    public var modified: Int?

    /// - Parameter row: of all columns of `skipped_image`.
    init(row: Row) throws {
        self.init(
            path: try row.decode(forColumn: "path"), reason: try row.decode(forColumn: "reason"),
            bytes: try row.decode(forColumn: "bytes"), modified: try row.decode(forColumn: "mtime_ns"))
    }

    public init(path: String, reason: String, bytes: Int? = nil, modified: Int? = nil) {
        self.path = path
        self.reason = reason
        self.bytes = bytes
        self.modified = modified
    }
}

/// What a store remembers of an image's file, to tell whether it changed.
public struct KnownImage: Hashable, Sendable {
    public let id: Int
    public let sha256: Data
    public let bytes: Int
    public let modified: Int
    public let label: String?
    public let split: String?
}

/// Who writes to a store, for its `run` table.
public struct RunRecord: Hashable, Sendable {
    public var toolVersion: String
    public var host: String?
    public var arguments: [String]
    public var jobs: Int?

    public init(toolVersion: String, host: String? = nil, arguments: [String] = [], jobs: Int? = nil) {
        self.toolVersion = toolVersion
        self.host = host
        self.arguments = arguments
        self.jobs = jobs
    }
}
