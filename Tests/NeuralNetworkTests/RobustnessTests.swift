import NeuralNetwork
import TestSupport
import Testing

/// Files that mean harm, or were harmed: each is read or refused with a NetworkError, and none asks for more memory
/// than there is.
@Suite struct RobustnessTests {
    /// A small model with shape arithmetic, branches, padding and slicing.
    private static func model() -> [UInt8] {
        var (model, output) = ModelBuilder.classifier(input: [1, 3, 6, 6])
        let padded = model.node("Pad", ["image", model.integers([0, 0, 1, 1, 0, 0, 0, 0])])
        let cut = model.node(
            "Slice", [padded, model.integers([1]), model.integers([7]), model.integers([2]), model.integers([1])])
        let pool = model.node("MaxPool", [cut], ["kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1])
        let shape = model.node("Shape", [pool])
        let channels = model.node("Gather", [shape, model.integers([1])])
        let target = model.node("Concat", [model.integers([1]), channels, model.integers([-1])], ["axis": 0])
        let rows = model.node("Reshape", [pool, target])
        let turned = model.node("Transpose", [rows], ["perm": [0, 2, 1]])
        let flat = model.node("Flatten", [model.node("Softmax", [turned])])
        output = model.node("Concat", [output, model.node("Clip", [flat])], ["axis": 1])
        return model.bytes(outputs: [output])
    }

    @Test func harmedFiles() throws {
        let whole = Self.model()
        #expect(throws: Never.self) { _ = try Network(bytes: whole).answers(to: [[Float](repeating: 1, count: 108)]) }
        var random = SeededGenerator(seed: 2026)
        var read = 0
        for number in 0..<500 {
            var bytes = whole
            if number % 5 == 0 {
                bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
            } else {
                for _ in 0...number % 3 {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            }
            do {
                let network = try Network(bytes: bytes)
                // Files that only changed a weight or a name still run.
                let count = network.input.channels * network.input.height * network.input.width
                if count < 100_000 { _ = try network.answers(to: [[Float](repeating: 1, count: count)]) }
                read += 1
            } catch is NetworkError {} catch { Issue.record("file \(number), seed 2026: \(error)") }
        }
        #expect(read > 50, "most changes hit a weight: \(read) of 500 files are read")
    }

    /// Tiny files that ask for huge tensors, and the words of their refusal.
    @Test func bombs() throws {
        func expectRefused(_ name: String, _ input: [Int?] = [1, 3, 8, 8], _ build: (inout ModelBuilder) -> String) {
            var model = ModelBuilder(input: input)
            let output = build(&model)
            let clock = ContinuousClock()
            var error: NetworkError?
            let time = clock.measure { error = networkError { _ = try model.network(output: output) } }
            #expect(error != nil, "\(name) is not refused")
            #expect(time < .seconds(15), "\(name) takes \(time)")
        }
        for shape in [[1 << 31], [1 << 16, 1 << 15], [1 << 62, 4], [-1, 5], [0, 1 << 40, 1 << 40]] {
            expectRefused("ConstantOfShape \(shape)") { model in
                model.node("Add", ["image", model.node("ConstantOfShape", [model.integers(shape)])])
            }
        }
        expectRefused("a product of two constants") { model in
            let (rows, columns) = (
                model.integers([Int](repeating: 1, count: 1 << 15), shape: [1 << 15, 1]),
                model.integers([Int](repeating: 1, count: 1 << 15))
            )
            return model.node("Add", ["image", model.node("Mul", [rows, columns])])
        }
        expectRefused("a gathered table") { model in
            let (table, picks) = (
                model.integers([Int](repeating: 0, count: 1 << 15), shape: [1, 1 << 15]),
                model.integers([Int](repeating: 0, count: 1 << 15))
            )
            return model.node("Add", ["image", model.node("Gather", [table, picks])])
        }
        expectRefused("a constant that doubles and doubles") { model in
            var value = model.integers([Int](repeating: 1, count: 1 << 10))
            for _ in 0..<40 { value = model.node("Concat", [value, value], ["axis": 0]) }
            return model.node("Reshape", ["image", value])
        }
        expectRefused("Pad") { model in model.node("Pad", ["image", model.integers([0, 65536, 65536, 0, 0, 0, 0, 65536])]) }
        expectRefused("Pad beyond numbers") { model in
            model.node("Pad", ["image", model.integers([0, 0, .max, 0, 0, 0, .max, 0])])
        }
        expectRefused("Pad that cuts more than there is") { model in
            model.node("Pad", ["image", model.integers([0, 0, -20, 0, 0, 0, 30, 0])])
        }
        expectRefused("Reshape") { model in model.node("Reshape", ["image", model.integers([1 << 40, -1])]) }
        expectRefused("Reshape of nothing") { model in
            model.node("Reshape", ["image", model.integers([0, 1 << 40, 1 << 40, 0])])
        }
        expectRefused("more axes than copies have") { model in
            let split = model.node("Reshape", ["image", model.integers([1, 3, 2, 2, 2, 2, 2, 2])])
            return model.node("Transpose", [split], ["perm": [0, 7, 2, 5, 4, 3, 6, 1]])
        }
        expectRefused("a picture of 2⁶⁰ pixels", [1, 3, 1 << 30, 1 << 30]) { $0.node("Relu", ["image"]) }
        expectRefused("a broadcast", [1, 1, 16000, 1]) { model in
            let row = model.node("Transpose", ["image"], ["perm": [0, 1, 3, 2]])
            let wide = model.node("Concat", ["image", "image", "image"], ["axis": 2])
            return model.node("Add", [wide, row])
        }
        let windows: [(String, [String: ModelBuilder.Attribute])] = [
            ("a kernel", ["kernel_shape": [60000, 60000]]), ("strides", ["kernel_shape": [1, 1], "strides": [0, 1]]),
            ("pads", ["kernel_shape": [1, 1], "pads": [65536, 65536, 65536, 65536]]),
            ("dilations", ["kernel_shape": [2, 2], "dilations": .ints([.max, 1])]),
        ]
        for (name, attributes) in windows {
            expectRefused("MaxPool with \(name)") { $0.node("MaxPool", ["image"], attributes) }
        }
    }

    /// A file of a few bytes that computes a large constant again and again; a shorter row of the same is read.
    @Test(arguments: [2, 40]) func constantsOfConstants(_ times: Int) throws {
        var model = ModelBuilder(input: [1, 3, 8, 8])
        var value = model.node("ConstantOfShape", [model.integers([1 << 22])])
        for _ in 0..<times { value = model.node("Not", [value]) }
        let sum = model.node("ReduceMax", [model.node("Cast", [value], ["to": 1])], ["keepdims": 0])
        let output = model.node("Add", ["image", sum])
        let error = networkError { _ = try model.network(output: output) }
        #expect(times == 2 ? error == nil : "\(error, default: "nothing")".contains("computes so many constants"))
    }

    /// Operators with too few inputs or none, and of the wrong shapes.
    @Test func operatorsWithoutWhatTheyNeed() throws {
        for name in operatorNames where name != "Constant" {
            for inputs in [
                [], [""], ["image"], ["image", ""], ["", "image"], ["w"], ["w", "w"], ["w", "", "w"], ["image", "w"],
                ["", "", ""],
            ] {
                for shape in [[], [0], [1], [2, 3], [1, 3, 8, 8], [1, 1, 1, 1, 1, 1, 1]] {
                    var model = ModelBuilder()
                    _ = model.weight("w", shape, [Float](repeating: 1, count: shape.reduce(1, *)))
                    let output = model.node(name, inputs, ["axis": -9, "kernel_shape": [2, 2], "size": 2])
                    let join = model.node("Add", ["image", output])
                    for answer in [output, join] {
                        do {
                            let network = try model.network(output: answer)
                            _ = try network.answers(to: [[Float](repeating: 1, count: 192)])
                        } catch is NetworkError {} catch { Issue.record("\(name) of \(inputs), w \(shape): \(error)") }
                    }
                }
            }
        }
    }
}
