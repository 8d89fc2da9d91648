public import ActivationStore
import Foundation
public import NeuralNetwork

extension Network.Options {
    /// What a store says of how its network was read: the size of pictures, which output, whether its channels are classes, how exactly it
    /// multiplies, what inputs beside the image hold.
    public init(_ description: StoreDescription) {
        self.init()
        inputSize = (description.model.inputHeight, description.model.inputWidth)
        (output, others) = (description.model.output, description.model.others)
        inputs = description.model.inputs.flatMap { try? JSONDecoder().decode([GivenInput].self, from: Data($0.utf8)) } ?? []
        hasClasses = description.layers.contains(where: \.isLogits)
        precision = description.precision
    }
}

extension DifferentiableNetwork {
    /// The network at `path` as a store of it has it: recorded before its activation functions where the store's tensors stand there.
    ///
    /// - Throws: `NetworkError` for a file that is no network.
    public static func matching(_ description: StoreDescription, at path: String) throws -> DifferentiableNetwork {
        let wanted = Set(description.layers.map(\.tensor))
        var options = Network.Options(description)
        let after = try DifferentiableNetwork(contentsOf: path, options: options)
        guard after.sha256 == description.model.sha256, !wanted.isSubset(of: after.layers.map(\.tensor)) else { return after }
        options.beforeActivation = true
        let before = try DifferentiableNetwork(contentsOf: path, options: options)
        return wanted.isSubset(of: before.layers.map(\.tensor)) ? before : after
    }
}

extension StoreDescription {
    /// What its network's convolutions multiplied.
    public var precision: Precision { model.precision.flatMap(Precision.init) ?? .float32 }
}

extension Network {
    /// The network at `path`, recording what a store of it has: the same layers, before or after their activation functions.
    ///
    /// What a store was made with is in it since version 4; before, it follows from the tensors of its layers, and costs up to
    /// 1 + 2 · outputs times as long. Where nothing fits, or the file is another network, the answer is the network with its default layers.
    ///
    /// - Parameters:
    ///   - outputs: the answer and others, as in `Network.Options`; none for those that the store has.
    ///   - hasClasses: as in `Network.Options`; nil for what the store says.
    ///   - precision: as in `Network.Options`; nil for what the store says.
    /// - Throws: `NetworkError` for a file that is no network.
    public static func matching(
        _ description: StoreDescription, at path: String, batch: Int, outputs: [String] = [], hasClasses: Bool? = nil,
        precision: Precision? = nil
    ) throws -> Network {
        let wanted = description.layers
        var options = Options(description)
        options.batch = batch
        if let output = outputs.first { (options.output, options.others) = (output, Array(outputs.dropFirst())) }
        if let hasClasses { options.hasClasses = hasClasses }
        if let precision { options.precision = precision }
        options.everyMean = wanted.allSatisfy(\.hasMean)
        if let choice = description.model.choice {
            var options = options
            (options.beforeActivation, options.layers) = (choice.beforeActivation, choice.patterns)
            let network = try? Network(contentsOf: path, options: options)
            if let network, network.sha256 == description.model.sha256, network.has(wanted) { return network }
        }
        let plain = try Network(contentsOf: path, options: options)
        if plain.sha256 != description.model.sha256 || plain.has(wanted) { return plain }
        let outputs = options.output.map { [$0] } ?? [nil] + wanted.filter(\.isLogits).map(\.tensor)
        for output in outputs {
            for beforeActivation in [false, true] {
                options.output = output
                options.beforeActivation = beforeActivation
                options.layers = wanted.map(\.name)
                if let network = try? Network(contentsOf: path, options: options), network.has(wanted) { return network }
            }
        }
        return plain
    }

    private func has(_ wanted: [LayerRecord]) -> Bool {
        layers.map(\.tensor) == wanted.map(\.tensor) && layers.map(\.keepsMeans) == wanted.map(\.hasMean)
            && layers.map(\.channels) == wanted.map(\.channels)
    }
}
