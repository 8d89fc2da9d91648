import Foundation

/// The pet shop: pictures, networks and expected answers that are part of the repository.
public enum Fixtures {
    public static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("fixtures").path

    /// The full path of something in the folder.
    public static func path(_ path: String) -> String { folder + "/" + path }

    /// The pet shop's pictures, in byte order, as paths within `fixtures/petshop`.
    public static func pictures() throws -> [String] {
        let all = try FileManager.default.subpathsOfDirectory(atPath: path("petshop"))
        return all.filter { ["jpg", "png", "webp"].contains(($0 as NSString).pathExtension) }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Makes a folder of `count` files, copies of the pet shop's pictures with their splits and labels; or goes on with one that has `first`
    /// of them. Links would be the same images again and again.
    public static func copyPictures(from first: Int = 0, count: Int, in folder: String) throws {
        let pictures = try pictures()
        for index in first..<count {
            let picture = pictures[index % pictures.count]
            let place = folder + "/" + (picture as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            let name = "\(index / pictures.count)-" + (picture as NSString).lastPathComponent
            try FileManager.default.copyItem(atPath: path("petshop/" + picture), toPath: place + "/" + name)
        }
    }
}
