public import ActivationStore
import Foundation
public import Images
import Indexing
public import NeuralNetwork
import Synchronization

/// A store's network, ready to explain what it does: runs it forward and back on all cores, always in the same way, so that the
/// same question has the same answer to the last bit.
public final class Explainer: Sendable {
    public let description: StoreDescription
    public let preprocessing: Preprocessing
    public let network: DifferentiableNetwork
    /// The last layer that the store keeps for a network without global average pooling.
    public let camHead: CAMHead?
    /// Workers; results do not depend on them.
    public let jobs: Int

    /// Images that a pass takes at once. Fixed, so that one image alone and many together give the same bits.
    public static let batch = 1

    /// What a gradient pass is compiled for.
    struct GradientKind: Hashable, Sendable {
        var layer: String
        var rule: BackwardRule
    }
    let gradientPasses: PassShelf<GradientKind, GradientPass>
    /// By the name of the layer.
    let forwardPasses: PassShelf<String, ForwardPass>
    /// Of elements of the answer, and a detector's boxes.
    let answers = AnswerShelf()
    /// Whether layers are named as the network has them, which is read otherwise than the store's.
    private let isOfAnswer: Bool
    /// Kinds of passes that are kept compiled: a picture's answer and its explanation, and the same of another layer.
    private static let keptKinds = 2

    /// - Parameters:
    ///   - model: where the network is now; nil for where it was when the store was made.
    ///   - jobs: nil for one a core.
    /// - Throws: `ExplanationError.model` where it is another network; `NetworkError`.
    public init(store: Store, model: String? = nil, jobs: Int? = nil) throws {
        description = store.description
        preprocessing = try store.preprocessing()
        camHead = try store.camHead()
        isOfAnswer = false
        self.jobs = jobs ?? ProcessInfo.processInfo.activeProcessorCount
        gradientPasses = PassShelf(kinds: Self.keptKinds, passesOfAKind: self.jobs)
        forwardPasses = PassShelf(kinds: Self.keptKinds, passesOfAKind: self.jobs)
        let path = try model ?? store.modelPath(nil)
        network = try DifferentiableNetwork.matching(description, at: path)
        guard network.sha256 == description.model.sha256 else {
            throw ExplanationError.model(path: path, expected: description.model.sha256, found: network.sha256)
        }
        try store.checkNetwork(input: network.input, layers: network.layers)
        try camHead.map { try Self.check($0, of: store, network) }
    }

    /// The same with a last layer that was fitted meanwhile.
    convenience init(_ explainer: Explainer, fitted head: CAMHead, of store: Store) throws {
        try Self.check(head, of: store, explainer.network)
        self.init(explainer, network: explainer.network, camHead: head)
    }

    private static func check(_ head: CAMHead, of store: Store, _ network: DifferentiableNetwork) throws {
        guard let layer = network.layers.first(where: { $0.name == head.layer }), layer.channels != head.channels else { return }
        throw StoreError.damaged(
            path: store.path,
            detail: "its fitted last layer weighs \(head.channels) channels, and layer \(layer.name) has \(layer.channels)")
    }

    /// Of a network without a store.
    /// - Parameters:
    ///   - description: of the network, as a store would have it.
    ///   - network: read by the same options.
    ///   - jobs: nil for one a core.
    public init(
        _ description: StoreDescription, preprocessing: Preprocessing, network: DifferentiableNetwork, jobs: Int? = nil
    ) {
        (self.description, self.preprocessing, self.network, camHead) = (description, preprocessing, network, nil)
        isOfAnswer = false
        self.jobs = jobs ?? ProcessInfo.processInfo.activeProcessorCount
        gradientPasses = PassShelf(kinds: Self.keptKinds, passesOfAKind: self.jobs)
        forwardPasses = PassShelf(kinds: Self.keptKinds, passesOfAKind: self.jobs)
    }

    /// The same with another network of the same layers, and another last layer where there is one.
    init(_ explainer: Explainer, network: DifferentiableNetwork, camHead: CAMHead? = nil) {
        (description, preprocessing, jobs) = (explainer.description, explainer.preprocessing, explainer.jobs)
        self.camHead = camHead ?? explainer.camHead
        isOfAnswer = explainer.isOfAnswer
        // Passes of its own: those of the other are compiled of other weights.
        gradientPasses = PassShelf(kinds: Self.keptKinds, passesOfAKind: jobs)
        forwardPasses = PassShelf(kinds: Self.keptKinds, passesOfAKind: jobs)
        self.network = network
    }

