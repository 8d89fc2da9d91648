import Foundation
import Images
import TestSupport
import Testing

/// What a network's own file answers, without a store.
@Suite struct BareNetworkTests {
    private let shop: Shop

    init() throws { shop = try Shop() }

    private func rows(_ result: Executable.Result) throws -> [[String: Any]] {
        try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]], "\(result)")
    }

    /// The same as by the store that was made of it.
    @Test func itAnswersAsItsStoreDoes() throws {
        let bare = try shop.run(
            "predict", "petshop.onnx", "photos/test/cat", "photos/test/dog/dog-43.jpg", "--classes", "labels.txt", "--resize",
            "none", "--format", "json")
        let stored = try shop.run(
            "predict", "shop.sqlite", "photos/test/cat", "photos/test/dog/dog-43.jpg", "--format", "json")
        #expect(bare.status == 0 && stored.status == 0, "\(bare)")
        let (a, b) = (try rows(bare), try rows(stored))
        #expect(a.count == b.count && a.count > 2)
        for (one, two) in zip(a, b) {
            let (classes, others) = (one["classes"] as? [[String: Any]] ?? [], two["classes"] as? [[String: Any]] ?? [])
            #expect(classes.count == 5 && classes.map { $0["score"] as? Double } == others.map { $0["score"] as? Double })
            #expect(classes.map { $0["name"] as? String } == others.map { $0["name"] as? String })
            #expect(one["label"] as? String == two["label"] as? String && one["correct"] as? Bool == two["correct"] as? Bool)
        }
        #expect(bare.errors.contains("right on ") && bare.errors.contains(" of \(a.count) labelled images"), "\(bare.errors)")
    }

    @Test func whatItCannotDoIsSaid() throws {
        let nothing = try shop.run("predict", "petshop.onnx")
        #expect(nothing.status == 64 && nothing.errors.contains("only a store has answers that can be counted"), "\(nothing)")
        let odd = try shop.run("predict", "shop.sqlite", "7", "--resize", "none")
        #expect(odd.status == 64 && odd.errors.contains("--resize is for a network's own file"), "\(odd)")
        let text = try shop.run("predict", "labels.txt", "photos/test/cat/cat-43.jpg")
        #expect(text.status == 1 && text.errors.contains("labels.txt"), "\(text)")
        let gone = try shop.run("predict", "petshop.onnx", "photos/test/cat/cat-999.jpg")
        #expect(gone.status == 1 && gone.errors.contains("cat-999.jpg is not there"), "\(gone)")
        // Without names a class is its number.
        let unnamed = try shop.run(
            "predict", "petshop.onnx", "photos/test/cat/cat-43.jpg", "--resize", "none", "--format", "csv", "-k", "1")
        #expect(unnamed.status == 0 && unnamed.output.split(separator: "\n").count == 2, "\(unnamed)")
    }

    /// Answers are counted by label and split as those of its store are, and drawn.
    @Test func itsAnswersAreCounted() throws {
        let bare = try shop.run(
            "predict", "petshop.onnx", "photos", "--classes", "labels.txt", "--resize", "none", "--matrix", "m.png", "--format",
            "csv")
        let stored = try shop.run("predict", "shop.sqlite", "--format", "csv")
        #expect(bare.status == 0 && bare.output == stored.output && bare.output.contains("\ncat,test,"), "\(bare)")
        // The same picture as the store's, and made again of the images that it names.
        #expect(try shop.run("predict", "shop.sqlite", "--matrix", "s.png").status == 0)
        let pictures = try ["m.png", "s.png"].map { try ImageReader().decode(contentsOf: shop.folder.file($0)) }
        #expect(pictures[0] == pictures[1])
        let verified = try shop.run("verify", "m.png")
        #expect(verified.status == 0 && verified.output.contains("--resize none"), "\(verified)")
        let unnamed = try shop.run("predict", "petshop.onnx", "photos/test/cat", "--matrix", "m.png")
        #expect(unnamed.status == 64 && unnamed.errors.contains("--classes FILE"), "\(unnamed)")
    }

    /// Labels come from a table as for `index`; images that it does not name are said and not counted.
    @Test func labelsMayComeFromATable() throws {
        try Data("file,label,split\nphotos/test/cat/cat-43.jpg,dog,mine\nphotos/test/cat/cat-44.jpg,cat,mine\n".utf8).write(
            to: URL(fileURLWithPath: shop.folder.file("mine.csv")))
        let counted = try shop.run(
            "predict", "petshop.onnx", "photos/test/cat", "--classes", "labels.txt", "--labels", "mine.csv", "--resize", "none",
            "--matrix", "m.png", "--format", "csv")
        #expect(counted.status == 0, "\(counted)")
        #expect(counted.output == "label,split,images,right\ncat,mine,1,1\ndog,mine,1,0\n")
        #expect(counted.errors.contains("without a label, and not counted: "), "\(counted)")
        #expect(try shop.run("verify", "m.png").status == 0)
        let none = try shop.run(
            "predict", "petshop.onnx", "photos/test/cat", "--classes", "labels.txt", "--labels", "none", "--matrix", "n.png")
        #expect(none.status == 0 && none.errors.contains("no image has a label, so no matrix was drawn"), "\(none)")
        let odd = try shop.run("predict", "shop.sqlite", "--labels", "mine.csv")
        #expect(odd.status == 64 && odd.errors.contains("--labels is for a network's own file"), "\(odd)")
    }

    /// Of a folder what is no picture is passed over and counted; one that is named is an error.
    @Test func brokenFilesOfAFolderAreCounted() throws {
        try FileManager.default.createDirectory(atPath: shop.folder.file("mine"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Fixtures.path("petshop/test/cat/cat-43.jpg"), toPath: shop.folder.file("mine/a.jpg"))
        try Data("no picture".utf8).write(to: URL(fileURLWithPath: shop.folder.file("mine/b.jpg")))
        for network in ["petshop.onnx", "shop.sqlite"] {
            let folder = try shop.run("predict", network, "mine", "--format", "csv", "-k", "1")
            #expect(folder.status == 2 && folder.output.split(separator: "\n").count == 2, "\(folder)")
            #expect(folder.errors.contains("not answered: 1 of 2 images") && folder.errors.contains("mine/b.jpg"), "\(folder)")
            #expect(try shop.run("predict", network, "mine/b.jpg").status == 1)
        }
    }
}
