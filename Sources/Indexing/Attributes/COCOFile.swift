import ActivationStore
import Foundation
import Support

/// Objects that people outlined, as [COCO](https://cocodataset.org/#format-data) has them in JSON: every category is a
/// binary attribute, and `CATEGORY_area` the share of the image that its objects take, 0 … 1; what stands over each other
/// counts once for each.
public struct COCOFile: AttributeSource {
    public let path: String
    public let names: [(file: String, line: Int)]
    public let attributes: [AttributeDraft]
    public private(set) var notes: [String] = []

    private struct Picture: Decodable {
        var id: Int
        var name: String
        var width: Double
        var height: Double

        enum CodingKeys: String, CodingKey {
            case id
            case name = "file_name"
            case width, height
        }
    }
    private struct Annotation: Decodable {
        var image: Int
        var category: Int
        var area: Double?
        var box: [Double]?

        enum CodingKeys: String, CodingKey {
            case image = "image_id"
            case category = "category_id"
            case area
            case box = "bbox"
        }
    }

    /// - Throws: ``DatasetError``.
    public init(contentsOf path: String) throws {
        self.path = path
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) else {
            throw DatasetError.unreadableTable(path: path, reason: "there is no such file, or it cannot be read")
        }
        let content: COCOContent<Picture, Annotation>
        do {
            content = try COCOContent(data)
        } catch {
            throw DatasetError.unreadableTable(path: path, reason: error.reason)
        }
        guard !content.categories.isEmpty, !content.images.isEmpty else {
            throw DatasetError.noAttributes(path: path, reason: "it has no images, or no categories")
        }
        names = content.images.enumerated().map { ($1.name, $0 + 1) }
        let places = Dictionary(content.images.enumerated().map { ($1.id, $0) }) { first, _ in first }
        let categories = Dictionary(content.categories.enumerated().map { ($1.id, $0) }) { first, _ in first }
        let zeros = [Double](repeating: 0, count: content.images.count)
        var holds = [[Double]](repeating: zeros, count: content.categories.count)
        var shares = holds
        var (astray, example) = (0, 0)
        for annotation in content.annotations {
            guard let image = places[annotation.image], let category = categories[annotation.category] else {
                if astray == 0 { example = annotation.image }
                astray += 1
                continue
            }
            let picture = content.images[image]
            let box = annotation.box.map { $0.count == 4 ? $0[2] * $0[3] : 0 } ?? 0
            let area = (annotation.area ?? box) / max(picture.width * picture.height, 1)
            holds[category][image] = 1
            if area.isFinite { shares[category][image] = min(1, shares[category][image] + max(0, area)) }
        }
        attributes = content.categories.enumerated().flatMap { index, category in
            [
                AttributeDraft(name: category.name, kind: .binary, values: holds[index]),
                AttributeDraft(name: "\(category.name)_area", kind: .number, values: shares[index]),
            ]
        }
        if astray > 0 {
            notes.append(
                "\(astray) annotations are of an image or category that the file does not have, such as image \(example)")
        }
    }
}
