import ActivationStore
import Foundation
import Images
import Indexing
import TestSupport
import Testing

/// Pictures in archives, as fixtures/recipe/archives.py packs them.
@Suite struct ArchiveTests {
    private static func path(_ name: String) -> String { Fixtures.path("archives/" + name) }

    private func dataset(_ names: String...) throws -> Dataset { try Dataset(paths: names.map(Self.path)) }

    private func names(_ dataset: Dataset) -> [String] {
        dataset.items.map { String($0.path.dropFirst(Fixtures.path("archives/").count)) }
    }

    @Test func filesHavePathsThatGoOnInThem() throws {
        for archive in ["photos.tar", "photos.zip", "gnu.tar", "pax.tar"] {
            let found = try dataset(archive)
            #expect(found.items.count == 4 && found.refused.isEmpty, "\(archive): \(names(found)), \(found.refused)")
            #expect(found.items.map(\.label) == ["cat", "cat", "dog", "dog"], "\(archive)")
            let reader = ImageReader()
            for item in found.items {
                let parts = item.path.split(separator: "/").suffix(2).joined(separator: "/")
                let plain = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("petshop/val/" + parts)))
                let packed = try reader.withContents(of: item.path) { bytes throws(ImageError) in Data(bytes) }
                #expect(packed == plain, "\(item.path)")
            }
        }
        #expect(try dataset("photos.tar").items.map(\.split) == ["train", "train", "train", "train"])
        #expect(try dataset("photos.zip").items.map(\.split) == ["test", "test", "test", "test"])
        #expect(try names(dataset("photos.tar")).first?.hasPrefix("photos.tar/train/cat/") == true)
    }

    /// A file of an archive is named as any other.
    @Test func aFileOfAnArchive() throws {
        let first = try #require(try dataset("photos.tar").items.first)
        let named = try Dataset(paths: [first.path])
        #expect(named.items.map(\.path) == [first.path])
        #expect(throws: DatasetError.missing(path: Self.path("photos.tar/none.jpg"))) { try dataset("photos.tar/none.jpg") }
        let error = #expect(throws: ImageError.self) { try Image(contentsOf: Self.path("photos.tar/none.jpg")) }
        #expect(error?.reason == "cannot be read: there is no such file in the archive")
    }

    @Test func labelsOfWebDataset() throws {
        let found = try dataset("shard-000000.tar")
        #expect(names(found) == (0..<4).map { "shard-000000.tar/00000\($0).jpg" })
        #expect(found.items.map(\.label) == ["0", "1", "cat", "archives"])
        #expect(found.named(["cat", "dog"]).items.map(\.label) == ["cat", "dog", "cat", "archives"])
    }

    @Test func archivesInAFolder() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("set/val"), withIntermediateDirectories: true)
        for (from, to) in [("shard-000000.tar", "set/val/b.tar"), ("photos.zip", "set/a.zip")] {
            try FileManager.default.copyItem(atPath: Self.path(from), toPath: folder.file(to))
        }
        try Data([0x1F, 0x8B]).write(to: URL(fileURLWithPath: folder.file("set/c.tar.gz")))
        let found = try Dataset(paths: [folder.file("set")])
        #expect(
            found.items.count == 8
                && found.items[0].path.hasSuffix("/set/a.zip/test/cat/\(found.items[0].path.split(separator: "/").last ?? "")"))
        #expect(found.items[0].split == "test" && found.items[4].split == "val" && found.items[4].label == "0")
        #expect(found.refused.count == 1 && found.refused[0].reason.contains("is a compressed tar"))
        #expect(throws: DatasetError.packedArchive(path: folder.file("set/c.tar.gz"))) {
            try Dataset(paths: [folder.file("set/c.tar.gz")])
        }
    }

    @Test func whatIsRefused() throws {
        let tar = try dataset("bad.tar")
        #expect(names(tar) == ["bad.tar/good.jpg", "bad.tar/twice.jpg"])
        let reasons = tar.refused.map(\.reason)
        #expect(reasons.count == 8, "\(tar.refused)")
        for (words, count) in [("leads out of it", 3), ("twice; the first", 1), ("is a link", 2), ("pipe or device", 2)] {
            #expect(reasons.filter { $0.contains(words) }.count == count, "\(words): \(reasons)")
        }
        let zip = try dataset("bad.zip")
        #expect(names(zip) == ["bad.zip/good.jpg", "bad.zip/lies.jpg"])
        #expect(Set(zip.refused.map { $0.reason.prefix(30) }).count == 4, "\(zip.refused)")
        let error = #expect(throws: ImageError.self) { try Image(contentsOf: Self.path("bad.zip/lies.jpg")) }
        #expect(error?.reason.contains("its packed bytes are not what the archive says") == true)
        let cut = try dataset("cut.tar")
        #expect(cut.refused.contains { $0.reason.contains("is cut off") } && !cut.items.isEmpty, "\(cut.refused)")
        let none = #expect(throws: DatasetError.self) { try dataset("none.tar") }
        #expect("\(none.map { "\($0)" } ?? "")".contains("it is called a tar but is none"))
    }

    /// Wherever an archive is damaged, its files are found or refused.
    @Test func damageNeverCrashes() throws {
        let folder = try TemporaryFolder()
        var random = SeededGenerator(seed: 8)
        for name in ["photos.tar", "pax.tar", "photos.zip", "bad.zip"] {
            let original = try Data(contentsOf: URL(fileURLWithPath: Self.path(name)))
            let path = folder.file(String(name.suffix(3)) + "." + name.suffix(3))
            for round in 0..<40 {
                var bytes = original
                if round % 3 == 0 { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random)) }
                for _ in 0..<round % 8 {
                    let place =
                        Bool.random(using: &random)
                        ? Int.random(in: 0..<min(600, bytes.count), using: &random)
                        : bytes.count - 1 - Int.random(in: 0..<min(400, bytes.count), using: &random)
                    bytes[place] = UInt8.random(in: 0...255, using: &random)
                }
                try? FileManager.default.removeItem(atPath: path)
                try bytes.write(to: URL(fileURLWithPath: path))
                for item in (try? Dataset(paths: [path]).items) ?? [] { _ = try? Image(contentsOf: item.path) }
            }
        }
    }
}
