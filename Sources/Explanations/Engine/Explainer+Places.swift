import Images
import NeuralNetwork

extension Explainer {
    /// The target with the boxes and regions of its terms as places of its layer's map on one picture; others as they are.
    ///
    /// The places stay those of the unchanged picture while parts of it are covered or its values are moved, so that all numbers of one
    /// explanation are of the same places.
    ///
    /// - Throws: `ExplanationError.target` for a box that the network sees nothing of, and a channel that is nowhere the largest.
    public func placed(_ target: Target, on subject: InputImage) throws -> Target {
        guard target.isOfPicture else { return target }
        let layer = try layer(of: target)
        return try target.mapTerms { term in
            switch term.reduction {
            case .box(let left, let top, let right, let bottom):
                let box = Rectangle(
                    x: Double(left), y: Double(top), width: Double(right - left), height: Double(bottom - top))
                return .places(try places(of: layer, in: box, on: subject, target))
            case .mask(let file, _): return .places(try places(of: layer, inMask: file, on: subject, target))
            case .region: return .places(try places(of: layer, whereLargest: term.channel, on: subject, target))
            default: return term.reduction
            }
        }
    }

    /// Places whose field has its centre in a box of the upright picture; the nearest one where none has.
    private func places(of layer: Layer, in box: Rectangle, on subject: InputImage, _ target: Target) throws -> [Int] {
        let placement = subject.framed.placement
        let seen = placement.inputRectangle(ofSource: box).clipped(to: placement.shownRectangle)
        guard !seen.isEmpty else {
            throw unseen("box", on: subject, target)
        }
        let (rows, columns) = centres(of: layer, on: subject)
        func inside(_ centres: [Double], _ start: Double, _ extent: Double) -> [Int] {
            let found = centres.indices.filter { centres[$0] >= start && centres[$0] < start + extent }
            guard found.isEmpty else { return found }
            let middle = start + extent / 2
            return centres.indices.min { abs(centres[$0] - middle) < abs(centres[$1] - middle) }.map { [$0] } ?? []
        }
        let (y, x) = (inside(rows, seen.y, seen.height), inside(columns, seen.x, seen.width))
        return y.flatMap { row in x.map { row * layer.width + $0 } }
    }

    private func unseen(_ region: String, on subject: InputImage, _ target: Target) -> ExplanationError {
        let placement = subject.framed.placement
        let shown = placement.sourceRectangle(ofInput: placement.shownRectangle)
        let edges = [shown.x, shown.y, shown.x + shown.width, shown.y + shown.height].map { "\(Int($0.rounded()))" }
        return .target(
            target.text,
            problem:
                "has a \(region) in which the network sees nothing of \(subject.name); of its \(placement.source.width)×\(placement.source.height) pixels it sees \(edges.joined(separator: ","))"
        )
    }

    /// The middles of a map's rows and columns in the network's frame.
    private func centres(of layer: Layer, on subject: InputImage) -> (rows: [Double], columns: [Double]) {
        let (field, frame) = (layer.receptiveField, subject.framed.placement.crop)
        return (
            FieldGrid.centres(field.y, count: layer.height, extent: frame.height),
            FieldGrid.centres(field.x, count: layer.width, extent: frame.width)
        )
    }

    /// Places whose middle lies in a mask; the one nearest to the mask's middle where none does.
    private func places(of layer: Layer, inMask file: String, on subject: InputImage, _ target: Target) throws -> [Int] {
        let (mask, placement) = (try RegionMask(file), subject.framed.placement)
        guard mask.fits(placement.source) else {
            throw ExplanationError.image(
                name: subject.name,
                problem:
                    "is \(placement.source.width)×\(placement.source.height) pixels, and the mask '\(file)' \(mask.size.width)×\(mask.size.height), which is of another shape; draw it on the picture itself"
            )
        }
        let pixels = mask.frame(in: placement)
        let width = placement.crop.width
        let inside = (0..<width * placement.crop.height).filter { pixels.contains($0) }
        guard !inside.isEmpty else { throw unseen("mask", on: subject, target) }
        let (rows, columns) = centres(of: layer, on: subject)
        func pixel(_ centre: Double, _ extent: Int) -> Int { min(max(Int(centre), 0), extent - 1) }
        let found = (0..<layer.height * layer.width).filter { place in
            let (y, x) = (pixel(rows[place / layer.width], placement.crop.height), pixel(columns[place % layer.width], width))
            return pixels.contains(y * width + x)
        }
        guard found.isEmpty else { return found }
        func nearest(_ centres: [Double], _ places: [Int]) -> Int {
            let middle = Double(places.reduce(0, +)) / Double(places.count) + 0.5
            return centres.indices.min { abs(centres[$0] - middle) < abs(centres[$1] - middle) } ?? 0
        }
        return [nearest(rows, inside.map { $0 / width }) * layer.width + nearest(columns, inside.map { $0 % width })]
    }

    /// Places where a channel is the largest of its layer, the first of equals.
    private func places(
        of layer: Layer, whereLargest channel: Int, on subject: InputImage, _ target: Target
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
