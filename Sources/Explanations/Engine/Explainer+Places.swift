import Images
import NeuralNetwork

extension Explainer {
    /// The target with the boxes and regions of its terms as places of its layer's map on one picture; others as they are.
    ///
    /// The places stay those of the unchanged picture while parts of it are covered or its values are moved, so that all numbers of one
    /// explanation are of the same places.
    ///
    /// - Throws: `ExplanationError.target` for a box that the network sees nothing of, and a channel that is nowhere the largest.
    public func placed(_ target: Target, on subject: Subject) throws -> Target {
        guard target.isOfPicture else { return target }
        let layer = try layer(of: target)
        return try target.mapTerms { term in
            switch term.reduction {
            case .box(let left, let top, let right, let bottom):
                let box = Rectangle(
                    x: Double(left), y: Double(top), width: Double(right - left), height: Double(bottom - top))
                return .places(try places(of: layer, in: box, on: subject, target))
            case .region: return .places(try places(of: layer, whereLargest: term.channel, on: subject, target))
            default: return term.reduction
            }
        }
    }

    /// Places whose field has its centre in a box of the upright picture; the nearest one where none has.
    private func places(of layer: Layer, in box: Rectangle, on subject: Subject, _ target: Target) throws -> [Int] {
        let placement = subject.framed.placement
        let seen = placement.inputRectangle(ofSource: box).clipped(to: placement.shownRectangle)
        guard !seen.isEmpty else {
            let shown = placement.sourceRectangle(ofInput: placement.shownRectangle)
            let edges = [shown.x, shown.y, shown.x + shown.width, shown.y + shown.height].map { "\(Int($0.rounded()))" }
            throw ExplanationError.target(
                target.text,
                problem:
                    "has a box in which the network sees nothing of \(subject.name); of its \(placement.source.width)×\(placement.source.height) pixels it sees \(edges.joined(separator: ","))"
            )
        }
        func centre(_ axis: ReceptiveField.Axis, _ place: Int) -> Double {
            Double(axis.start + place * axis.stride) + Double(axis.size) / 2
        }
        let field = layer.receptiveField
        let (rows, columns) = ((0..<layer.height).map { centre(field.y, $0) }, (0..<layer.width).map { centre(field.x, $0) })
        func inside(_ centres: [Double], _ start: Double, _ extent: Double) -> [Int] {
            let found = centres.indices.filter { centres[$0] >= start && centres[$0] < start + extent }
            guard found.isEmpty else { return found }
            let middle = start + extent / 2
            return centres.indices.min { abs(centres[$0] - middle) < abs(centres[$1] - middle) }.map { [$0] } ?? []
        }
        let (y, x) = (inside(rows, seen.y, seen.height), inside(columns, seen.x, seen.width))
        return y.flatMap { row in x.map { row * layer.width + $0 } }
    }

    /// Places where a channel is the largest of its layer, the first of equals.
    private func places(
        of layer: Layer, whereLargest channel: Int, on subject: Subject, _ target: Target
    ) throws -> [Int] {
        let map = try activations(of: layer, on: subject)
        let largest = (0..<layer.height * layer.width).map { place in
            Array(map[place * layer.channels..<(place + 1) * layer.channels]).firstOfLargest
        }
        let found = largest.indices.filter { largest[$0] == channel }
        guard found.isEmpty else { return found }
        let counts = Dictionary(largest.map { ($0, 1) }, uniquingKeysWith: +)
        let most = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }
        throw ExplanationError.target(
            target.text,
            problem:
                "is nowhere the largest channel of \(layer.name) on \(subject.name); \(most.map { "channel \($0.key) is at \($0.value) of \(largest.count) places" } ?? "it has no places")"
        )
    }
}
