public import Images

/// A box that a detector found on a picture.
public struct Detection: Equatable, Sendable {
    /// Among the picture's, from 1, by score.
    public var rank: Int
    public var classIndex: Int
    /// Nil where names are not known.
    public var className: String?
    /// 0 to 1; of a head that says apart whether there is anything, both multiplied.
    public var score: Float
    /// In pixels of the upright picture, cut at its edges.
    public var box: Rectangle
    /// In the network's input frame, as the network has it.
    public var frameBox: Rectangle
    /// Which of the answer's places it is.
    public var place: Int

    /// The class by name, else by number.
    public var label: String { className ?? "class \(classIndex)" }
}

/// Greedy non-maximum suppression: boxes from the best score to the worst, each kept where none of its class that was kept shares more than a
/// share of their union with it. Equal to torchvision's `batched_nms` (its `nms` for each class); of equal scores the first comes first.
package enum NonMaximumSuppression {
    package struct Candidate: Equatable, Sendable {
        package var left: Float
        package var top: Float
        package var right: Float
        package var bottom: Float
        package var score: Float
        package var classIndex: Int

        package init(left: Float, top: Float, right: Float, bottom: Float, score: Float, classIndex: Int) {
            (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
            (self.score, self.classIndex) = (score, classIndex)
        }

        var area: Float { (right - left) * (bottom - top) }

        /// Area of the intersection by that of the union; 0 of boxes without area.
        func overlap(_ other: Candidate) -> Float {
            let width = max(min(right, other.right) - max(left, other.left), 0)
            let height = max(min(bottom, other.bottom) - max(top, other.top), 0)
            let shared = width * height
            return shared > 0 ? shared / (area + other.area - shared) : 0
        }
    }

    /// - Returns: indices of those that are kept, the best first.
    package static func kept(_ candidates: [Candidate], overlap: Float) -> [Int] {
        let order = candidates.indices.sorted {
            (candidates[$1].score, $0) < (candidates[$0].score, $1)
        }
        var kept: [Int] = []
        var ofClass: [Int: [Int]] = [:]
        for index in order {
            let candidate = candidates[index]
            let rivals = ofClass[candidate.classIndex, default: []]
            guard !rivals.contains(where: { candidates[$0].overlap(candidate) > overlap }) else { continue }
            kept.append(index)
            ofClass[candidate.classIndex, default: []].append(index)
        }
        return kept
    }
}
