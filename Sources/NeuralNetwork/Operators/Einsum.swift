import Foundation

/// `Einsum` of two tensors, or of one whose axes it reorders.
///
/// https://onnx.ai/onnx/operators/onnx__Einsum.html. Each letter is an axis: those of both tensors and the result stand for matrices, those of both
/// that the result lacks are added up over. What is left is a product of matrices between changes of the order of axes, and so is its way back.
struct Einsum: ChannelsFirst {
    static let names = ["Einsum"]

    /// A letter for every axis; of those left open (…) digits.
    private let terms: [[Character]]
    private let result: [Character]

    init(_ node: NodeReader) throws {
        let equation = node.string("equation", default: "").filter { !$0.isWhitespace }
        let sides = equation.components(separatedBy: "->")
        let given = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard sides.count <= 2, given.count == node.inputCount, (1...2).contains(given.count) else {
            throw Refusal("its equation is '\(equation)' for \(node.inputCount) tensors; neurodex reads it of one or two")
        }
        var open: [Character] = []
        terms = try given.enumerated().map { place, term in
            let rank = node.input(place)?.shape.count ?? 0
            let extra = term.contains("...") ? rank - (term.count - 3) : 0
            guard (0...10).contains(extra) else { throw Refusal("its equation is '\(equation)' for a tensor of \(rank) axes") }
            let letters = (10 - extra..<10).map { Character(String($0)) }
            if letters.count > open.count { open = letters }
            return Array(term.replacingOccurrences(of: "...", with: String(letters)))
        }
        let all = terms.joined()
        let once = Set(all).sorted().filter { letter in all.count { $0 == letter } == 1 && !letter.isNumber }
        result = sides.count == 2 ? Array(sides[1].replacingOccurrences(of: "...", with: String(open))) : open + once
        for term in terms + [result] where Set(term).count != term.count {
            throw Refusal("its equation '\(equation)' takes a diagonal, which neurodex does not read")
        }
        for (index, term) in terms.enumerated() {
            let others = Set(result + terms.enumerated().filter { $0.offset != index }.flatMap(\.element))
            guard others.isSuperset(of: term), Set(all).isSuperset(of: result) else {
                throw Refusal("its equation '\(equation)' adds up over an axis of one tensor, which neurodex does not read")
            }
        }
    }

    /// Every letter's extent.
    private func extents(_ shapes: [[Int]]) throws -> [Character: Int] {
        var found: [Character: Int] = [:]
        for (term, shape) in zip(terms, shapes) {
            guard term.count == shape.count, zip(term, shape).allSatisfy({ found[$0] ?? $1 == $1 }) else {
                throw Refusal("has letters '\(String(term))' for a tensor of shape \(shape)")
            }
            for (letter, extent) in zip(term, shape) { found[letter] = extent }
        }
        return found
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let operands = inputs.compactMap { $0 }
        let extents = try extents(operands.map(\.shape))
        for (term, operand) in zip(terms, operands) where operand.constant == nil {
            guard term.first == result.first || operand.shape.firstIsNotTheBatch else {
                throw Refusal("moves axis 0 or adds up over it, which mixes the images of a batch")
            }
        }
        return [result.map { extents[$0] ?? 1 }]
    }

