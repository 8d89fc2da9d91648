import Foundation
import Images
import Indexing
import Support

extension ConceptMasks.Draft {
    /// Objects as [COCO](https://cocodataset.org/#format-data) has them: polygons, runs (as numbers, or packed into a text),
    /// and the box where there is neither.
    ///
    /// - Throws: `MaskError`.
    init(coco path: String) throws {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) else {
            throw MaskError.unreadable(path: path, reason: "the file cannot be read")
        }
        let content: COCOContent<COCOShapes.Picture, COCOShapes.Annotation>
        do {
            content = try COCOContent(data)
        } catch {
            throw MaskError.unreadable(path: path, reason: error.reason)
        }
        guard !content.images.isEmpty else { throw MaskError.unreadable(path: path, reason: "it has no images") }
        guard !content.categories.isEmpty else { throw MaskError.noConcepts(path: path) }
        let places = Dictionary(content.images.enumerated().map { ($1.id, $0) }) { first, _ in first }
        var (concepts, numbers): ([String], [Int: Int]) = ([], [:])
        for category in content.categories {
            let index = concepts.firstIndex(of: category.name) ?? concepts.count
            if index == concepts.count { concepts.append(category.name) }
            numbers[category.id] = index
        }
        var shapes = [[ConceptMasks.Shape]](repeating: [], count: content.images.count)
        var (astray, shapeless, boxed) = (Count(), Count(), Count())
        for annotation in content.annotations {
            guard let image = places[annotation.image], let concept = numbers[annotation.category] else {
                astray.add("image \(annotation.image), category \(annotation.category)")
                continue
            }
            let name = "\(concepts[concept]) in '\(content.images[image].name)'"
            guard let outline = annotation.outline(of: content.images[image]) else {
                shapeless.add(name)
                continue
            }
            if case .box = outline { boxed.add(name) }
            shapes[image].append(ConceptMasks.Shape(concept: concept, outline: outline))
        }
        let notes = [
            astray.text("annotations are of an image or category that '\(path)' does not have, and are not taken"),
            shapeless.text("annotations have no outline and no box that can be read, and are not taken"),
            boxed.text("annotations have no outline, and their boxes are taken"),
        ]
        self.init(
            concepts: concepts, names: content.images.map(\.name), sources: shapes.map { .shapes($0) },
            sizes: content.images.map(\.size), digests: [Data(SHA256.hash(data: data))], notes: notes.compactMap { $0 })
    }

    /// How many of something, and the first.
    struct Count {
        private(set) var count = 0
        private var example = ""

        init() {}

        mutating func add(_ example: @autoclosure () -> String) {
            if count == 0 { self.example = example() }
            count += 1
        }

        func text(_ what: String) -> String? { count == 0 ? nil : "\(count) \(what), such as \(example)" }
    }
}

/// The parts of COCO JSON that masks are made of.
private enum COCOShapes {
    struct Picture: Decodable {
        var id: Int
        var name: String
        var width: Int?
        var height: Int?

        enum CodingKeys: String, CodingKey {
            case id
            case name = "file_name"
            case width, height
        }

        var size: Size? { width.flatMap { width in height.map { Size(width: width, height: $0) } } }
    }
    struct Annotation: Decodable {
        var image: Int
        var category: Int
        var box: [Double]?
        var segmentation: Segmentation?

        enum CodingKeys: String, CodingKey {
            case image = "image_id"
            case category = "category_id"
            case box = "bbox"
            case segmentation
        }

        /// Nil where nothing of it is an outline.
        func outline(of picture: Picture) -> MaskOutline? {
            switch segmentation {
            case .polygons(let polygons):
                let good = polygons.filter { $0.count >= 6 && $0.count.isMultiple(of: 2) && $0.allSatisfy(\.isFinite) }
                if !good.isEmpty { return .polygons(good) }
            case .runs(let runs, let size):
                let sum = runs.reduce(into: 0) { $0 = $1 < 0 ? Int.min / 2 : $0.addingReportingOverflow($1).partialValue }
                let fits = size.width > 0 && size.height > 0 && size.width <= 1 << 16 && size.height <= 1 << 16
                if fits, sum == size.width * size.height, picture.size.map({ $0 == size }) ?? true { return .runs(runs, size) }
            case nil: break
            }
            guard let box, box.count == 4, box.allSatisfy(\.isFinite), box[2] > 0, box[3] > 0 else { return nil }
            return .box(Rectangle(x: box[0], y: box[1], width: box[2], height: box[3]))
        }
    }
    enum Segmentation: Decodable {
        case polygons([[Double]])
        case runs([Int], Size)

        enum CodingKeys: String, CodingKey {
            case counts, size
        }

        init(from decoder: any Decoder) throws {
            guard let container = try? decoder.container(keyedBy: CodingKeys.self) else {
                self = .polygons((try? [[Double]](from: decoder)) ?? [])
                return
            }
            let size = (try? container.decode([Int].self, forKey: .size)) ?? []
            let numbers = try? container.decode([Int].self, forKey: .counts)
            let runs = numbers ?? (try? container.decode(String.self, forKey: .counts)).flatMap(Self.unpacked) ?? []
            self = size.count == 2 ? .runs(runs, Size(width: size[1], height: size[0])) : .polygons([])
        }

        /// The runs of a packed text (pycocotools' `rleFrString`): digits of five bits, the lowest first; from the fourth
        /// number on, the difference from the last but one. Nil for a text that is none.
        private static func unpacked(_ text: String) -> [Int]? {
            var (runs, value, shift): ([Int], Int, Int) = ([], 0, 0)
            for byte in text.utf8 {
                let digit = Int(byte) - 48
                guard (0..<64).contains(digit), shift < 40 else { return nil }
                value |= (digit & 31) << shift
                shift += 5
                guard digit & 32 == 0 else { continue }
                if digit & 16 != 0 { value -= 1 << shift }
                runs.append(runs.count > 2 ? value + runs[runs.count - 2] : value)
                (value, shift) = (0, 0)
            }
            return shift == 0 ? runs : nil
        }
    }
}
