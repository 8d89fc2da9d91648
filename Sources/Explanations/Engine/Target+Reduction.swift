import ActivationStore
import Foundation

/// What stands behind the @ of a target.
extension Target {
    /// Whether a target as it is written names a file beside the store, which is nothing that a stranger's address may open.
    public static func namesFile(_ text: String) -> Bool { text.contains("@mask") }

    static func reduction(_ text: String, of layer: LayerRecord, _ whole: String) throws -> Reduction {
        let words: [String: Reduction] = ["mean": .mean, "max": .maximum, "sum": .sum, "argmax": .region]
        if let known = words[text] { return known }
        if text == "mask" || text.hasPrefix("mask ") { return try mask(String(text.dropFirst(5)), of: layer, whole) }
        if text == "box" || text.hasPrefix("box ") { return try box(String(text.dropFirst(4)), of: layer, whole) }
        var numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        // Of one row or one column, one number says where.
        if numbers.count == 1, min(layer.height, layer.width) == 1 { numbers.insert(0, at: layer.height == 1 ? 0 : 1) }
        guard numbers.count == 2, let y = numbers[0], let x = numbers[1] else {
            throw ExplanationError.target(
                whole,
                problem:
                    "ends in '@\(text)'; after @ stands max, mean, sum, argmax, a place y,x of the map, box x0,y0,x1,y1 in the picture's pixels, or mask FILE"
            )
        }
        guard (0..<layer.height).contains(y), (0..<layer.width).contains(x) else {
            throw ExplanationError.target(
                whole, problem: "is at \(y),\(x), outside the layer's map of \(layer.height)×\(layer.width)")
        }
        return .position(y: y, x: x)
    }

    private static func box(_ text: String, of layer: LayerRecord, _ whole: String) throws -> Reduction {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
            Int($0.drop { $0 == " " })
        }
        let edges = numbers.compactMap { $0 }
        guard numbers.count == 4, edges.count == 4, edges[0] < edges[2], edges[1] < edges[3] else {
            throw ExplanationError.target(
                whole,
                problem:
                    "has the box '\(text)'; a box is left, top, right and bottom in pixels of the picture, such as @box 10,20,90,80"
            )
        }
        guard layer.height * layer.width > 1 else {
            throw ExplanationError.target(whole, problem: "is one number for the whole picture, so no box has a part of it")
        }
        return .box(left: edges[0], top: edges[1], right: edges[2], bottom: edges[3])
    }

    private static func mask(_ text: String, of layer: LayerRecord, _ whole: String) throws -> Reduction {
        let file = text.trimmingCharacters(in: .whitespaces)
        guard !file.isEmpty else {
            throw ExplanationError.target(
                whole, problem: "names no mask; behind @mask stands a picture in which the region is not black: @mask region.png")
        }
        guard layer.height * layer.width > 1 else {
            throw ExplanationError.target(whole, problem: "is one number for the whole picture, so no region has a part of it")
        }
        return .mask(file: file, digest: try RegionMask(file).digest)
    }
}
