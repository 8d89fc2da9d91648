import ActivationStore
import Foundation
import Indexing
import TestSupport
import Testing

/// What tables, COCO files and folders say of images.
@Suite struct AttributeTableTests {
    private let folder: TemporaryFolder
    /// Ids with a gap, as after a removal.
    private let images: [(id: Int, path: String)] = [
        (0, "photos/a/1.jpg"), (1, "photos/a/2.jpg"), (3, "photos/b/1.jpg"), (4, "photos/b/c, d.jpg"),
    ]

    init() throws { folder = try TemporaryFolder() }

    private func write(_ text: String, _ name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        return folder.file(name)
    }

    private func read(_ text: String, _ name: String = "t.csv") throws -> AttributeImport {
        try AttributeImport(AttributeTable(contentsOf: write(text, name)), images: images, in: "/work")
    }

    /// By image id; NaN as -9.
    private func values(_ found: AttributeImport, _ name: String) throws -> [Double] {
        let attribute = try #require(found.attributes.first { $0.name == name })
        return (0..<5).map { attribute[image: $0] ?? -9 }
    }

    @Test(arguments: [",", ";", "\t"]) func wideTables(separator: String) throws {
        let lines = [
            "\u{FEFF}File,wet,age,made,CelebA,who",
            "a/1.jpg,1,3.5,yes,1,Ann", "a/2.jpg,0,,no,-1,Bob", #"b/1.jpg,1,-2e3,NA,1,"Ann, ""B""""#, #""b/c, d.jpg",,7,TRUE,-1,"#,
            "", "gone.jpg,1,1,yes,1,",
        ]
        let text = lines.map { line in
            separator == ","
                ? line
                : line.replacing("c, d", with: "c@ d").replacing("Ann, ", with: "Ann@ ")
                    .replacing(",", with: separator).replacing("@", with: ",")
        }.joined(separator: "\r\n")
        let found = try read(text)
        #expect(try values(found, "wet") == [1, 0, -9, 1, -9])
        #expect(try values(found, "age") == [3.5, -9, -9, -2000, 7])
        #expect(try values(found, "made") == [1, 0, -9, -9, 1])
        #expect(try values(found, "CelebA") == [1, 0, -9, 1, 0])
        #expect(found.attributes.map(\.kind) == [.binary, .number, .binary, .binary] && found.images == 4)
        #expect(found.notes.contains { $0.contains("1 column is no attribute, such as who: line 2 says 'Ann'") })
        #expect(found.notes.contains { $0.contains("1 row of") && $0.contains("names no image: 'gone.jpg' (line 7)") })
        #expect(found.notes.contains { $0.contains("such as CelebA: -1 is taken for no") })
    }

    /// Spreadsheets write the separator first, and spaces may follow a quotation mark.
    @Test func aFirstLineMayNameTheSeparator() throws {
        for sign in ["sep=;", "SEP=|", "sep=,"] {
            let separator = String(sign.suffix(1))
            let lines = ["file,wet,age", "\"a/1.jpg\" ,1,2", "a/2.jpg,0,\"3\""].map { $0.replacing(",", with: separator) }
            let found = try read(([sign] + lines).joined(separator: "\r\n") + "\r\n")
            #expect(try values(found, "wet") == [1, 0, -9, -9, -9] && values(found, "age") == [2, 3, -9, -9, -9])
        }
    }

    @Test func longTables() throws {
        let positive = try read("image,attribute\na/1.jpg,wet\na/1.jpg,red\nb/1.jpg,wet\n")
        #expect(try values(positive, "wet") == [1, -9, -9, 1, -9] && values(positive, "red") == [1, -9, -9, 0, -9])
        #expect(positive.notes.contains { $0.contains("names 2 of 4 images; it says nothing of 'photos/a/2.jpg'") })
        let mixed = try read("image,concept,value\na/1.jpg,wet,1\na/2.jpg,wet,0\na/2.jpg,age,9\nb/1.jpg,age,10\na/2.jpg,age,8\n")
        #expect(try values(mixed, "wet") == [1, 0, -9, -9, -9] && values(mixed, "age") == [-9, 9, -9, 10, -9])
        #expect(mixed.notes.contains { $0.contains("1 values are not taken") && $0.contains("age of 'a/2.jpg' in line 6") })
    }

    @Test(arguments: [
        ("", "it is empty"), ("file\na/1.jpg\n", "has the columns file"), ("wet,dry\n1,0\n", "has the columns wet, dry"),
        ("file,who\na/1.jpg,Ann\n", "of who, line 2 says 'Ann'"), ("file,wet\n", "of wet, it says nothing"),
        ("file,wet\n\"a/1.jpg,1\n", "line 2: a quotation mark is not closed"),
        ("file,wet\n\"a/1.jpg\"x,1\n", "line 2: something other than a separator follows a closed quotation mark"),
        ("file,wet\nx/y.jpg,1\n", "no file that"),
        ("file,age\na/1.jpg,inf\n", "says 'inf'"), ("file,age\na/1.jpg,2\na/2.jpg,yes\n", "words such as yes and numbers"),
    ])
    func whatIsNoTableIsRefused(_ text: String, _ reason: String) throws {
        do {
            let found = try read(text)
            Issue.record("\(text) was taken: \(found.attributes)")
        } catch {
            #expect("\(error)".contains(reason), "\(error)")
        }
    }

    @Test func cocoFiles() throws {
        let text = """
            {"info": {}, "images": [{"id": 7, "file_name": "a/1.jpg", "width": 10, "height": 20},
              {"id": 8, "file_name": "b/1.jpg", "width": 10, "height": 10}],
             "categories": [{"id": 1, "name": "cat"}, {"id": 90, "name": "tooth brush"}],
             "annotations": [{"id": 1, "image_id": 7, "category_id": 90, "area": 50.0, "bbox": [0, 0, 9, 9], "iscrowd": 0},
              {"id": 2, "image_id": 7, "category_id": 90, "area": 30}, {"id": 3, "image_id": 8, "category_id": 1, "bbox": [1, 1, 5, 4]},
              {"id": 4, "image_id": 99, "category_id": 1, "area": 1}]}
            """
        let found = try AttributeImport(COCOFile(contentsOf: write(text, "c.json")), images: images, in: "/work")
        #expect(try values(found, "tooth brush") == [1, -9, -9, 0, -9] && values(found, "cat") == [0, -9, -9, 1, -9])
        #expect(
            try values(found, "tooth brush_area") == [0.4, -9, -9, 0, -9] && values(found, "cat_area") == [0, -9, -9, 0.2, -9])
        #expect(found.notes.contains { $0.contains("1 annotations are of an image or category") && $0.contains("99") })
        for wrong in [
            "{}", "[1]", "nothing", text.replacing("file_name", with: "name"),
            text.replacing("\"width\": 10", with: "\"width\": \"x\""),
        ] {
            #expect(throws: DatasetError.self) { try COCOFile(contentsOf: write(wrong, "w.json")) }
        }
    }

    @Test func foldersOfImages() {
        let found = Attribute.folders(of: images)
        #expect(found.map(\.name) == ["a", "b"] && found.allSatisfy { $0.kind == .binary })
        #expect((0..<5).map { found[0][image: $0] } == [1, 1, nil, 0, 0])
    }
}
