import ActivationStore
import Indexing
import NeuralNetwork

/// A network cut open before its activation functions, and where in it an objective's terms are.
///
/// A hidden neuron is taken before its rectifier: silent as it may be, it has a gradient there; a neuron behind a pooling is taken as
/// it is. While a maximum or a pooled neuron is silent, the mean of its map before the rectifier moves the picture: the largest of
/// many values below zero often stands where nothing of the picture reaches the neuron, and would keep it there.
final class AscentNetwork: Sendable {
    struct Term: Sendable {
        var weight: Float
        var target: Target
        var layer: Layer
        /// What moves the picture while the neuron is silent.
        var rescue: (target: Target, layer: Layer)?
    }

    let network: DifferentiableNetwork
    let terms: [Term]
    /// What the way back begins at.
    let layers: [Layer]
    /// What several pictures are compared in.
    let diversityLayer: Layer?

    init(_ objective: Objective, explainer: Explainer, comparesPictures: Bool) throws {
        var options = Network.Options(explainer.description)
        options.beforeActivation = true
        try objective.readOutput(&options)
        let network = try DifferentiableNetwork(contentsOf: explainer.network.path, options: options)
        self.network = network
        terms = try objective.terms.map { term in
            var term = term
            if case .element(let output, _, _) = term.target.reduction {
                term.target = try term.target.elements(of: output, in: network)
            }
            return try Self.place(term, network, explainer.description)
        }
        var layers: [Layer] = []
        func add(_ layer: Layer) { if !layers.contains(layer) { layers.append(layer) } }
        for term in terms {
            add(term.layer)
            if let rescue = term.rescue { add(rescue.layer) }
        }
        diversityLayer = comparesPictures ? try Self.comparison(terms, network) : nil
        if let diversityLayer { add(diversityLayer) }
        self.layers = layers
    }

    private static func place(
        _ term: Objective.Term, _ network: DifferentiableNetwork, _ description: StoreDescription
    ) throws -> Term {
        guard !term.target.isOfPicture else {
            throw ExplanationError.target(
                term.target.text,
                problem: "is of a part of a picture, and ascent makes one; name a place y,x of the map, @mean or @sum instead")
        }
        guard !term.target.isOfAnswer else { throw ExplanationError.isNoNeuron(term.target) }
        let tensor = description.layers.first { $0.name == term.target.layer }?.tensor
        let named = network.layers.first { $0.tensor == tensor }
        let layer = try named ?? network.layer(named: term.target.layer)
        guard let before = try network.neuronBeforeRectifier(layer, channel: term.target.channel) else {
            return Term(weight: term.weight, target: term.target, layer: layer)
        }
        var target = term.target
        target.channel = before.channel
        var mean = target
        mean.reduction = .mean
        let rescue = (target: mean, layer: before.layer)
        guard before.isPooled else {
            return Term(
                weight: term.weight, target: target, layer: before.layer, rescue: target.reduction == .maximum ? rescue : nil)
        }
        return Term(weight: term.weight, target: term.target, layer: layer, rescue: rescue)
    }

    /// The last map that the terms read; for class scores the last before them. Of few enough channels for a Gram matrix.
    private static func comparison(_ terms: [Term], _ network: DifferentiableNetwork) throws -> Layer {
        let index = terms.compactMap { term in network.layers.firstIndex(of: term.layer) }.max() ?? 0
        guard let layer = network.layers[...index].last(where: { $0.height * $0.width > 1 && $0.channels <= 768 }) else {
            throw ExplanationError.parameter(
                name: "--diversity", value: "given", expected: "a network that has a map of features before the target")
        }
        return layer
    }

    /// One picture's passes.
    final class Pass {
        private let network: AscentNetwork
        private let pass: GradientPass

        /// So many, which share what they are compiled to. A picture alone has two threads where `jobs` allows; its path does not depend on them.
        static func passes(_ network: AscentNetwork, count: Int, jobs: Int) throws -> [Pass] {
            let passes = try GradientPass.passes(network.network, layers: network.layers, count: count)
            passes[0].isAlone = count == 1 && jobs > 1
            return passes.map { Pass(network, $0) }
        }

        private init(_ network: AscentNetwork, _ pass: GradientPass) {
            self.network = network
            self.pass = pass
        }

        /// Runs a tensor forward; the objective's value.
        func forward(_ tensor: [Float]) throws -> Double {
            _ = pass.input(image: 0).update(fromContentsOf: tensor)
            try pass.forward()
            return network.terms.reduce(0.0) { $0 + Double($1.weight) * Double(value($1.target, $1.layer)) }
        }

        /// The features that pictures are compared by, positions × channels.
        func features() -> [Float] { network.diversityLayer.map { Array(pass.value(of: $0, image: 0)) } ?? [] }

        /// Back from the last `forward`: the gradient of the objective less `penalty`, which is by the compared features.
        func backward(penalty: [Float]?) throws -> [Float] {
            for term in network.terms { seed(term) }
            if let penalty, let layer = network.diversityLayer {
                let seed = pass.seed(of: layer, image: 0)
                for index in penalty.indices { seed[index] -= penalty[index] }
            }
            try pass.backward()
            return Array(pass.inputGradient(image: 0))
        }

        private func value(_ target: Target, _ layer: Layer) -> Float {
            target.value(of: pass.value(of: layer, image: 0), channels: layer.channels, width: layer.width)
        }

        private func seed(_ term: Term) {
            var (target, layer) = (term.target, term.layer)
            if let rescue = term.rescue, term.weight > 0 {
                let map = pass.value(of: rescue.layer, image: 0)
                let isSilent = stride(from: rescue.target.channel, to: map.count, by: rescue.layer.channels).allSatisfy {
                    map[$0] <= 0
                }
                if isSilent { (target, layer) = rescue }
            }
            // Targets write their derivative; terms of one layer add theirs up.
            let map = pass.value(of: layer, image: 0)
            let seed = pass.seed(of: layer, image: 0)
            var own = [Float](repeating: 0, count: seed.count)
            own.withUnsafeMutableBufferPointer { target.seed($0, map: map, channels: layer.channels, width: layer.width) }
            for index in own.indices where own[index] != 0 { seed[index] += term.weight * own[index] }
        }
    }
}

extension Objective {
    /// Reads the network up to the output that the terms are elements of, before sigmoids and softmaxes, where they are any's.
    /// - Throws: `ExplanationError.target` for a sum of such and of others.
    fileprivate func readOutput(_ options: inout Network.Options) throws {
        let outputs = terms.map { term -> String? in
            if case .element(let output, _, _) = term.target.reduction { return output }
            return nil
        }
        guard let output = outputs.compactMap({ $0 }).first else { return }
        guard !output.isEmpty else {
            throw ExplanationError.target(
                text, problem: "is what is read at a step of a picture, and ascent makes one; name an element, output:NAME[i,j]")
        }
        guard outputs.allSatisfy({ $0 == output }) else {
            throw ExplanationError.target(
                text, problem: "adds elements of an output to other targets; ascent climbs those of one output")
        }
        (options.output, options.hasClasses, options.beforeProbabilities) = (output, false, true)
    }
}
