import Explanations
import NeuralNetwork
import Testing

@Suite struct FirstFiltersTests {
    /// The gradient of a neuron of the first layer at one place is its filter, where that neuron is active.
    @Test func filtersAreTheGradientsOfTheirNeurons() throws {
        let fixture = try ExplainerFixture.petshop()
        let explainer = fixture.explainer
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/cat/cat-43.jpg")
        let filters = try #require(explainer.network.firstFilters)
        let size = 3 * filters.height * filters.width
        #expect(filters.channels == 3 && filters.weights.count == filters.count * size)
        var seen = 0
        for channel in 0..<filters.count {
            let gradient = try gradient(of: fixture.target("\(filters.layer):\(channel)@20,20"), on: subject, by: explainer)
            guard let first = gradient.firstIndex(where: { $0 != 0 }) else { continue }
            seen += 1
            let expected = Array(filters.weights[channel * size..<(channel + 1) * size])
            let found = patch(of: gradient, from: first / 3, filters, width: explainer.network.input.width)
            let largest = expected.reduce(Float.zero) { max($0, abs($1)) }
            let error = zip(expected, found).reduce(Float.zero) { max($0, abs($1.0 - $1.1)) }
            #expect(error < 1e-4 * largest, "channel \(channel)")
            // There is nothing else.
            #expect(gradient.count { $0 != 0 } == expected.count { $0 != 0 })
        }
        #expect(seen > 2)
    }

    private func gradient(of target: Target, on subject: InputImage, by explainer: Explainer) throws -> [Float] {
        var gradient: [Float] = []
        let tensor = subject.tensor
        try explainer.gradients(of: target, count: 1) { _, place in
            _ = place.update(fromContentsOf: tensor)
        } body: { _, found in
            gradient = found.input
        }
        return gradient
    }

    /// Colours × rows × columns of a filter's size from a pixel on.
    private func patch(of gradient: [Float], from pixel: Int, _ filters: FirstFilters, width: Int) -> [Float] {
        var values: [Float] = []
        for color in 0..<3 {
            for y in 0..<filters.height {
                for x in 0..<filters.width { values.append(gradient[(pixel + y * width + x) * 3 + color]) }
            }
        }
        return values
    }
}