    var mixesPlaces: Bool { terms.count == 2 }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        guard inputs.count == terms.count, let known = inputs.first(where: { $0.places != nil })?.places else { return nil }
        let axes = result.map { letter -> [Places.Part]? in
            for (term, input) in zip(terms, inputs) {
                guard let axis = term.firstIndex(of: letter), let places = input.places else { continue }
                return places.axes[axis]
            }
            return nil
        }
        guard !axes.contains(nil) else { return nil }
        var places = known
        places.axes = axes.compactMap { $0 }
        return places
    }

    /// Which letters stand for which axes of the matrices that are multiplied.
    private struct Roles {
        /// Of both tensors and the result; of the first and the result; of both alone; of the second and the result.
        var outer, rows, inner, columns: [Character]

        init(_ left: [Character], _ right: [Character], _ result: [Character]) {
            outer = result.filter { left.contains($0) && right.contains($0) }
            rows = result.filter { left.contains($0) && !right.contains($0) }
            columns = result.filter { right.contains($0) && !left.contains($0) }
            inner = left.filter { !result.contains($0) }
        }
    }

    /// Tensors in the order of matrices, and their sizes.
    private struct Plan {
        let roles: Roles
        let extents: [Character: Int]

        func count(_ letters: [Character]) -> Int { letters.map { extents[$0] ?? 1 }.product }
        var count: Int { count(roles.outer) }
        var sizes: (rows: Int, inner: Int, columns: Int) { (count(roles.rows), count(roles.inner), count(roles.columns)) }
        var left: [Character] { roles.outer + roles.rows + roles.inner }
        var right: [Character] { roles.outer + roles.inner + roles.columns }
        var result: [Character] { roles.outer + roles.rows + roles.columns }

        func shape(_ letters: [Character]) -> [Int] { letters.map { extents[$0] ?? 1 } }
        func factor(_ location: Location, isTransposed: Bool = false) -> Product.Factor {
            let size = location.count / count
            return Product.Factor(location, (0..<count).map { $0 * size }, isTransposed: isTransposed)
        }
        /// The steps in memory along the axes of `order`.
        func strides(_ location: Location, _ letters: [Character], _ order: [Character]) -> [Int] {
            order.map { letter in letters.firstIndex(of: letter).map { location.strides[$0] } ?? 0 }
        }
        /// A tensor with its axes in another order; itself where it has it.
        func ordered(
            _ source: Location, _ letters: [Character], _ order: [Character], _ program: inout ProgramBuilder
        ) -> Location {
            let (shape, strides) = (shape(order), strides(source, letters, order))
            if zip(zip(strides, shape.rowMajorStrides), shape).allSatisfy({ $0.0 == $0.1 || $1 == 1 }) {
                var same = source
                (same.shape, same.order) = (shape, .rowMajor)
                return same
            }
            let target = program.temporary(shape, in: .rowMajor)
            program.copy(source, shape: shape, fromStrides: strides, to: target, toStrides: shape.rowMajorStrides)
            return target
        }
    }

    private func plan(_ locations: [Location]) throws -> Plan {
        Plan(roles: Roles(terms[0], terms[1], result), extents: try extents(locations.map(\.shape)))
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let sources = try node.inputs.map { try program.location($0, in: nil) }
        let destination = program.allocate(node.outputs[0], in: .rowMajor)
        guard sources.count == 2 else {
            let strides = result.map { letter in terms[0].firstIndex(of: letter).map { sources[0].strides[$0] } ?? 0 }
            return program.copy(
                sources[0], shape: destination.shape, fromStrides: strides, to: destination, toStrides: destination.strides)
        }
        let plan = try plan(sources)
        let left = plan.ordered(sources[0], terms[0], plan.left, &program)
        let right = plan.ordered(sources[1], terms[1], plan.right, &program)
        let isInOrder = plan.result == result
        let product = isInOrder ? destination : program.temporary(plan.shape(plan.result), in: .rowMajor)
        let sizes = plan.sizes
        Product.emit(
            plan.factor(left), plan.factor(right), plan.factor(product),
            Product.Sizes(rows: sizes.rows, inputs: sizes.inner, outputs: sizes.columns), into: &program)
        guard !isInOrder else { return }
        program.copy(
            product, shape: destination.shape, fromStrides: plan.strides(product, plan.result, result), to: destination,
            toStrides: destination.strides)
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: nil)
        let sources = try node.inputs.map { try program.location($0, in: nil) }
        guard sources.count == 2 else {
            return try program.contribute(to: node.inputs[0], in: nil) { program, target in
                let strides = terms[0].map { letter in result.firstIndex(of: letter).map { gradient.strides[$0] } ?? 0 }
                program.copyStrided(
                    gradient, shape: target.shape, fromStrides: strides, to: target, toStrides: target.strides)
            }
        }
        let plan = try plan(sources)
        let (rows, inner, columns) = plan.sizes
        let from = plan.ordered(gradient, result, plan.result, &program.forward)
        for place in 0..<2 {
            let other = plan.ordered(
                sources[1 - place], terms[1 - place], place == 0 ? plan.right : plan.left, &program.forward)
            let order = place == 0 ? plan.left : plan.right
            try program.contribute(to: node.inputs[place], in: nil) { program, target in
                let whole = program.temporary(plan.shape(order), in: .rowMajor)
                if place == 0 {
                    Product.emit(
                        plan.factor(from), plan.factor(other, isTransposed: true), plan.factor(whole),
                        Product.Sizes(rows: rows, inputs: columns, outputs: inner), into: &program.forward)
                } else {
                    Product.emit(
                        plan.factor(other, isTransposed: true), plan.factor(from), plan.factor(whole),
                        Product.Sizes(rows: inner, inputs: rows, outputs: columns), into: &program.forward)
                }
                program.copyStrided(
                    whole, shape: target.shape, fromStrides: plan.strides(whole, order, terms[place]), to: target,
                    toStrides: target.strides)
            }
        }
    }
}
