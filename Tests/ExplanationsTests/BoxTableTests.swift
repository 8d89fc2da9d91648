import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

struct BoxTableTests {
    private let folder = try? TemporaryFolder()

    private func table(_ text: String, prefix: String = "") throws -> BoxTable {
        let path = try #require(folder).file("boxes.csv")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return try BoxTable(contentsOf: path, prefix: prefix)
    }

    /// What is said of a table that is wrong, without the folder's name.
    private func message(_ text: String, prefix: String = "") throws -> String {
        do {
            _ = try table(text, prefix: prefix)
            return ""
        } catch let error as BoxTableError {
            return error.description.replacingOccurrences(of: try #require(folder).path + "/", with: "")
        }
    }

    @Test func petshop() throws {
        let path = ExplainerFixture.fixtures + "/petshop-hans/boxes.csv"
        for (prefix, box) in [("", \PetshopPicture.animal as KeyPath<PetshopPicture, Rectangle>), ("tag", nil)] {
            let table = try BoxTable(contentsOf: path, prefix: prefix)
            for picture in try PetshopPicture.all("petshop-hans", split: "test") {
                let rows = table.rows(of: picture.path)
                #expect(rows.count == 1 && rows[0].label == picture.label && rows[0].split == "test")
                #expect(rows[0].box == (box.map { picture[keyPath: $0] } ?? picture.tag))
                #expect(FileManager.default.fileExists(atPath: table.file(of: rows[0])))
            }
        }
    }

    @Test func severalBoxesEmptyOnesAndOrder() throws {
        let table = try table(
            "\u{FEFF}label, Y0 ,file,x0,x1,y1,note\r\na,1,b/1.png,2,4.5,3,\"two\nlines\"\r\n,,b/2.png,,,,\r\n\r\nc,10,b/1.png,20,40,30\r\n"
        )
        #expect(table.rows.map(\.file) == ["b/1.png", "b/2.png", "b/1.png"])
        #expect(table.rows.map(\.line) == [2, 4, 6])
        #expect(table.rows[0].box == Rectangle(x: 2, y: 1, width: 2.5, height: 2))
        #expect(table.rows[1].box == nil && table.rows[1].label == nil)
        #expect(table.rows(of: try #require(folder).file("./b/../b/1.png")).map(\.label) == ["a", "c"])
        #expect(table.rows(of: "b/1.png").isEmpty, "relative to the table's folder, not to the current one")
    }

    /// The shorter side to 64, then a crop of 48×48: a picture of 96×128 shows its middle 72×72 pixels at 2/3.
    @Test func intoTheFrame() throws {
        let folder = try #require(folder)
        try Data(try Image(width: 96, height: 128, fill: .black).pngData(text: [])).write(
            to: URL(fileURLWithPath: folder.file("a.png")))
        let preprocessing = Preprocessing(
            resize: .shorterSide(64), crop: Size(width: 48, height: 48), mean: [0, 0, 0], deviation: [1, 1, 1])
        var model = ModelBuilder(input: [1, 3, 48, 48])
        let network = model.node("GlobalAveragePool", ["image"])
        let path = folder.file("m.onnx")
        try Data(model.bytes(outputs: [network])).write(to: URL(fileURLWithPath: path))
        let fixture = try ExplainerFixture(model: path, preprocessing: preprocessing)
        let subject = try fixture.subject(folder.file("a.png"))
        let table = try table("file,label,x0,y0,x1,y1\na.png,in,24,40,48,64\na.png,out,0,0,96,20\na.png,part,-5,28,18,34\n")
        // Resized to 64×85; the crop begins at 8, 18 (85 − 48 = 37, of which the even half is cut above).
        let boxes = try table.boxes(of: subject)
        #expect(boxes.count == 2)
        let (across, down) = (64.0 / 96, 85.0 / 128)
        #expect(abs(boxes[0].x - (24 * across - 8)) < 1e-9 && abs(boxes[0].y - (40 * down - 18)) < 1e-9)
        #expect(abs(boxes[0].width - 24 * across) < 1e-9 && abs(boxes[0].height - 24 * down) < 1e-9)
        #expect(boxes[1].x == 0 && abs(boxes[1].width - (18 * across - 8)) < 1e-9)
        #expect(try table.boxes(of: subject, label: "part") == [boxes[1]])
        #expect(try table.boxes(of: subject, label: "out").isEmpty)
        let other = try self.table("file,x0,y0,x1,y1\nb.png,1,1,2,2\n")
        #expect(throws: BoxTableError.noRow(path: other.path, image: folder.file("a.png"), example: "b.png")) {
            try other.boxes(of: subject)
        }
    }

    @Test func saysWhatIsWrong() throws {
        #expect(
            try message("name,x0,y0,x1\n1.png,1,1,2\n")
                == "'boxes.csv' has no column file, y1; a table of boxes has file, x0, y0, x1, y1, and this one name, x0, y0, x1")
        #expect(
            try message("file,x0,y0,x1,y1\n1.png,1,1,2,2\n", prefix: "tag").hasPrefix(
                "'boxes.csv' has no column tag_x0, tag_y0, tag_x1, tag_y1; "))
        let head = "file,x0,y0,x1,y1\n1.png,1,1,2,2\n"
        for (row, text) in [
            ("2.png,1,1,2,wide", "'boxes.csv', line 3, column y1: expected a number of pixels, found 'wide'"),
            ("2.png,1,nan,2,3", "'boxes.csv', line 3, column y0: expected a number of pixels, found 'nan'"),
            ("2.png,1,,2,3", "'boxes.csv', line 3, column y0: expected a number of pixels, found nothing"),
            ("2.png,1,2,3", "'boxes.csv', line 3, column y1: expected a number of pixels, found nothing"),
            ("2.png,5,1,5,3", "'boxes.csv', line 3, column x1: expected a number above x0, which is 5, found '5'"),
            (",5,1,6,3", "'boxes.csv', line 3, column file: expected the name of a file, found nothing"),
        ] { #expect(try message(head + row + "\n") == text) }
        #expect(
            try message("file,x0,y0,x1,y1\n\"a\"b,1,1,2,2\n").hasPrefix("cannot read the boxes in 'boxes.csv': it is no table"))
        #expect(throws: BoxTableError.unreadable(path: "/none.csv", reason: "there is no such file, or it cannot be read")) {
            try BoxTable(contentsOf: "/none.csv")
        }
        #expect(try message("").hasPrefix("'boxes.csv' has no column file, x0, y0, x1, y1; "))
        #expect(
            BoxTableError.noRow(path: "b.csv", image: "1.png", example: nil).description
                == "'b.csv' has no row for '1.png'; its files are relative to its own folder, and it has no rows at all")
    }
}
