import CKernels

/// `MatMul` of two tensors of which none is a matrix of weights: of two activations, as attention multiplies queries by keys and weights by values
/// (Vaswani et al., "Attention Is All You Need", 2017, https://arxiv.org/abs/1706.03762), or of an activation and a constant with more axes than two.
///
/// The last two axes are those of matrices, those before are broadcast: https://onnx.ai/onnx/operators/onnx__MatMul.html. Back, with G what
/// comes to A·B: G·Bᵀ to A and Aᵀ·G to B, summed over the axes along which one was repeated.
struct Product: ChannelsFirst {
    static let names: [String] = []

    init() {}

    init(_ node: NodeReader) throws {
        guard node.input(0) != nil, node.input(1) != nil else { throw Refusal("has \(node.inputCount) inputs; it needs 2") }
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        guard inputs.count >= 2, let left = inputs[0], let right = inputs[1] else { throw Refusal("has too few inputs") }
        // Axis 0 of an activation is that of images, unless it holds something else.
        guard right.constant != nil || right.shape.count > 2 || right.shape.firstIsNotTheBatch else {
            throw Refusal("multiplies by a tensor of shape \(right.shape), which mixes the images of a batch")
        }
        return [try Plan(left.shape, right.shape).shape]
    }

    var mixesPlaces: Bool { true }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        inputs.count == 2 ? Places.ofProduct(inputs[0], inputs[1], to: output.shape) : nil
    }

    /// Every element of the result depends on a row of the first and a column of the second, wherever they stand.
    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField {
        inputs.dropFirst().reduce(inputs.first ?? .pixel) { $0.union($1) }
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let (left, right) = try (
            program.location(node.inputs[0], in: .rowMajor), program.location(node.inputs[1], in: .rowMajor)
        )
        let plan = try Plan(left.shape, right.shape)
        let destination = program.allocate(node.outputs[0], in: .rowMajor)
        Self.emit(
            Factor(left, plan.left), Factor(right, plan.right), plan.result(destination),
            Sizes(rows: plan.rows, inputs: plan.inner, outputs: plan.columns), into: &program)
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: .rowMajor)
        let (left, right) = try (
            program.location(node.inputs[0], in: .rowMajor), program.location(node.inputs[1], in: .rowMajor)
        )
        let plan = try Plan(left.shape, right.shape)
        let result = plan.result(gradient)
        try program.contribute(to: node.inputs[0], in: .rowMajor) { program, target in
            let full = Self.whole(target, plan.outer + plan.leftAxes, &program)
            Self.emit(
                result, Factor(right, plan.right, isTransposed: true), Factor(full, plan.steps(of: plan.rows * plan.inner)),
                Sizes(rows: plan.rows, inputs: plan.columns, outputs: plan.inner), into: &program.forward)
            if full != target { program.sum(full, to: target) }
        }
        try program.contribute(to: node.inputs[1], in: .rowMajor) { program, target in
            let full = Self.whole(target, plan.outer + plan.rightAxes, &program)
            Self.emit(
                Factor(left, plan.left, isTransposed: true), result, Factor(full, plan.steps(of: plan.inner * plan.columns)),
                Sizes(rows: plan.inner, inputs: plan.rows, outputs: plan.columns), into: &program.forward)
            if full != target { program.sum(full, to: target) }
        }
    }

    /// `target` itself where the product has all its axes, else memory for a gradient that has.
    private static func whole(_ target: Location, _ shape: [Int], _ program: inout BackwardBuilder) -> Location {
        target.count == shape.product ? target : program.temporary(shape, in: .rowMajor)
    }

    /// Matrices side by side in memory.
    struct Factor {
        var location: Location
        /// Where each of the product's matrices begins, of one image.
        var starts: [Int]
        /// Whether it is multiplied with rows and columns changed.
        var isTransposed = false

        init(_ location: Location, _ starts: [Int], isTransposed: Bool = false) {
            (self.location, self.starts, self.isTransposed) = (location, starts, isTransposed)
        }

        /// Where matrix `index` begins, of all images' matrices one after the other.
        func start(_ index: Int) -> Int {
            let (image, matrix) = (index / starts.count, index % starts.count)
            return starts[matrix] + (location.batch == 1 ? 0 : image * location.count)
        }
    }

    /// Of the matrices that are multiplied: rows × inputs by inputs × outputs.
    struct Sizes { var rows, inputs, outputs: Int }

    /// Emits the products of matrices, one for each of the starts.
    static func emit(
        _ left: Factor, _ right: Factor, _ result: Factor, _ sizes: Sizes, into program: inout ProgramBuilder
    ) {
        let (rows, inputs, outputs) = (sizes.rows, sizes.inputs, sizes.outputs)
        let count = left.starts.count * program.batch
        let turned = left.isTransposed ? rows * inputs : 0
        let each = ndx_product_scratch(inputs, outputs) + turned
        // Two threads have scratch memory each.
        let scratch = 2 * each * MemoryLayout<Float>.size
        program.emit(reads: [left.location, right.location], writes: [result.location], scratch: scratch) { memory in
            let (a, b, to) = (memory[left.location], memory[right.location], memory[result.location])
            let scratch = memory.scratch.assumingMemoryBound(to: Float.self)
            return {
                Team.split(count, cost: rows * outputs, grain: 1) { range in
                    let own = scratch + (range.lowerBound == 0 ? 0 : each)
                    for index in range {
                        var from = UnsafePointer(a + left.start(index))
                        if left.isTransposed {
                            ndx_transpose_values(from, rows, inputs, rows, own, inputs)
                            from = UnsafePointer(own)
                        }
                        let matrix = UnsafePointer(b + right.start(index))
                        ndx_product(
                            from, rows, inputs, matrix, right.isTransposed ? 1 : outputs, right.isTransposed ? inputs : 1,
                            to + result.start(index), outputs, own + turned)
                    }
                }
            }
        }
    }

    /// Which matrices are multiplied, for one image.
    private struct Plan {
        let outer: [Int]
        let (rows, inner, columns): (Int, Int, Int)
        /// The result's.
        let shape: [Int]
        /// Of either tensor, without those that are broadcast.
        let (leftAxes, rightAxes): ([Int], [Int])
        /// Where every matrix begins in either tensor.
        let (left, right): ([Int], [Int])

        /// - Throws: `Refusal` where the shapes do not fit.
        init(_ a: [Int], _ b: [Int]) throws {
            guard let inner = a.last, let first = b.last, inner == (b.count == 1 ? first : b[b.count - 2]) else {
                throw Refusal("multiplies tensors of shapes \(a) and \(b), which do not fit")
            }
            let (isRow, isColumn) = (a.count == 1, b.count == 1)
            (rows, self.inner, columns) = (isRow ? 1 : a[a.count - 2], inner, isColumn ? 1 : first)
            let outer = try Arithmetic.broadcast(Array(a.dropLast(2)), Array(b.dropLast(2)))
            (self.outer, shape) = (outer, outer + (isRow ? [] : [rows]) + (isColumn ? [] : [columns]))
            (leftAxes, rightAxes) = (isRow ? [inner] : [rows, inner], isColumn ? [inner] : [inner, columns])
            func starts(_ own: [Int], of size: Int) -> [Int] {
                let aligned = own.aligned(outer.count)
                let strides = zip(aligned, aligned.rowMajorStrides).map { $0 == 1 ? 0 : $1 * size }
                return HostTensor.indices(shape: outer, strides: strides)
            }
            left = starts(Array(a.dropLast(2)), of: rows * inner)
            right = starts(Array(b.dropLast(2)), of: inner * columns)
        }

        /// Where matrices of `size` elements begin that none is left out of.
        func steps(of size: Int) -> [Int] { (0..<outer.product).map { $0 * size } }

        func result(_ location: Location) -> Factor { Factor(location, steps(of: rows * columns)) }
    }
}
