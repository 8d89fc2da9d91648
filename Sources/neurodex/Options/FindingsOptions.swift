import ArgumentParser
import Explanations
import Foundation
import Images
import Search

/// What can be found out about a map once it is there; every method has it.
struct FindingsOptions: ParsableArguments {
    @Flag(
        help:
            "Check the map: by deleting and inserting what it names, and by making it again with random weights. Some 330 passes and 14 maps more."
    )
    var check = false

    @Flag(help: "Cut out what the map points at, by the picture's colours, and draw that too.")
    var segment = false

    @Option(
        help: ArgumentHelp("Write what was cut out as a black and white PNG; for several images, a folder.", valueName: "file"),
        completion: .file())
    var mask: String?

    @Option(
        help: ArgumentHelp(
            "A table of boxes around the things (file,x0,y0,x1,y1): say whether each map's maximum is in one.", valueName: "csv"),
        completion: .file())
    var truth: String?

    @Option(help: ArgumentHelp("With --truth: take columns such as tag_x0 instead of x0.", valueName: "prefix"))
    var truthPrefix = ""

    var isSegmented: Bool { segment || mask != nil }

    /// As on the command line, but for the file to write.
    var arguments: [String] {
        Spelling.flag("--check", check) + Spelling.flag("--segment", isSegmented) + Spelling.option("--truth", truth)
            + Spelling.option("--truth-prefix", truthPrefix.isEmpty ? nil : truthPrefix)
    }

    func table() throws -> BoxTable? { try truth.map { try BoxTable(contentsOf: $0, prefix: truthPrefix) } }

    /// - Parameter needsRow: whether an image that the table does not name is an error, or only has no boxes.
    func finding(
        _ explanation: Explanation, over subject: InputImage, _ table: BoxTable?, needsRow: Bool = true
    ) throws -> Finding {
        var finding = Finding()
        finding.shown = subject.framed.placement.shownRectangle
        finding.isUnknown = !needsRow && table?.rows(of: subject.file).isEmpty == true
        finding.truth = finding.isUnknown ? [] : try table?.boxes(of: subject) ?? []
        if table != nil {
            finding.evidence = try explanation.map.evidence(in: finding.truth, placement: subject.framed.placement)
            var game = PointingGame()
            finding.isHit = try game.add(explanation.map, boxes: finding.truth, in: subject.framed.placement)
        }
        // A map that is the same everywhere, which is said, points at nothing to cut out.
        if isSegmented, !explanation.map.isConstant {
            finding.mask = try SaliencySegmentation().mask(of: explanation.map, over: subject.framed)
        }
        return finding
    }

    /// The mean of shares.
    static func percent(_ shares: [Double]) -> String {
        String(format: "%.1f %%", 100 * shares.reduce(0, +) / Double(max(shares.count, 1)))
    }
}

extension Mask {
    /// White on black.
    var png: Data {
        get throws {
            let pixels = isInside.flatMap { isInside in [UInt8](repeating: isInside ? 255 : 0, count: 3) }
            return Data(try Image(width: width, height: height, pixels: pixels).pngData())
        }
    }
}

/// What was found out about one map.
struct Finding {
    /// Whether the maximum is in a box; nil where there is none to be in.
    var isHit: Bool?
    /// Boxes around the thing, in the network's input frame.
    var truth: [Rectangle] = []
    /// Whether the table of boxes does not name the image.
    var isUnknown = false
    /// The share of the map's evidence that is in the boxes, 0...1; nil where there are none.
    var evidence: Double?
    /// What was cut out.
    var mask: Mask?
    /// Where the picture is in the network's input frame.
    var shown: Rectangle?

    struct Segment: Encodable {
        /// Of the picture, 0...1.
        var share: Double
        /// x, y, width, height in the network's input frame.
        var box: [Double]?
        /// With the boxes of the thing, 0...1.
        var iou: Double?
    }

    var segment: Segment? {
        mask.map { mask in
            Segment(
                share: Double(mask.area) / (shown.map { $0.width * $0.height } ?? Double(mask.width * mask.height)),
                box: mask.boundingBox.map { [$0.x, $0.y, $0.width, $0.height] },
                iou: truth.isEmpty ? nil : mask.intersectionOverUnion(with: truth))
        }
    }

    /// That what was cut out is nearly all of the picture, or next to nothing; nil where it is not.
    var spread: String? {
        guard let share = segment?.share else { return nil }
        let percent = String(format: "%.3g %%", 100 * share)
        if share > 0.7 { return "the map is spread out: what it points at covers \(percent) of the picture" }
        return share < 0.002 ? "the map points at next to nothing: \(percent) of the picture" : nil
    }

    /// What was cut out, beside the map.
    func panel(over subject: InputImage) -> Figure.Panel? {
        guard let mask, let segment else { return nil }
        let iou = segment.iou.map { String(format: ", IoU %.2f", $0) } ?? ""
        return Figure.Panel(
            .picture(mask.cutOut(of: subject.framed.image), boxes: truth),
            title: String(format: "Segment, %.0f %% of the picture", 100 * segment.share) + iou, notes: spread.map { [$0] } ?? [])
    }
}
