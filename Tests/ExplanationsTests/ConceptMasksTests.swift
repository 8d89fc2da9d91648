import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import TestSupport
import Testing

/// Masks of a store of the pet shop's tagged pictures.
@Suite struct ConceptMasksTests {
    private let folder: TemporaryFolder
    private let fixture: ExplainerFixture

    init() throws {
        folder = try TemporaryFolder()
        fixture = try ExplainerFixture.petshop(
            "petshop-hans", jobs: 1,
            indexing: Dataset(paths: [Fixtures.path("petshop-hans/test/fish"), Fixtures.path("petshop-hans/test/cat")]))
    }

    private func write(_ text: String, _ name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        return folder.file(name)
    }

    private func mask(_ concept: String, _ masks: ConceptMasks, _ image: String) throws -> Mask {
        let subject = try fixture.subject(Fixtures.path("petshop-hans/test/" + image))
        let index = try #require(masks.concepts.firstIndex(of: concept))
        return try #require(try masks.mask(of: index, on: subject))
    }

    private func refusal(_ path: String, colors: String? = nil) throws -> String {
        do {
            let masks = try ConceptMasks(path, colors: colors, of: fixture.store)
            return "taken: \(masks.images.count)"
        } catch {
            return "\(error)".replacingOccurrences(of: folder.path + "/", with: "").replacingOccurrences(
                of: Fixtures.folder + "/", with: "")
        }
    }

    /// What is solid in an animal and a tag reaches to their boxes' edges, in masks as in the table.
    @Test func folderAndBoxes() throws {
        let masks = try ConceptMasks(Fixtures.path("masks"), of: fixture.store)
        let boxes = try ConceptMasks(Fixtures.path("petshop-hans/boxes.csv"), of: fixture.store)
        #expect(masks.concepts == ["cat", "dog", "bird", "fish", "rabbit", "tag", "floor"])
        #expect(Set(boxes.concepts) == ["cat", "dog", "bird", "fish", "rabbit", "tag"])
        #expect(masks.images.count == 24 && boxes.images.map(\.path) == masks.images.map(\.path) && masks.digest != boxes.digest)
        for picture in try PetshopPicture.all("petshop-hans", split: "test") where ["fish", "cat"].contains(picture.label) {
            let image = "\(picture.label)/" + (picture.path as NSString).lastPathComponent
            #expect(try mask(picture.label, masks, image).boundingBox == picture.animal)
            #expect(try mask(picture.label, boxes, image) == Mask(boxes: [picture.animal], in: Size(width: 96, height: 96)))
            #expect(try mask("tag", masks, image).boundingBox == picture.tag)
            #expect(try mask("tag", boxes, image).boundingBox == picture.tag)
            // Nothing is of two.
            let floor = try mask("floor", masks, image)
            #expect(floor.intersectionOverUnion(with: try mask(picture.label, masks, image)) == 0)
        }
    }

    /// Polygons, runs, packed runs, and a box where there is no outline.
    @Test func coco() throws {
        let path = try write(
            """
            {"images": [{"id": 5, "file_name": "fish/fish-01.jpg", "width": 96, "height": 96}, {"id": 6, "file_name": "cat/cat-02.jpg"},
                        {"id": 7, "file_name": "nobody.jpg"}],
             "categories": [{"id": 1, "name": "square"}, {"id": 2, "name": "triangle"}, {"id": 9, "name": "run"}, {"id": 10, "name": "packed"}],
             "annotations": [
              {"image_id": 5, "category_id": 1, "bbox": [10, 20, 30, 8], "segmentation": []},
              {"image_id": 5, "category_id": 2, "segmentation": [[0, 0, 8, 0, 0, 8], [90, 90, 96, 90, 96, 96, 90, 96]]},
              {"image_id": 6, "category_id": 9, "segmentation": {"counts": [97, 3, 92, 2, 9022], "size": [96, 96]}},
              {"image_id": 6, "category_id": 10, "segmentation": {"counts": "Q33l2ORg8", "size": [96, 96]}},
              {"image_id": 5, "category_id": 77, "bbox": [1, 1, 2, 2]},
              {"image_id": 5, "category_id": 1, "segmentation": [[1, 2]]}]}
            """, "c.json")
        let masks = try ConceptMasks(path, of: fixture.store)
        #expect(masks.images.count == 2 && masks.concepts == ["square", "triangle", "run", "packed"])
        let square = try mask("square", masks, "fish/fish-01.jpg")
        #expect(square.area == 240 && square.boundingBox == Rectangle(x: 10, y: 20, width: 30, height: 8))
        // Of the triangle, the pixels whose middle is left of its long side: 7 + 6 + … + 1; those on it are not.
        #expect(try mask("triangle", masks, "fish/fish-01.jpg").area == 28 + 36)
        // Down the columns: column 1, rows 1 to 3, then 92 outside, and two of column 2.
        let run = try mask("run", masks, "cat/cat-02.jpg")
        #expect(run.isInside.indices.filter { run.isInside[$0] } == [2, 96 + 1, 96 + 2, 192 + 1, 288 + 1])
        #expect(try mask("packed", masks, "cat/cat-02.jpg") == run)
        #expect(masks.notes.contains { $0.contains("1 annotations are of an image or category") && $0.contains("category 77") })
        #expect(masks.notes.contains { $0.contains("1 annotations have no outline and no box") && $0.contains("fish-01.jpg") })
        #expect(masks.notes.contains { $0.contains("1 annotations have no outline, and their boxes are taken") })
        #expect(masks.notes.contains { $0.contains("masks are of 2 of 24 images") })
        #expect(masks.notes.contains { $0.contains("1 of 3 masks is of no image") && $0.contains("nobody.jpg") })
    }