    /// The same with a network that is read for its answer: targets name its layers.
    init(answering explainer: Explainer, network: DifferentiableNetwork) {
        (description, preprocessing, jobs, camHead) = (explainer.description, explainer.preprocessing, explainer.jobs, nil)
        isOfAnswer = true
        gradientPasses = PassShelf(kinds: Self.keptKinds, passesOfAKind: jobs)
        forwardPasses = PassShelf(kinds: Self.keptKinds, passesOfAKind: jobs)
        self.network = network
    }

    /// The layer of the network that a layer of the store is.
    /// - Throws: `ExplanationError.target` for an element of the answer, which is none.
    public func layer(of target: Target) throws -> Layer {
        if isOfAnswer { return try network.layer(named: target.layer) }
        guard !target.isOfAnswer else { throw ExplanationError.isNoNeuron(target) }
        // Names are made in the same way from the same file; the tensor tells where a selection numbered them otherwise.
        let tensor = description.layers.first { $0.name == target.layer }?.tensor
        guard let layer = network.layers.first(where: { $0.tensor == tensor }) else {
            let layer = try network.layer(named: target.layer)
            guard target.terms.allSatisfy({ $0.channel < layer.channels }),
                target.place.map({ $0.y < layer.height && $0.x < layer.width }) ?? true
            else {
                throw ExplanationError.target(
                    target.text, problem: "is not in the network, whose layer is \(layer.channels)×\(layer.height)×\(layer.width)"
                )
            }
            return layer
        }
        return layer
    }

    /// The target's value on an image.
    public func value(of target: Target, on subject: InputImage) throws -> Float {
        let served = try served(target, on: subject)
        return try served.explainer.value(ofPlaced: served.target, on: subject)
    }

    /// - Precondition: its places do not depend on the picture, or have been found.
    private func value(ofPlaced target: Target, on subject: InputImage) throws -> Float {
        let layer = try layer(of: target)
        let map = try activations(of: layer, on: subject)
        return map.withUnsafeBufferPointer { target.value(of: $0, channels: layer.channels, width: layer.width) }
    }

    /// Where on an image a neuron has its maximum, the first place in row-major order.
    public func place(of target: Target, on subject: InputImage) throws -> (y: Int, x: Int) {
        let layer = try layer(of: target)
        let place = try activations(of: layer, on: subject)
            .withUnsafeBufferPointer { target.place(in: $0, channels: layer.channels) }
        return (place / layer.width, place % layer.width)
    }

    /// The score of the class that the network answers on an image.
    /// - Throws: `ExplanationError.noScores` for a network without classes.
    public func answer(on subject: InputImage) throws -> Target {
        guard let logits = network.logits else { throw ExplanationError.noScores }
        let scores = try activations(of: logits, on: subject)
        guard let target = Target(classIndex: logits.answer(of: scores), in: description) else { throw ExplanationError.noScores }
        return target
    }

    /// What one input of a gradient computation comes to.
    public struct Gradient: Sendable {
        /// The target's value.
        public var value: Float
        /// By the input: height × width × channels.
        public var input: [Float]
    }

    /// The target's value and its gradient by the input for each of `count` inputs, handed to `body` in order.
    ///
    /// - Parameters:
    ///   - rule: what rectifiers let through on the way back.
    ///   - input: writes input `index`; called on several threads.
    ///   - body: called in the order of the inputs, on the calling thread.
    public func gradients(
        of target: Target, rule: BackwardRule = .gradient, count: Int,
        input: @escaping @Sendable (Int, UnsafeMutableBufferPointer<Float>) -> Void, body: (Int, Gradient) throws -> Void
    ) throws {
        let layer = try layer(of: target)
        let workers = max(1, min(jobs, (count + Self.batch - 1) / Self.batch))
        try gradientPasses.use(GradientKind(layer: layer.name, rule: rule), count: workers) {
            try GradientPass.passes(network, layers: [layer], batch: Self.batch, rule: rule, count: $0)
        } another: {
            try $0.another()
        } _: { passes in
            for pass in passes { pass.isAlone = passes.count == 1 && jobs > 1 }
            try gradients(of: target, layer, by: passes, count: count, input: input, body: body)
        }
    }

    /// The target's gradient by one image.
    func gradient(of target: Target, on subject: InputImage, rule: BackwardRule) throws -> [Float] {
        var result: [Float] = []
        let tensor = subject.tensor
        try gradients(of: target, rule: rule, count: 1) { _, input in
            _ = input.update(fromContentsOf: tensor)
        } body: { _, gradient in
            result = gradient.input
        }
        return result
    }

