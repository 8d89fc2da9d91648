import Explanations
import TestSupport
import Testing

/// Beside every cut there is.
struct MaximumFlowTests {
    private struct Problem {
        var nodes: Int
        var terminals: [(source: Int32, sink: Int32)]
        var edges: [(from: Int, to: Int, capacity: Int32, back: Int32)]

        /// What a cut costs: `isSource` by node.
        func cost(_ isSource: (Int) -> Bool) -> Int {
            var sum = 0
            for (node, terminal) in terminals.enumerated() { sum += Int(isSource(node) ? terminal.sink : terminal.source) }
            for edge in edges {
                if isSource(edge.from), !isSource(edge.to) { sum += Int(edge.capacity) }
                if isSource(edge.to), !isSource(edge.from) { sum += Int(edge.back) }
            }
            return sum
        }

        var cheapest: Int { (0..<1 << nodes).reduce(Int.max) { best, cut in min(best, cost { cut >> $0 & 1 == 1 }) } }

        func solved() -> (flow: Int, graph: MaximumFlow) {
            var graph = MaximumFlow(nodes: nodes)
            for (node, terminal) in terminals.enumerated() {
                graph.addTerminals(node, fromSource: terminal.source, toSink: terminal.sink)
            }
            for edge in edges { graph.addEdge(edge.from, edge.to, capacity: edge.capacity, back: edge.back) }
            return (graph.solve(), graph)
        }
    }

    @Test func equalsTheCheapestOfAllCuts() {
        var random = SeededGenerator(seed: 11)
        for round in 0..<1500 {
            let nodes = Int.random(in: 1...10, using: &random)
            let largest = Int32([1, 3, 20, 1000][round % 4])
            func capacity() -> Int32 { Bool.random(using: &random) ? Int32.random(in: 0...largest, using: &random) : 0 }
            let problem = Problem(
                nodes: nodes, terminals: (0..<nodes).map { _ in (capacity(), capacity()) },
                edges: nodes < 2
                    ? []
                    : (0..<Int.random(in: 0...4 * nodes, using: &random)).map { _ in
                        let from = Int.random(in: 0..<nodes, using: &random)
                        let to = (from + Int.random(in: 1..<nodes, using: &random)) % nodes
                        return (from, to, capacity(), capacity())
                    })
            let (flow, graph) = problem.solved()
            #expect(flow == problem.cheapest)
            #expect(problem.cost { graph.isOnSourceSide($0) } == flow, "the cut that is given costs what flows")
        }
    }

    /// A path of large grids, where the trees are torn many times: the cut costs what flows, so both are best.
    @Test func cutEqualsFlowOnGrids() {
        var random = SeededGenerator(seed: 5)
        for side in [2, 7, 30, 60] {
            func capacity() -> Int32 { Int32.random(in: 0...50, using: &random) }
            var problem = Problem(nodes: side * side, terminals: [], edges: [])
            for node in 0..<side * side {
                problem.terminals.append((capacity(), capacity()))
                for (down, right) in [(0, 1), (1, 0), (1, 1), (1, -1)]
                where node / side + down < side && (0..<side).contains(node % side + right) {
                    problem.edges.append((node, node + down * side + right, capacity() / 4, capacity() / 4))
                }
            }
            let (flow, graph) = problem.solved()
            #expect(problem.cost { graph.isOnSourceSide($0) } == flow)
        }
    }

    @Test func knownFlows() {
        // Two ways from the source to the sink, one through a narrow edge.
        var graph = MaximumFlow(nodes: 4)
        graph.addTerminals(0, fromSource: 10, toSink: 0)
        graph.addTerminals(3, fromSource: 0, toSink: 10)
        graph.addEdge(0, 1, capacity: 4, back: 0)
        graph.addEdge(1, 3, capacity: 9, back: 0)
        graph.addEdge(0, 2, capacity: 8, back: 0)
        graph.addEdge(2, 3, capacity: 3, back: 0)
        #expect(graph.solve() == 7)
        #expect((0..<4).map { graph.isOnSourceSide($0) } == [true, false, true, false])
    }
}
