/// The largest flow from a source to a sink, and the cheapest cut between them.
///
/// Boykov and Kolmogorov, "An Experimental Comparison of Min-Cut/Max-Flow Algorithms for Energy Minimization in Vision", 2004,
/// https://doi.org/10.1109/TPAMI.2004.60: two search trees, from the source and from the sink, grow until they touch; flow is pushed along the
/// path; what comes loose is adopted by a neighbour or set free. Marks of time and distance (section 3.2.3 of Kolmogorov's thesis, 2003) keep
/// paths short. On a picture's grid nearly linear in its pixels; capacities are integers, so it ends and is exact.
package struct MaximumFlow {
    private static let none: Int32 = -1
    private static let terminal: Int32 = -2
    private static let orphan: Int32 = -3

    /// Of a node: its first edge. Of an edge: the next of the same node, and where it goes; edge e ^ 1 is the way back.
    private var first: [Int32]
    private var next: [Int32] = []
    private var head: [Int32] = []
    /// What an edge can still take.
    private var residual: [Int32] = []
    /// What can still come from the source, or, below zero, go to the sink.
    private var rest: [Int32]
    private var flow = 0

    /// The edge to the parent in the tree, or one of the three marks.
    private var parent: [Int32]
    private var isOfSink: [Bool]
    /// When the distance to the terminal was last known to be right.
    private var stamp: [Int32]
    private var distance: [Int32]
    private var time: Int32 = 0
    private var active: [Int32] = []
    private var activeStart = 0
    private var isActive: [Bool]
    private var orphans: [Int32] = []

    package init(nodes: Int, edges: Int = 0) {
        first = [Int32](repeating: Self.none, count: nodes)
        rest = [Int32](repeating: 0, count: nodes)
        parent = [Int32](repeating: Self.none, count: nodes)
        isOfSink = [Bool](repeating: false, count: nodes)
        stamp = [Int32](repeating: 0, count: nodes)
        distance = [Int32](repeating: 0, count: nodes)
        isActive = [Bool](repeating: false, count: nodes)
        next.reserveCapacity(2 * edges)
        head.reserveCapacity(2 * edges)
        residual.reserveCapacity(2 * edges)
    }

    /// - Precondition: capacities are 0 or more, and all of a node's add up to less than 2³¹.
    package mutating func addEdge(_ from: Int, _ to: Int, capacity: Int32, back: Int32) {
        precondition(capacity >= 0 && back >= 0 && from != to, "an edge joins two nodes and takes 0 or more each way")
        for (tail, end, room) in [(from, to, capacity), (to, from, back)] {
            head.append(Int32(end))
            residual.append(room)
            next.append(first[tail])
            first[tail] = Int32(head.count - 1)
        }
    }

    /// Once a node.
    package mutating func addTerminals(_ node: Int, fromSource: Int32, toSink: Int32) {
        precondition(fromSource >= 0 && toSink >= 0, "a capacity is 0 or more")
        // What would run straight through does.
        flow += Int(min(fromSource, toSink))
        rest[node] += fromSource - toSink
    }

    /// The flow, which is what the cut costs.
    package mutating func solve() -> Int {
        for node in rest.indices where rest[node] != 0 {
            parent[node] = Self.terminal
            isOfSink[node] = rest[node] < 0
            distance[node] = 1
            activate(Int32(node))
        }
        var current: Int32?
        while let node = current ?? nextActive() {
            current = nil
            guard parent[Int(node)] != Self.none else { continue }
            guard let bridge = grow(node) else {
                time += 1
                continue
            }
            time += 1
            current = node
            augment(bridge)
            var place = 0
            while place < orphans.count {
                adopt(orphans[place])
                place += 1
            }
            orphans.removeAll(keepingCapacity: true)
        }
        return flow
    }

    /// After `solve`: on which side of the cut a node is; those that belong to neither are the sink's.
    package func isOnSourceSide(_ node: Int) -> Bool { parent[node] != Self.none && !isOfSink[node] }

    private mutating func activate(_ node: Int32) {
        guard !isActive[Int(node)] else { return }
        isActive[Int(node)] = true
        active.append(node)
    }

    private mutating func nextActive() -> Int32? {
        guard activeStart < active.count else {
            active.removeAll(keepingCapacity: true)
            activeStart = 0
            return nil
        }
        let node = active[activeStart]
        activeStart += 1
        isActive[Int(node)] = false
        return node
    }

    /// What an edge from a node can take, seen from the source's tree; seen from the sink's, what the way back can.
    private func room(_ edge: Int32, ofSink: Bool) -> Int32 { residual[Int(ofSink ? edge ^ 1 : edge)] }

    /// Takes free neighbours into the node's tree; the edge from the source's tree to the sink's, where they touch.
    private mutating func grow(_ node: Int32) -> Int32? {
        let i = Int(node)
        let ofSink = isOfSink[i]
        var edge = first[i]
        while edge != Self.none {
            defer { edge = next[Int(edge)] }
            guard room(edge, ofSink: ofSink) > 0 else { continue }
            let j = Int(head[Int(edge)])
            if parent[j] == Self.none {
                isOfSink[j] = ofSink
                take(j, by: edge, from: i)
                activate(Int32(j))
            } else if isOfSink[j] != ofSink {
                return ofSink ? edge ^ 1 : edge
            } else if stamp[j] <= stamp[i], distance[j] > distance[i] {
                // A shorter way to the terminal.
                take(j, by: edge, from: i)
            }
        }
        return nil
    }

    private mutating func take(_ child: Int, by edge: Int32, from node: Int) {
        parent[child] = edge ^ 1
        stamp[child] = stamp[node]
        distance[child] = distance[node] + 1
    }

    /// Pushes what the path through `bridge` can take.
    private mutating func augment(_ bridge: Int32) {
        var least = residual[Int(bridge)]
        for ofSink in [false, true] {
            var node = Int(head[Int(ofSink ? bridge : bridge ^ 1)])
            while parent[node] != Self.terminal {
                least = min(least, room(parent[node] ^ 1, ofSink: ofSink))
                node = Int(head[Int(parent[node])])
            }
            least = min(least, abs(rest[node]))
        }
        residual[Int(bridge)] -= least
        residual[Int(bridge ^ 1)] += least
        for ofSink in [false, true] {
            var node = Int(head[Int(ofSink ? bridge : bridge ^ 1)])
            while parent[node] != Self.terminal {
                let up = parent[node]
                let along = Int(ofSink ? up : up ^ 1)
                residual[along] -= least
                residual[along ^ 1] += least
                let above = Int(head[Int(up)])
                if residual[along] == 0 { setLoose(node) }
                node = above
            }
            rest[node] += ofSink ? least : -least
            if rest[node] == 0 { setLoose(node) }
        }
        flow += Int(least)
    }

    private mutating func setLoose(_ node: Int) {
        parent[node] = Self.orphan
        orphans.append(Int32(node))
    }

    /// Finds a loose node the nearest parent of its own tree that still hangs on the terminal, or sets it free.
    private mutating func adopt(_ node: Int32) {
        let i = Int(node)
        let ofSink = isOfSink[i]
        var (best, least) = (Self.none, Int32.max)
        var edge = first[i]
        while edge != Self.none {
            defer { edge = next[Int(edge)] }
            let j = Int(head[Int(edge)])
            // Flow would come from the parent, or go to it.
            guard room(edge ^ 1, ofSink: ofSink) > 0, isOfSink[j] == ofSink, parent[j] != Self.none,
                let length = distanceToTerminal(j), length < least
            else { continue }
            (best, least) = (edge, length)
        }
        parent[i] = best
        guard best == Self.none else {
            stamp[i] = time
            distance[i] = least + 1
            return
        }
        edge = first[i]
        while edge != Self.none {
            defer { edge = next[Int(edge)] }
            let j = Int(head[Int(edge)])
            guard isOfSink[j] == ofSink, parent[j] != Self.none else { continue }
            if room(edge ^ 1, ofSink: ofSink) > 0 { activate(Int32(j)) }
            if parent[j] >= 0, head[Int(parent[j])] == node { setLoose(j) }
        }
    }

    /// Nil where the way ends at a loose node. Marks the way, so that it is walked once.
    private mutating func distanceToTerminal(_ start: Int) -> Int32? {
        var (node, length) = (start, Int32(0))
        while true {
            if stamp[node] == time {
                length += distance[node]
                break
            }
            length += 1
            let up = parent[node]
            if up == Self.terminal {
                stamp[node] = time
                distance[node] = 1
                break
            }
            guard up >= 0 else { return nil }
            node = Int(head[Int(up)])
        }
        node = start
        var left = length
        while stamp[node] != time {
            stamp[node] = time
            distance[node] = left
            left -= 1
            node = Int(head[Int(parent[node])])
        }
        return length
    }
}