    /// The map of a number for every element of the input, height × width × channels.
    /// - Throws: `ExplanationError.flat` where all are zero, or `.saturated` where that is because the neuron is at an end of its range.
    func map(ofInput values: [Float], target: Target, on subject: InputImage) throws -> ExplanationMap {
        guard values.contains(where: { $0 != 0 }) else { throw try flatness(of: target, on: subject) }
        return map(of: values)
    }

    /// The same, zeros and all.
    func map(of values: [Float]) -> ExplanationMap {
        let input = network.input
        return ExplanationMap(
            channelsLast: values, channels: input.channels, height: input.height, width: input.width, isSigned: true)
    }

    /// What a gradient that is zero everywhere says of its target.
    func flatness(of target: Target, on subject: InputImage) throws -> ExplanationError {
        let layer = try layer(of: target)
        guard network.saturates(layer) else { return .flat(target: target.text) }
        return .saturated(target: target.text, value: try value(of: target, on: subject), operation: layer.operatorType)
    }

    private func gradients(
        of target: Target, _ layer: Layer, by passes: [GradientPass], count: Int,
        input: @escaping @Sendable (Int, UnsafeMutableBufferPointer<Float>) -> Void, body: (Int, Gradient) throws -> Void
    ) throws {
        let batch = passes[0].batch
        try parallel(chunks: (count + batch - 1) / batch, workers: passes) { pass, chunk in
            let first = chunk * batch
            // A last chunk that is not full runs its last input again, so that every run is alike.
            for slot in 0..<batch { input(min(first + slot, count - 1), pass.input(image: slot)) }
            try pass.forward()
            let values = (0..<batch).map { slot in
                let map = pass.activation(image: slot)
                target.seed(pass.seed(image: slot), map: map, channels: layer.channels, width: layer.width)
                return target.value(of: map, channels: layer.channels, width: layer.width)
            }
            try pass.backward()
            return (0..<min(batch, count - first)).map {
                Gradient(value: values[$0], input: Array(pass.inputGradient(image: $0)))
            }
        } body: { chunk, results in
            for (slot, result) in results.enumerated() { try body(chunk * batch + slot, result) }
        }
    }

    /// Runs `work` for every chunk on a thread for each worker, on the calling thread where there is one, and `body` on its results in order on the calling thread.
    func parallel<Worker, Result: Sendable>(
        chunks: Int, workers: [Worker], _ work: @escaping @Sendable (Worker, Int) throws -> Result,
        body: (Int, Result) throws -> Void
    ) throws {
        guard workers.count > 1 else {
            for chunk in 0..<chunks {
                try body(chunk, try work(workers[0], chunk))
                try ExplanationProgress.report(done: chunk + 1, of: chunks)
            }
            return
        }
        let queue = ResultQueue<Swift.Result<Result, any Error>>(capacity: 4 * workers.count, producers: workers.count)
        let next = Atomic<Int>(0)
        let threads = workers.map { worker in
            let box = UncheckedBox(worker)
            let thread = Thread {
                defer { queue.finish() }
                while true {
                    let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard chunk < chunks else { return }
                    let result = Swift.Result { try work(box.value, chunk) }
                    guard queue.put(result, sequence: chunk) else { return }
                }
            }
            thread.stackSize = 8 << 20
            thread.start()
            return thread
        }
        defer {
            queue.close()
            while threads.contains(where: { !$0.isFinished }) { Thread.sleep(forTimeInterval: 0.0002) }
        }
        var chunk = 0
        while chunk < chunks, let result = queue.take() {
            try body(chunk, try result.get())
            chunk += 1
            try ExplanationProgress.report(done: chunk, of: chunks)
        }
    }
}

extension Layer {
    /// The class with the largest score; where there are scores at each place, that which has most places, the first of equals.
    fileprivate func answer(of scores: [Float]) -> Int {
        let winners = (0..<height * width).map { Array(scores[$0 * channels..<($0 + 1) * channels]).firstOfLargest }
        let counts = winners.reduce(into: [Float](repeating: 0, count: channels)) { $0[$1] += 1 }
        return counts.firstOfLargest
    }
}

extension [Float] {
    /// The index of the largest number, the first of equal ones; no NaN where there is a number.
    var firstOfLargest: Int { indices.dropFirst().reduce(0) { self[$1] > self[$0] || self[$0].isNaN ? $1 : $0 } }
}
