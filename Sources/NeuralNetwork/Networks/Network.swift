import CKernels
package import Foundation

/// A CNN ready to run: read from an ONNX file, fused, its kernels compiled and its weights packed once.
///
/// Workers share it; each runs on one thread. Image tensors are NHWC.
public final class Network: Sendable {
    public struct Options: Sendable {
        /// Images that a worker runs at once. Where a file mixes the images of a batch, 1 whatever is asked.
        public var batch = 2
        /// Layers to record, with `*` and `?`; empty for the default ones.
        public var layers: [String] = []
        /// Record what stands before activation functions.
        public var beforeActivation = false
        /// Keep the spatial means of all layers, not only of the one that feeds the classifier.
        public var everyMean = false
        /// The output to compute, for models that have several.
        public var output: String?
        /// Further outputs, or tensors, that are computed too: their elements are neurons, and no classes.
        public var others: [String] = []
        /// A second output that is computed too, and is the end of the answer.
        public var joined: JoinedOutput?
        /// Answer with what stands before sigmoids and softmaxes, wherever they make an element of the output.
        public var beforeProbabilities = false
        /// For models that leave the picture's size open.
        public var inputSize: (height: Int, width: Int)?
        /// What inputs beside the image hold.
        public var inputs: [GivenInput] = []
        /// Whether the channels of the answer are scores of classes; nil for what the graph looks like.
        public var hasClasses: Bool?
        public var precision = Precision.float32
        /// Whether the processor can do with what `precision` says; nil for what it says of itself.
        package var supportsPrecision: Bool?

        public init() {}
    }

    /// An output of a detector that has boxes in one and scores in another.
    public struct JoinedOutput: Equatable, Hashable, Sendable {
        public var name: String
        /// Along which it is put behind the first output, the batch's axis being 0.
        public var axis: Int
        /// Whether its axes behind the batch's, two, change places before.
        public var isTurned: Bool

        public init(name: String, axis: Int, isTurned: Bool = false) {
            (self.name, self.axis, self.isTurned) = (name, axis, isTurned)
        }
    }

    public struct Input: Equatable, Sendable {
        public var channels: Int
        public var height: Int
        public var width: Int
        /// Whether the file takes pixels as bytes, 0 to 255, and makes of them what it needs itself.
        public var takesBytes: Bool

        init(_ graph: Graph) {
            let shape = graph.values[graph.input].shape ?? []
            (channels, height, width) = (shape[1], shape[2], shape[3])
            takesBytes = graph.inputType.isInteger
        }
    }

    public let path: String
    /// Of the file's bytes, and of the files of external weights that it names.
    public let sha256: String
    public let opset: Int
    public let input: Input
    /// What the file says of itself, by key.
    public let metadata: [String: String]
    /// The output that was asked for; nil for the first of the file.
    public let outputName: String?
    /// Further outputs that were asked for, in order.
    public let otherOutputs: [String]
    /// How the file makes probabilities of the scores of its classes; nil where its answer is the scores, or none of classes.
    public let answer: AnswerFunction?
    /// In the order in which they are computed.
    public let layers: [Layer]
    /// Channels of all layers.
    public let neuronCount: Int
    /// Channels of the layers that keep their means.
    public let meanCount: Int
    public let batch: Int
    public let precision: Precision
    /// What inputs beside the image hold.
    public let givenInputs: [GivenInput]
    /// As in the options that it was read with: how its layers were chosen.
    public let layerPatterns: [String]
    public let recordsBeforeActivation: Bool

    let program: Program
    let plan: MemoryPlan
    /// The network's answer.
    let output: Location

    /// - Throws: `NetworkError` for whatever is wrong with the file, before anything runs.
    public convenience init(contentsOf path: String, options: Options = Options()) throws {
        try self.init(ModelFile(path: path), options: options)
    }

    /// From the bytes of a file that stands, or would stand, at `path`.
    package convenience init(bytes: Data, path: String, options: Options = Options()) throws {
        try self.init(ModelFile(bytes: FileBytes(bytes), path: path), options: options)
    }

    private init(_ file: ModelFile, options: Options) throws {
        (precision, layerPatterns, recordsBeforeActivation) = (options.precision, options.layers, options.beforeActivation)
        guard options.supportsPrecision ?? precision.isSupported else { throw NetworkError.precision(precision) }
        var graph = try Importer.graph(of: file, options, leavesWeightsInFile: true)
        answer = graph.head?.function
        graph.fuse { _ in !options.beforeActivation }
        let recording = try Recording(
            &graph, patterns: options.layers, everyMean: options.everyMean, beforeActivation: options.beforeActivation,
            hasClasses: options.hasClasses)
        graph.fuse(recorded: Set(recording.entries.map(\.value))) { _ in true }
        path = file.path
        sha256 = file.sha256
        opset = file.opset
        givenInputs = options.inputs.sorted { $0.name < $1.name }
        metadata = file.metadata
        layers = recording.entries.map(\.layer)
        neuronCount = layers.reduce(0) { $0 + $1.channels }
        meanCount = layers.reduce(0) { $0 + ($1.keepsMeans ? $1.channels : 0) }
        input = Input(graph)
        outputName = file.isFirst(output: options.output) ? nil : options.output
        otherOutputs = options.others
        batch = graph.mixesImages ? 1 : max(1, options.batch)
        (program, output) = try Self.compile(graph, recording, batch: batch, precision)
        plan = MemoryPlan(program, kept: [output])
        try checkMemory(of: file, isSizeMeant: options.inputSize != nil)
        // To pack weights takes memory that is never wanted again, and the allocator would keep it: 60 MB of ResNet-50's.
        ndx_allocator_trim()
    }

