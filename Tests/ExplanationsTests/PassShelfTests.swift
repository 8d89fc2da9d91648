import ActivationStore
import Explanations
import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Compiled passes are used again, and nothing else depends on it.
@Suite struct PassShelfTests {
    @Test func keepsTheLastKinds() throws {
        let shelf = PassShelf<String, Int>(kinds: 2, passesOfAKind: 2)
        var made = 0
        func use(_ key: String, _ count: Int) throws -> [Int] {
            try shelf.use(key, count: count) { count in
                made += 1
                return (0..<count).map { 100 * made + $0 }
            } another: {
                $0 + 50
            } _: {
                $0
            }
        }
        #expect(try use("a", 1) == [100])
        #expect(try use("a", 2) == [100, 150], "one is there, another is made of it")
        #expect(try use("b", 3) == [200, 201, 202])
        #expect(shelf.counts == (2, 4), "two of each are kept")
        #expect(try use("a", 1).count == 1)
        #expect(try use("c", 1) == [300])
        #expect(made == 3)
        #expect(try use("b", 1) == [400], "the kind that was not used longest is gone")
        #expect(shelf.counts.kinds == 2)
    }

    @Test func twoThatAskAtOnceGetTheirOwn() throws {
        let shelf = PassShelf<String, Int>(kinds: 2, passesOfAKind: 1)
        var made = 0
        func make(_ count: Int) -> [Int] {
            made += 1
            return [made]
        }
        try shelf.use("a", count: 1) {
            make($0)
        } another: {
            $0
        } _: { outer in
            let inner = try shelf.use("a", count: 1) {
                make($0)
            } another: {
                $0
            } _: {
                $0
            }
            #expect(inner != outer)
        }
        #expect(shelf.counts == (1, 1))
    }

    /// The same gradients for one image and for several, on one worker and on two, the first time and the next.
    @Test func gradientsDoNotDependOnWorkers() throws {
        let fixtures = try [1, 2].map { try ExplainerFixture.petshop(jobs: $0) }
        var results: [[Float]] = []
        for fixture in fixtures {
            let explainer = fixture.explainer
            let target = try Target("class:1", in: fixture.store.description)
            for count in [1, 3, 1] {
                try explainer.gradients(of: target, count: count) { index, input in
                    for place in input.indices { input[place] = Float((place * 7 + index * 13) % 31) / 16 - 1 }
                } body: { index, gradient in
                    if index == 0 { results.append([gradient.value] + gradient.input) }
                }
            }
        }
        #expect(results.count == 6 && results.allSatisfy { $0 == results[0] })
    }
}