    @Test func whatIsWrongIsSaid() throws {
        func picture(_ name: String, _ side: Int) throws {
            try FileManager.default.createDirectory(
                atPath: (folder.file(name) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            let image = Image(width: side, height: side, fill: Color(7, 7, 7))
            try Data(try image.pngData(text: [])).write(to: URL(fileURLWithPath: folder.file(name)))
        }
        #expect(try refusal(folder.file("nowhere")) == "there is no file or folder 'nowhere'")
        #expect(try refusal(write("x", "a.txt")).contains("none of the masks that are read"))
        try picture("m/fish/fish-01.png", 95)
        #expect(try refusal(folder.file("m")).contains("there is no 'm/colors.csv'"))
        _ = try write("color,concept\n7,fish\n", "m/colors.csv")
        #expect(
            try refusal(folder.file("m"))
                == "the mask 'fish/fish-01' is 95×95 pixels, and its image 'petshop-hans/test/fish/fish-01.jpg' 96×96; masks are of their image's size"
        )
        try picture("m/fish/fish-01.png", 96)
        #expect(try refusal(folder.file("m")) == "taken: 1")
        for (text, said) in [
            ("color,concept\n#12345,a\n", "line 2: expected a colour"), ("color,concept\n256,a\n", "found '256'"),
            ("color,concept\n7,a\n7,b\n", "line 3: 7 stands for b here, and for a before"),
            ("colr,concept\n7,a\n", "has not the columns"),
            ("color,concept\n", "names no concept"), ("color,concept\n7,\n", "names no concept"),
        ] { #expect(try refusal(folder.file("m"), colors: write(text, "colors.csv")).contains(said), "\(text)") }
        try FileManager.default.removeItem(atPath: folder.file("m/fish"))
        #expect(try refusal(folder.file("m")).contains("has no PNG files"))
        try picture("m/dog/rex.png", 96)
        #expect(
            try refusal(folder.file("m")).hasPrefix(
                "'m' has no mask of an image of the store: it has 'dog/rex', for example, and the store 'petshop-hans/test/"))
        _ = try write("GIF89a", "m/dog/rex.png")
        #expect(try refusal(folder.file("m")).contains("'m/dog/rex.png' is no mask that can be read: it is no PNG"))
        #expect(try refusal(write("{", "c.json")).contains("it is no COCO JSON"))
        #expect(try refusal(write("{\"images\":[],\"categories\":[],\"annotations\":[]}", "c.json")).contains("it has no images"))
        #expect(try refusal(write("file,x,y\n", "b.csv")).contains("has no column x0"))
        #expect(try refusal(write("file,x0,y0,x1,y1\nfish-01.jpg,5,5,4,9\n", "b.csv")).contains("a number above x0"))
        let size =
            "{\"images\":[{\"id\":1,\"file_name\":\"fish-01.jpg\",\"width\":90,\"height\":96}],\"categories\":[{\"id\":1,\"name\":\"a\"}],\"annotations\":[]}"
        #expect(try refusal(write(size, "c.json")).contains("is 90×96 pixels"))
    }
}
