import Foundation
import Indexing
import TestSupport
import Testing

/// Which row of a table is whose, and what is said of rows and images that do not fit.
@Suite struct LabelTableTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func make(_ names: [String]) throws {
        for name in names {
            let path = folder.file("photos/" + name)
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(fileURLWithPath: path))
        }
    }

    private func write(_ text: String, _ name: String = "labels.csv") throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        return folder.file(name)
    }

    /// The labels of the images, by their paths within `photos`, and what is said without the folder's name.
    private func label(_ table: String) throws -> (labels: [String: String], notes: [String]) {
        let (dataset, report) = try Dataset(paths: [folder.file("photos")]).labelled(by: .file(table))
        let labels = dataset.items.compactMap { item in
            item.label.map { (String(item.path.dropFirst(folder.file("photos/").count)), $0) }
        }
        let notes = (report?.sentences ?? []).map { $0.replacingOccurrences(of: folder.path + "/", with: "") }
        return (Dictionary(uniqueKeysWithValues: labels), notes)
    }

    @Test func theLongestNameWins() throws {
        try make(["a/1.png", "b/1.png", "a/b/1.png", "1.png"])
        let rows = ["1.png,ROOT", "a/1.png,A", "b/1.png,B", "a/b/1.png,AB"]
        for rows in [rows, rows.reversed()] {
            let found = try label(write("file,label\n" + rows.joined(separator: "\n")))
            #expect(found.labels == ["a/1.png": "A", "b/1.png": "B", "a/b/1.png": "AB", "1.png": "ROOT"])
            #expect(found.notes == [])
        }
    }

    @Test func namesAreWrittenInManyWays() throws {
        try make(["a/1.png", "b/1.png"])
        let (a, b) = (folder.file("photos/a/1.png"), folder.file("photos/b/1.png"))
        for table in [
            "file,label\n./a/1.png,A\nphotos//b/1.png,B\n", "FILE;LABEL\r\na/1.png;A\r\nb/1.png;B\r\n",
            "\u{FEFF}File\tSplit\tLabel\na/1.png\t\tA\nb/1.png\t\tB", "sep=;\nfile;label\na/1.png;A\nb/1.png;B\n",
            "\"Path\", \"Label\"\n\"a/1.png\", \"A\"\n\"b/1.png\",B\n", "image,class\na\\1.png,A\n.\\photos\\b\\1.png,B\n",
            "path,category\n\(a),A\n\(b),B\n", "path,category\n../x/../photos/a/1.png,A\n..\\photos\\b\\1.png,B\n",
        ] {
            let found = try label(write(table))
            #expect(found.labels == ["a/1.png": "A", "b/1.png": "B"], "\(table)")
            #expect(found.notes == [], "\(table)")
        }
        #expect(try label(write("file,label\na/1.png,A\nb/1.png,B\n", "labels.txt")).labels == ["a/1.png": "A", "b/1.png": "B"])
        let text = try #require("file\tlabel\r\na/1.png\tÄ\r\nb/1.png\tB\r\n".data(using: .utf16))
        try text.write(to: URL(fileURLWithPath: folder.file("wide.tsv")))
        #expect(try label(folder.file("wide.tsv")).labels == ["a/1.png": "Ä", "b/1.png": "B"])
    }

    @Test func fullNamesOverLinks() throws {
        try make(["a/1.png"])
        try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: folder.file("photos"))
        #expect(try label(write("file,label\n\(folder.file("link/a/1.png")),A\n")).labels == ["a/1.png": "A"])
    }

    /// é is one character or two; a file system may give back another one than a table has.
    @Test func accentsOfEitherForm() throws {
        try make(["caf\u{E9}/1.png"])
        #expect(try label(write("file,label\ncafe\u{301}/1.png,A\n")).labels.values.map { $0 } == ["A"])
    }

    @Test func whatDoesNotFitIsSaid() throws {
        try make((1...30).map { "\($0).png" })
        let found = try label(write("file,label\n1.png,cat\n2.png,dog\n2.png,cow\n1.png,cat\n,\nz.png,cat\n3.png,\n"))
        #expect(found.labels == ["1.png": "cat", "2.png": "dog"])
        #expect(
            found.notes == [
                "labels.csv names 3 of 30 images; it says nothing of 'photos/10.png', 'photos/11.png', 'photos/12.png', …",
                "1 row of labels.csv names no image: 'z.png' (line 7)",
                "1 row of labels.csv is not taken, as another one with as long a name or a longer one names the image too: 'photos/2.png' is 'dog' (line 3), and not 'cow' (line 4)",
                "1 row of labels.csv repeats another: 'photos/1.png' (lines 2 and 5)",
                "1 row of labels.csv has no label: '3.png' (line 8)",
            ])
        // Of two rows of one name, and one of a shorter name, each is told from its nearest.
        try make(["b/x.png", "a/b/x.png"])
        let near = try label(write("file,label\na/b/x.png,AB\nb/x.png,B\nb/x.png,C\nx.png,X\n"))
        #expect(near.labels == ["b/x.png": "B", "a/b/x.png": "AB"])
        #expect(near.notes.last?.contains("'photos/b/x.png' is 'B' (line 3), and not 'C' (line 4)") == true, "\(near.notes)")
        #expect(near.notes.last?.contains("and not 'X' (line 5)") == true, "\(near.notes)")
        try make(["a/1.png"])
        let several = try label(write("file,label\n1.png,cat\n")).notes
        #expect(several.last == "1 row of labels.csv names several images: '1.png' (line 2) of 2 images")
    }

    @Test func tablesThatCannotBeRead() throws {
        try make(["a/1.png"])
        func message(_ text: String) throws -> String {
            let path = try write(text)
            do {
                _ = try label(path)
                return ""
            } catch let error as DatasetError {
                return error.description.replacingOccurrences(of: folder.path + "/", with: "")
            }
        }
        #expect(
            try message("file,label\na/1.png,x\0y\n")
                == "cannot read the labels in 'labels.csv': line 2 has a NUL character, which no name can have")
        #expect(try message("file,label\na/1.png,\"cat\nb,dog\n").contains("a quotation mark is not closed"))
        #expect(try message("file,label\na/1.png,\"cat\" and\"\"\n").contains("something other than a separator follows"))
    }

    @Test func classNamesOfOtherPrograms() throws {
        let names = try write("\u{FEFF}a\r\nb\r\nc\r\n", "classes.txt")
        #expect(try ClassNames.read(names, count: 3).map { Array($0.utf8) } == ["a", "b", "c"].map { Array($0.utf8) })
        let nul = try write("a\0x\nb\n", "nul.txt")
        #expect(throws: DatasetError.unreadableClasses(path: nul, reason: "line 1 has a NUL character, which no name can have")) {
            try ClassNames.read(nul, count: 2)
        }
    }
}
