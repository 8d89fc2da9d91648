import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Recognisers of text: steps are places, characters are channels.
@Suite struct SequenceTests {
    @Test(arguments: [("LSTM", false), ("LSTM", true), ("GRU", false)])
    func stepsArePlaces(_ type: String, _ imagesAreFirst: Bool) throws {
        let (model, output) = RecogniserModels.make(type: type, imagesAreFirst: imagesAreFirst)
        let network = try model.network(output: output)
        let recurrent = try #require(network.layers.first { $0.operatorType == type })
        #expect(recurrent.channels == 2 * RecogniserModels.hidden && recurrent.height == 1)
        #expect(recurrent.width == RecogniserModels.steps)
        let last = try #require(network.layers.last)
        #expect(last.channels == RecogniserModels.characters && last.width == RecogniserModels.steps && !last.isLogits)
    }

    /// The strongest of each character, and where, beside all that the network answers.
    @Test(arguments: [false, true]) func maximaAreThoseOfTheAnswer(_ imagesAreFirst: Bool) throws {
        let (model, output) = RecogniserModels.make(imagesAreFirst: imagesAreFirst)
        var random = SeededGenerator(seed: 3)
        let images = (0..<3).map { _ in SlowTensor(random: [1, 3, 16, 16], using: &random).floats }
        let network = try model.network(output: output)
        let layer = try #require(network.layers.last)
        let (steps, count) = (RecogniserModels.steps, RecogniserModels.characters)
        let found = try network.run(images) { worker, slot in
            (
                answer: Array(worker.output(image: slot)), maxima: Array(worker.maxima(image: slot)),
                positions: Array(worker.positions(image: slot))
            )
        }
        for one in found {
            #expect(one.answer.count == steps * count)
            for step in 0..<steps {
                let sum = one.answer[step * count..<(step + 1) * count].reduce(0, +)
                #expect(abs(sum - 1) < 1e-5)
            }
            // Scores rise with probabilities only within a step: the strongest is looked for in scores.
            let maxima = one.maxima[layer.firstNeuron..<layer.firstNeuron + count]
            #expect(maxima.allSatisfy(\.isFinite) && Set(maxima).count == count)
            #expect(one.positions[layer.firstNeuron..<layer.firstNeuron + count].allSatisfy { $0 < UInt32(steps) })
        }
    }

    @Test(arguments: [false, true]) func elementsOfTheAnswerAreNeurons(_ imagesAreFirst: Bool) throws {
        let (model, output) = RecogniserModels.make(imagesAreFirst: imagesAreFirst)
        let network = try model.differentiableNetwork(output: output)
        let answer = try #require(network.answer)
        #expect(answer.shape == [RecogniserModels.steps, RecogniserModels.characters])
        let place = try #require(answer.neuron(at: [6, 2]))
        #expect(place.channel == 2 && place.y == 0 && place.x == 6)
    }

    @Test func whatIsNotRead() throws {
        func refusal(_ attributes: [String: ModelBuilder.Attribute], lengths: [Int]? = nil) -> String {
            var model = ModelBuilder(input: [1, 1, 4, 6])
            let rows = model.node("Reshape", ["image", model.integers([4, 1, 6])])
            let weights = [
                model.weight("w", [1, 8, 6], Array(repeating: 0.5, count: 48)),
                model.weight("r", [1, 8, 2], Array(repeating: 0.5, count: 16)),
            ]
            let ends = lengths.map { model.integers($0) }
            let output = model.node("LSTM", [rows] + weights + ["", ends ?? ""], attributes)
            do { return "read: \(try model.network(output: output).path)" } catch { return "\(error)" }
        }
        #expect(refusal(["direction": "bidirectional"]).contains("goes over 2 directions with 4 gates of 2 values"))
        #expect(refusal(["direction": "sideways"]).contains("direction 'sideways'"))
        #expect(refusal(["clip": 3.0]).contains("clips what its gates get at 3.0"))
        #expect(refusal(["activations": .strings(["Sigmoid", "Softsign", "Tanh"])]).contains("'Softsign'"))
        #expect(refusal([:], lengths: [3]).contains("ends its sequences after [3] of 4 steps"))
        #expect(refusal([:], lengths: [4]).hasPrefix("read: "))
    }
}
