import Foundation
import TestSupport

/// One axis: where a number from -1 to 1 is, in pixels.
private func place(_ number: Double, _ extent: Int, aligned: Bool, padding: String) -> Double {
    let last = Double(extent - 1)
    var x = aligned ? (number + 1) / 2 * last : ((number + 1) * Double(extent) - 1) / 2
    if padding == "reflection" {
        let (low, high) = aligned ? (0.0, last) : (-0.5, last + 0.5)
        while x < low || x > high { x = x < low ? 2 * low - x : 2 * high - x }
    }
    return padding == "zeros" ? x : min(max(x, 0), last)
}

private func sampled(_ map: SlowTensor, _ grid: SlowTensor, mode: String, padding: String, aligned: Bool) -> SlowTensor {
    SlowTensor([1, map.shape[1], grid.shape[1], grid.shape[2]]) { index in
        let x = place(grid.at([0, index[2], index[3], 0]), map.shape[3], aligned: aligned, padding: padding)
        let y = place(grid.at([0, index[2], index[3], 1]), map.shape[2], aligned: aligned, padding: padding)
        func at(_ y: Double, _ x: Double) -> Double { map.at([0, index[1], Int(y), Int(x)]) }
        if mode == "nearest" { return at(y.rounded(.toNearestOrEven), x.rounded(.toNearestOrEven)) }
        let (top, left) = (y.rounded(.down), x.rounded(.down))
        return [0.0, 1].reduce(0) { sum, dy in
            [0.0, 1].reduce(sum) { sum, dx in
                sum + at(top + dy, left + dx) * (dy == 0 ? 1 - (y - top) : y - top) * (dx == 0 ? 1 - (x - left) : x - left)
            }
        }
    }
}

/// - Parameter ofPicture: whether the places are made of the picture too; else they are constant and the picture is looked up.
private func gridSample(_ mode: String, _ padding: String, aligned: Bool, ofPicture: Bool) -> OperatorCase {
    OperatorCase(
        name: "GridSample \(mode), \(padding)\(aligned ? ", aligned" : "")\(ofPicture ? ", places of the picture" : "")",
        operators: ["GridSample"], shapes: [[3, 4, 6], [2, 5, 5]], opset: 20
    ) { model, shape, random in
        let places = SlowTensor(random: [1, 3, 4, 2], using: &random).map { Double(Float(1.5 * $0)) }
        let count = shape.reduce(1, *)
        let matrix = ofPicture ? model.random("to places", [count, 24], &random) : places
        var grid = "places"
        if ofPicture {
            let product = model.node("MatMul", [model.node("Flatten", ["image"]), "to places"])
            grid = model.node("Reshape", [model.node("Tanh", [product]), model.integers([1, 3, 4, 2])])
        } else {
            _ = model.weight(grid, [1, 3, 4, 2], places.floats)
        }
        let output = model.node(
            "GridSample", ["image", grid],
            ["mode": .string(mode), "padding_mode": .string(padding), "align_corners": .int(aligned ? 1 : 0)])
        return (
            output,
            { image in
                guard ofPicture else { return sampled(image, places, mode: mode, padding: padding, aligned: aligned) }
                let own = SlowOperators.product(image.reshaped([1, count]), matrix).map { tanh($0) }
                return sampled(image, own.reshaped([1, 3, 4, 2]), mode: mode, padding: padding, aligned: aligned)
            }
        )
    }
}

let samplingCases: [OperatorCase] = [
    gridSample("linear", "zeros", aligned: false, ofPicture: false),
    gridSample("linear", "border", aligned: true, ofPicture: false),
    gridSample("linear", "reflection", aligned: false, ofPicture: false),
    gridSample("linear", "reflection", aligned: true, ofPicture: false),
    gridSample("nearest", "zeros", aligned: true, ofPicture: false),
    gridSample("nearest", "border", aligned: false, ofPicture: false),
    gridSample("linear", "zeros", aligned: true, ofPicture: true),
    gridSample("linear", "border", aligned: false, ofPicture: true),
]