    /// The preprocessing that the file brings along; nil where it says nothing of that.
    ///
    /// - Throws: ``NetworkError/metadata(key:problem:)`` for what is there and cannot be meant.
    public func modelPreprocessing() throws -> ModelPreprocessing? { try ModelPreprocessing(metadata, input: input) }

    /// A file of a few bytes may ask for any amount of memory.
    private func checkMemory(of file: ModelFile, isSizeMeant: Bool) throws {
        let needed = plan.size / batch
        let available = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        // Many times what a classifier of photographs needs.
        let expected = isSizeMeant ? Int.max : 1 << 30 + 64 * file.byteCount
        guard needed <= min(available, expected) else {
            throw NetworkError.memory(
                bytes: needed, height: input.height, width: input.width, available: needed > available ? available : nil)
        }
    }

    /// Bytes that a worker's activations take.
    package var workerBytes: Int { plan.size }

    /// A worker with memory of its own; use it from one thread.
    public func makeWorker() throws -> Worker { try Worker(self) }

    private static func compile(
        _ graph: Graph, _ recording: Recording, batch: Int, _ precision: Precision
    ) throws -> (program: Program, output: Location) {
        var builder = ProgramBuilder(graph: graph, batch: batch)
        builder.usesWinograd = true
        builder.precision = precision
        let entries = Dictionary(uniqueKeysWithValues: recording.entries.map { ($0.value, $0.layer) })
        let parts = Dictionary(uniqueKeysWithValues: recording.entries.map { ($0.value, $0.parts.compactMap { entries[$0] }) })
        let neurons = entries.values.reduce(0) { $0 + $1.channels }
        var (meanOffsets, meanOffset) = ([String: Int](), 0)
        for layer in recording.entries.map(\.layer) where layer.keepsMeans {
            meanOffsets[layer.name] = meanOffset
            meanOffset += layer.channels
        }
        let meanNeurons = entries.values.reduce(0) { $0 + ($1.keepsMeans ? $1.channels : 0) }
        try builder.lower(graph) { builder, node in
            for output in node.outputs {
                guard let layer = entries[output] else { continue }
                let location = try builder.location(output, in: graph.values[output].order)
                builder.record(layer, at: location, parts: parts[output] ?? [], neurons: neurons)
                guard let offset = meanOffsets[layer.name] else { continue }
                builder.recordMeans(layer, at: location, offset: offset, neurons: meanNeurons)
            }
        }
        let output = try builder.location(graph.output, in: nil)
        return (builder.program, output)
    }
}

extension ProgramBuilder {
    /// Emits what takes the maxima and positions of a layer, right after it has been computed.
    fileprivate mutating func record(_ layer: Layer, at location: Location, parts: [Layer], neurons: Int) {
        let batch = batch
        guard parts.isEmpty else {
            // The maxima of a concatenation are those of what it joins.
            emit(reads: [location], writes: []) { memory in
                let (values, positions) = (memory.values, memory.positions)
                return {
                    for image in 0..<batch {
                        var target = image * neurons + layer.firstNeuron
                        for part in parts {
                            let source = image * neurons + part.firstNeuron
                            (values + target).update(from: values + source, count: part.channels)
                            (positions + target).update(from: positions + source, count: part.channels)
                            target += part.channels
                        }
                    }
                }
            }
            return
        }
        let count = location.count
        let maxima = keepsNaN ? ndx_channel_maxima_or_nan : ndx_channel_maxima
        emit(reads: [location], writes: []) { memory in
            let (map, values, positions) = (memory[location], memory.values, memory.positions)
            return {
                for image in 0..<batch {
                    let target = image * neurons + layer.firstNeuron
                    maxima(
                        map + image * count, layer.height * layer.width, layer.channels, layer.channels, values + target,
                        positions + target)
                }
            }
        }
    }

    fileprivate mutating func recordMeans(_ layer: Layer, at location: Location, offset: Int, neurons: Int) {
        let (batch, count) = (batch, location.count)
        emit(reads: [location], writes: []) { memory in
            let (map, means) = (memory[location], memory.means)
            return {
                for image in 0..<batch {
                    ndx_channel_means(
                        map + image * count, layer.height * layer.width, layer.channels, layer.channels,
                        means + image * neurons + offset)
                }
            }
        }
    }
}
