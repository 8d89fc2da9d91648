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
        for archive in ["photos.tar", "photos.zip", "gnu.tar", "pax.tar", "photos.tar.gz", "photos.tar.zst"] {
            let found: Dataset
            do {
                found = try dataset(archive)
            } catch let error as DatasetError where "\(error)".contains("needs libzstd1") { continue }
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
        #expect(found.items.map(\.label) == ["0", "1", "cat", nil])
        #expect(found.named(["cat", "dog"]).items.map(\.label) == ["cat", "dog", "cat", nil])
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
        #expect(found.refused.count == 1 && found.refused[0].reason.contains("ends before all of it is unpacked"))
        #expect(found.unpacking == nil)
    }

    /// An archive is a folder of its name, as the pictures of a class or of a split have it; but a shard's name is no class.
    @Test func labelsOfAnArchivesName() throws {
        let folder = try TemporaryFolder()
        let flat = folder.file("flat.tar")
        let picture = Fixtures.path("petshop/val/cat")
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "cf", flat, "-C", picture, "."]
        try tar.run()
        tar.waitUntilExit()
        for (name, label, split) in [
            ("n01440764.tar", "n01440764", nil), ("shard-000012.tar", nil, nil), ("train.tar", nil, "train"), ("7.tar", nil, nil),
        ] as [(String, String?, String?)] {
            try FileManager.default.copyItem(atPath: flat, toPath: folder.file(name))
            let items = try Dataset(paths: [folder.file(name)]).items
            #expect(!items.isEmpty && items.allSatisfy { $0.label == label && $0.split == split }, "\(name): \(items[0])")
            // As the paths of a store say it.
            let stored = Dataset(stored: items.map(\.path) + [folder.file("b/1.jpg")]).items[0]
            #expect(stored.label == label && stored.split == split, "\(name): \(stored)")
        }
    }

    @Test func compressedArchives() throws {
        let folder = try TemporaryFolder()
        let found = try dataset("photos.tar.gz")
        #expect(found.unpacked.map(\.bytes) == [30720])
        #expect(found.unpacking?.contains("is compressed as a whole, and unpacked to 0 MB in ") == true)
        let packed = try Data(contentsOf: URL(fileURLWithPath: Self.path("photos.tar.gz")))
        func reason(_ name: String, _ data: Data) throws -> String {
            try data.write(to: URL(fileURLWithPath: folder.file(name)))
            do {
                return "\(try Dataset(paths: [folder.file(name)]).refused)"
            } catch { return "\(error)" }
        }
        #expect(try reason("cut.tar.gz", packed.prefix(5000)).contains("ends before all of it is unpacked"))
        var damaged = packed
        damaged[3000] ^= 0x55
        #expect(try reason("damaged.tar.gz", damaged).contains("the archive is damaged"))
        #expect(try reason("b.tar.bz2", Data("BZh91AY&SY".utf8)).contains("make it a plain .tar (bunzip2)"))
        #expect(try reason("x.tar.xz", Data([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0])).contains("(unxz)"))
        // Not compressed, whatever it is called.
        let plain = try Data(contentsOf: URL(fileURLWithPath: Self.path("photos.tar")))
        #expect(try reason("plain.tar.gz", plain) == "[]")
        // What is left in the folder for temporary files has no name.
        let left = try FileManager.default.contentsOfDirectory(atPath: Archive.folder).filter { $0.hasPrefix("neurodex-") }
        #expect(left.isEmpty, "\(left)")
    }

    /// Of a zip whose bytes are not those that were packed.
    @Test func checksumsOfZips() throws {
        let folder = try TemporaryFolder()
        var data = try Data(contentsOf: URL(fileURLWithPath: Self.path("photos.zip")))
        // In the first file, which is stored as it is.
        data[400] ^= 1
        try data.write(to: URL(fileURLWithPath: folder.file("photos.zip")))
        let items = try Dataset(paths: [folder.file("photos.zip")]).items
        let error = #expect(throws: ImageError.self) { try Image(contentsOf: items[0].path) }
        #expect(
            error?.reason.contains("the checksum of 'test/cat/cat-21.jpg' is not the one that the archive states") == true,
            "\(error?.reason ?? "")")
        _ = try Image(contentsOf: items[1].path)
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
        #expect(error?.reason.contains("the packed bytes of 'lies.jpg' are not what the archive says") == true)
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
