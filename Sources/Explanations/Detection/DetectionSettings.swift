import Foundation

/// Which boxes of a detector count, and how its answer is read.
public struct DetectionSettings: Hashable, Sendable {
    /// What the numbers of a place are.
    public enum Form: String, CaseIterable, Sendable {
        /// Centre and size of a box in pixels, then a score a class: [4 + classes, places], of YOLOv8 to YOLOv12.
        case yolov8
        /// Centre and size, whether there is anything, a score a class: [places, 5 + classes], of YOLOv5 and YOLOv7.
        case yolov5
        /// The same with centres and sizes as the grid has them: centre (x + column)·stride, size exp(w)·stride.
        case yolox
        /// Left, top, right and bottom, then a score a class, which are two outputs of the file: [places, 4] and [places, classes].
        case pairs
        /// The same with top, left, bottom and right, as TensorFlow has them.
        case rowsFirst = "pairs-yx"
        /// The same with centre and size.
        case centred = "pairs-centre"
        /// As `pairs`, with scores that go through a softmax here where they did not in the file; the first class is none (SSD).
        case ssd
        /// Centre and size as shares of the input, and scores whose softmax has none as its last class (DETR). Nothing is suppressed.
        case detr
        /// The same with a sigmoid for each class, and no class for none (RT-DETR, Deformable DETR).
        case rtdetr

        /// Whether boxes and scores are two tensors.
        var isPair: Bool { ![.yolov8, .yolov5, .yolox].contains(self) }

        /// Whether each thing has one box already.
        public var isSetOfBoxes: Bool { self == .detr || self == .rtdetr }
    }

    /// Boxes of a lower score are left out; 0 to 1.
    public var score: Float = 0.25
    /// Of boxes of one class that share more than this of their union, the best is kept; 0 to 1.
    public var overlap: Float = 0.45
    /// Nil for what the file's outputs look like.
    public var form: Form?
    /// Whether scores are made probabilities by a sigmoid here, as the file does not.
    public var isLogits = false
    /// Tensors of the file that boxes and scores are read from; nil for those that its outputs, or what they are chosen from, look like.
    public var boxes: String?
    public var scores: String?

    public init() {}

    /// As the target of an explanation says them, `score=0.1,head=yolov5`; nil for what is none.
    init?(_ text: Substring) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) where !text.isEmpty {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            switch (pair[0], pair.count) {
            case ("logits", 1): isLogits = true
            case ("score", 2):
                guard let share = Self.share(pair[1]) else { return nil }
                score = share
            case ("iou", 2):
                guard let share = Self.share(pair[1]) else { return nil }
                overlap = share
            case ("boxes", 2): boxes = String(pair[1])
            case ("scores", 2): scores = String(pair[1])
            case ("head", 2):
                guard let form = Form(rawValue: String(pair[1])) else { return nil }
                self.form = form
            default: return nil
            }
        }
    }

    /// A number from 0 to 1.
    public static func share(_ text: some StringProtocol) -> Float? {
        Float(text).flatMap { (0...1).contains($0) ? $0 : nil }
    }

    /// What differs from the usual, as the target of an explanation says it.
    var text: String {
        let usual = DetectionSettings()
        var parts: [String] = []
        if score != usual.score { parts.append("score=\(score)") }
        if overlap != usual.overlap { parts.append("iou=\(overlap)") }
        if let form { parts.append("head=\(form.rawValue)") }
        if isLogits { parts.append("logits") }
        if let boxes { parts.append("boxes=\(boxes)") }
        if let scores { parts.append("scores=\(scores)") }
        return parts.joined(separator: ",")
    }
}
