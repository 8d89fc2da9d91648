import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Networks of many nodes are read in a time that grows as they do; what they compute is known. (Where it grew as the square, these took minutes.)
@Suite struct LongNetworkTests {
    private func convolution(_ model: inout ModelBuilder) -> String {
        model.node("Conv", ["image", model.weight("w", [2, 1, 1, 1], [1, 2])])
    }

    private func answer(_ model: ModelBuilder, _ output: String) throws -> [Float] {
        try model.network(output: output).answers(to: [[1, 3, 2, 0]])[0]
    }

    @Test(arguments: ["Relu", "Identity", "LeakyRelu"]) func chains(_ type: String) throws {
        var model = ModelBuilder(input: [1, 1, 2, 2])
        var value = convolution(&model)
        for _ in 0..<4000 { value = model.node(type, [value], name: "same") }
        value = model.node("GlobalMaxPool", [value])
        #expect(try answer(model, value) == [3, 6])
    }

    /// Every node has the same name, as those of one module do that is called again and again.
    @Test func layersOfOneName() throws {
        var model = ModelBuilder(input: [1, 1, 2, 2])
        var value = convolution(&model)
        let weight = model.weight("one", [2, 2, 1, 1], [1, 0, 0, 1])
        for _ in 0..<2000 {
            value = model.node("Relu", [model.node("Conv", [value, weight], name: "/again/Conv")], name: "/again/Relu")
        }
        let network = try model.network(output: model.node("GlobalMaxPool", [value]))
        #expect(network.layers.count == 2002)
        #expect(Set(network.layers.map(\.name)).count == 2002)
        #expect(network.layers[2000].name == "again.2000")
        #expect(try network.answers(to: [[1, 3, 2, 0]])[0] == [3, 6])
    }

    /// One value that all others are added to, so that it lives as long as the network.
    @Test func sumsWithTheFirst() throws {
        var model = ModelBuilder(input: [1, 1, 2, 2])
        let first = convolution(&model)
        var value = first
        for _ in 0..<2000 { value = model.node("Add", [value, first]) }
        #expect(try answer(model, model.node("GlobalMaxPool", [value])) == [3 * 2001, 6 * 2001])
    }

    /// A product of products is read no further than any known function goes.
    @Test func products() throws {
        var model = ModelBuilder(input: [1, 1, 2, 2])
        let (half, two) = (model.weight("half", [1], [0.5]), model.weight("two", [1], [2]))
        var value = convolution(&model)
        for index in 0..<20_000 { value = model.node("Mul", [value, index % 2 == 0 ? half : two]) }
        #expect(try answer(model, model.node("GlobalMaxPool", [value])) == [3, 6])
    }

    /// Buffers get the places that looking at all of them would give.
    @Test func buffersStandWhereTheFirstRoomIs() {
        var random = SeededGenerator(seed: 8)
        for _ in 0..<200 {
            let (steps, count) = (Int.random(in: 1...60, using: &random), Int.random(in: 1...50, using: &random))
            let elements = (0..<count).map { _ in Int.random(in: 0...90, using: &random) * 16 }
            let lives = (0..<count).map { _ -> ClosedRange<Int>? in
                let first = Int.random(in: -1...steps, using: &random)
                return Int.random(in: 0..<9, using: &random) == 0 ? nil : first...Int.random(in: first...steps, using: &random)
            }
            var placed: [(life: ClosedRange<Int>, bytes: Range<Int>)] = []
            var offsets = [Int](repeating: 0, count: count)
            for index in (0..<count).sorted(by: { (elements[$0], $1) > (elements[$1], $0) }) {
                guard let life = lives[index] else { continue }
                var start = 0
                for other in placed.sorted(by: { $0.bytes.lowerBound < $1.bytes.lowerBound }) where other.life.overlaps(life) {
                    if start + elements[index] * 4 <= other.bytes.lowerBound { break }
                    start = max(start, other.bytes.upperBound)
                }
                offsets[index] = start
                placed.append((life, start..<start + elements[index] * 4))
            }
            #expect(MemoryPlan(elements: elements, lives: lives).offsets == offsets)
        }
    }

    /// Weights that a node keeps in a file of their own belong to the network as those of the graph do.
    @Test func constantsOutsideTheFileAreHashed() throws {
        let folder = try TemporaryFolder()
        func entry(_ key: String, _ value: String) -> ProtoMessage {
            var entry = ProtoMessage()
            entry.add(1, key)
            entry.add(2, value)
            return entry
        }
        var tensor = ProtoMessage()
        for extent in [1, 1, 1, 1] { tensor.add(1, extent) }
        tensor.add(2, 1)
        tensor.add(13, entry("location", "weights.bin"))
        tensor.add(14, 1)
        var model = ModelBuilder(input: [1, 1, 1, 1])
        let output = model.node("Conv", ["image", model.node("Constant", [], ["value": .tensor(tensor)])])
        try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: folder.file("model.onnx")))
        func network(_ weight: Float) throws -> Network {
            try Data(ProtoMessage.littleEndian([weight])).write(to: URL(fileURLWithPath: folder.file("weights.bin")))
            return try Network(contentsOf: folder.file("model.onnx"))
        }
        let (two, three) = (try network(2), try network(3))
        #expect(try two.answers(to: [[1]]) == [[2]])
        #expect(try three.answers(to: [[1]]) == [[3]])
        #expect(two.sha256 != three.sha256)
        #expect(try network(2).sha256 == two.sha256)
        try FileManager.default.removeItem(atPath: folder.file("weights.bin"))
        mkfifo(folder.file("weights.bin"), 0o644)
        #expect(throws: NetworkError.self) { try Network(contentsOf: folder.file("model.onnx")) }
    }
}
