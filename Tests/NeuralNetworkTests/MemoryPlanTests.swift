import NeuralNetwork
import TestSupport
import Testing

@Suite struct MemoryPlanTests {
    @Test func noTwoBuffersThatLiveAtOnceOverlap() {
        var random = SeededGenerator(seed: 1)
        for program in 0..<300 {
            let steps = Int.random(in: 1...20, using: &random)
            let count = Int.random(in: 1...25, using: &random)
            let elements = (0..<count).map { _ in Int.random(in: 1...1000, using: &random) }
            let lives = (0..<count).map { _ -> ClosedRange<Int>? in
                let first = Int.random(in: -1...steps, using: &random)
                return Bool.random(using: &random) || count < 5 ? first...Int.random(in: first...steps, using: &random) : nil
            }
            let plan = MemoryPlan(elements: elements, lives: lives)
            for a in 0..<count {
                guard let life = lives[a] else { continue }
                let bytes = plan.offsets[a]..<plan.offsets[a] + elements[a] * 4
                #expect(plan.offsets[a] % 64 == 0 && bytes.upperBound <= plan.size, "program \(program)")
                for b in 0..<a {
                    guard let other = lives[b], other.overlaps(life) else { continue }
                    let others = plan.offsets[b]..<plan.offsets[b] + elements[b] * 4
                    #expect(!others.overlaps(bytes), "program \(program), buffers \(a) and \(b)")
                }
            }
        }
    }

    @Test func memoryIsUsedAgain() {
        // A chain of ten equal buffers needs two of them at any time.
        let lives = (0..<10).map { Optional($0...$0 + 1) }
        #expect(MemoryPlan(elements: [Int](repeating: 16, count: 10), lives: lives).size == 2 * 64)
    }

    /// The input's memory may be used again while the network runs; what is written before every run must come out right.
    @Test func aSecondRunGivesTheSame() throws {
        let (model, output) = ModelBuilder.classifier()
        let network = try model.network(output: output)
        var random = SeededGenerator(seed: 4)
        let images = (0..<2).map { _ in SlowTensor(random: [3, 8, 8], using: &random).floats }
        let answers = try network.answers(to: images + images + [images[1], images[0]])
        #expect(answers[0] == answers[2] && answers[0] == answers[5])
        #expect(answers[1] == answers[3] && answers[1] == answers[4])
        #expect(answers[0] != answers[1])
    }
}
