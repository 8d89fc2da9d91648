public import ActivationStore
import Foundation
public import Images
public import NeuralNetwork

extension StoreDescription {
    /// What a store of this network with this preprocessing is of.
    ///
    /// - Parameters:
    ///   - classes: names of the network's outputs; empty if not known.
    ///   - outputNames: names of the numbers that it answers with, where these are no scores of classes; empty if not known.
    ///   - blockImages: images in a block, fewer for trials with few images; nil for what suits the network.
    ///   - topCount: length of the kept list of each neuron's strongest images.
    ///   - shard: which part of the dataset it is of; nil for all of it.
    ///   - thumbnailSide: of the thumbnails that are kept, in pixels; nil for none.
    /// - Throws: `EncodingError` where the preprocessing has numbers that are not finite; `NetworkError` where the network has more neurons
    ///   than a store can hold, or none.
    public init(
        _ network: Network, preprocessing: Preprocessing, classes: [String], outputNames: [String] = [], blockImages: Int? = nil,
        topCount: Int,
        shard: Shard? = nil, thumbnailSide: Int? = nil
    ) throws {
        guard network.neuronCount > 0 else {
            throw NetworkError.graph(problem: "it has no layer with channels, so there are no neurons to record")
        }
        guard network.neuronCount <= Schema.neuronLimit else {
            throw NetworkError.graph(
                problem:
                    "\(network.neuronCount) neurons would be recorded, and a store holds at most \(Schema.neuronLimit); choose layers with --layers"
            )
        }
        let url = URL(fileURLWithPath: network.path)
        let layers = network.layers.map { LayerRecord($0) }
        self.init(
            model: ModelRecord(
                name: url.deletingPathExtension().lastPathComponent, path: url.path, sha256: network.sha256,
                inputChannels: network.input.channels, inputHeight: network.input.height, inputWidth: network.input.width,
                opset: network.opset, output: network.outputName,
                others: network.otherOutputs,
                precision: network.precision == .float32 ? nil : network.precision.rawValue,
                choice: LayerChoice(beforeActivation: network.recordsBeforeActivation, patterns: network.layerPatterns),
                answer: network.answer.flatMap { AnswerForm(rawValue: $0.rawValue) }, inputs: try network.givenInputs.asJSON(),
                outputNames: outputNames),
            preprocessing: try preprocessing.canonicalJSON(), preprocessingHash: try preprocessing.hash(),
            layers: layers, classes: classes,
            blockImages: blockImages ?? Self.blockImages(layers: layers, topCount: topCount), topCount: topCount, shard: shard,
            thumbnailSide: thumbnailSide)
    }
}

extension LayerRecord {
    /// What a store keeps of a layer.
    public init(_ layer: Layer) {
        let field = layer.receptiveField
        self.init(
            name: layer.name, tensor: layer.tensor, operatorName: layer.operatorType, channels: layer.channels,
            height: layer.height,
            width: layer.width,
            receptiveField: ReceptiveFieldRecord(
                height: field.y.size, width: field.x.size, strideY: Double(field.y.stride), strideX: Double(field.x.stride),
                offsetY: Double(field.y.start), offsetX: Double(field.x.start)),
            hasMean: layer.keepsMeans, isLogits: layer.isLogits)
    }
}

extension [GivenInput] {
    /// As a store keeps them; nil for none.
    fileprivate func asJSON() throws -> String? {
        guard !isEmpty else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
