import Explanations
import Foundation
import Images
import Search
import Support

/// Boxes as they are listed.
struct DetectionTable: Printable {
    private struct Row: Encodable {
        struct Box: Encodable {
            var box: Int
            var index: Int
            var name: String?
            var score: Float
            var x0: Double
            var y0: Double
            var x1: Double
            var y1: Double
            var place: Int

            init(_ detection: Detection) {
                (box, index, name, score) = (detection.rank, detection.classIndex, detection.className, detection.score)
                (x0, y0, place) = (detection.box.x, detection.box.y, detection.place)
                (x1, y1) = (detection.box.x + detection.box.width, detection.box.y + detection.box.height)
            }

            enum CodingKeys: String, CodingKey {
                case box, index, score, x0, y0, x1, y1, place
                case name = "class"
            }
        }

        var image: String
        var width: Int
        var height: Int
        var boxes: [Box]
    }

    var pictures: [DetectionRun.Picture]

    private var rows: [Row] {
        pictures.map { picture in
            let size = picture.subject.framed.placement.source
            return Row(
                image: picture.subject.name, width: size.width, height: size.height,
                boxes: picture.detections.map { Row.Box($0) })
        }
    }

    func encode(to encoder: any Encoder) throws { try rows.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["image", "box", "class", "score", "x0", "y0", "x1", "y1"], shortened: ["image", "class"],
            rows: rows.flatMap { row in
                row.boxes.map { box in
                    [
                        box.box == 1 ? .text(row.image) : .text(""), .value(box.box), .text(box.name ?? "\(box.index)"),
                        .value(box.score),
                    ] + [box.x0, box.y0, box.x1, box.y1].map { .number(String(format: "%.1f", $0)) }
                }
            })
    }

    var fields: [[String]] {
        [["image", "box", "index", "class", "score", "x0", "y0", "x1", "y1", "place"]]
            + rows.flatMap { row in
                row.boxes.map { box in
                    [row.image, "\(box.box)", "\(box.index)", box.name ?? "", "\(box.score)"]
                        + [box.x0, box.y0, box.x1, box.y1].map { "\($0)" } + ["\(box.place)"]
                }
            }
    }
}
