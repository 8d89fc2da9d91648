import Foundation
import Indexing
import TestSupport
import Testing

/// Which images are found, in which order, with which labels.
@Suite struct DatasetTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["train/cat/b.jpg", "train/cat/a.jpg", "Val/dog/c.jpg", "e.jpg", "birds/d.jpg", ".git/f.jpg", "notes.txt"] {
            let path = folder.file(name)
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(fileURLWithPath: path))
        }
    }

    private func write(_ text: String, _ name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        return folder.file(name)
    }

    private func labels(_ source: LabelSource) throws -> [String?] {
        try Dataset(paths: [folder.path]).labelled(by: source).dataset.items.map(\.label)
    }

    @Test func imagesComeInTheOrderOfTheirPathsWithLabelsOfTheirFolders() throws {
        let items = try Dataset(paths: [folder.path + "/"]).items
        #expect(
            items.map { String($0.path.dropFirst(folder.path.count + 1)) } == [
                "Val/dog/c.jpg", "birds/d.jpg", "e.jpg", "train/cat/a.jpg", "train/cat/b.jpg",
            ])
        #expect(items.map(\.label) == ["dog", "birds", (folder.path as NSString).lastPathComponent, "cat", "cat"])
        #expect(items.map(\.split) == ["Val", nil, nil, "train", "train"])
    }

    @Test func argumentsKeepTheirOrderAndCountOnce() throws {
        let items = try Dataset(paths: [folder.file("train"), folder.file("e.jpg"), folder.file("./train//cat/"), folder.path])
            .items
        #expect(items.map { ($0.path as NSString).lastPathComponent } == ["a.jpg", "b.jpg", "e.jpg", "c.jpg", "d.jpg"])
    }

    @Test func whatIsNotThere() throws {
        #expect(throws: DatasetError.missing(path: "/no/such")) { try Dataset(paths: ["/no/such"]) }
        #expect(throws: DatasetError.noImages(paths: [folder.file(".git")])) {
            try FileManager.default.removeItem(atPath: folder.file(".git/f.jpg"))
            return try Dataset(paths: [folder.file(".git")])
        }
    }

    @Test func noLabels() throws { #expect(try labels(.none) == [nil, nil, nil, nil, nil]) }

    @Test func labelsFromATable() throws {
        let table = try write(
            "File, Label ,split\ncat/a.jpg,\"a \"\"cat\"\", perhaps\",test\nd.jpg,bird,\nnone.jpg,x,y\n", "t.csv")
        let items = try Dataset(paths: [folder.path]).labelled(by: .file(table)).dataset.items
        #expect(items.map(\.label) == [nil, "bird", nil, "a \"cat\", perhaps", nil])
        #expect(items.map(\.split) == ["Val", nil, nil, "test", "train"])
    }

    @Test func tablesThatDoNotFit() throws {
        let columns = try write("picture,name\na.jpg,cat\n", "columns.csv")
        #expect(throws: DatasetError.labelColumns(path: columns, found: ["picture", "name"])) { try labels(.file(columns)) }
        let others = try write("file,label\nz.jpg,cat\n", "others.csv")
        #expect(throws: DatasetError.noLabelMatches(path: others, example: "z.jpg")) { try labels(.file(others)) }
        #expect(throws: DatasetError.self) { try labels(.file(folder.file("none.csv"))) }
    }

    @Test func labelsFromLines() throws {
        let lines = try write("one\r\ntwo\r\nthree\r\nfour\r\nfive\r\n\r\n", "lines.txt")
        #expect(try labels(.file(lines)) == ["one", "two", "three", "four", "five"])
        let pairs = try write("train/cat/a.jpg cat\nb.jpg cat\nc.jpg dog\nd.jpg bird\ne.jpg cat\n", "pairs.txt")
        #expect(throws: DatasetError.labelPairs(path: pairs, line: "train/cat/a.jpg cat")) { try labels(.file(pairs)) }
        let few = try write("one\ntwo\n", "few.txt")
        #expect(throws: DatasetError.labelCount(path: few, labels: 2, images: 5)) { try labels(.file(few)) }
    }

    @Test func classNames() throws {
        let names = try write("n01440764 tench, Tinca tinca\nn01443537 goldfish\nnice cat\n", "classes.txt")
        #expect(try ClassNames.read(names, count: 3) == ["tench, Tinca tinca", "goldfish", "nice cat"])
        #expect(throws: DatasetError.classCount(path: names, names: 3, classes: 5)) { try ClassNames.read(names, count: 5) }
    }
}
