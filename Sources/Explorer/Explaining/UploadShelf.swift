import Foundation
import Support
import Synchronization

/// Pictures that were dropped on a page, in memory; the store does not get them.
final class UploadShelf: Sendable {
    struct Picture: Sendable {
        /// As the browser called it.
        var name: String
        var bytes: Data
    }

    /// One file of a drop, taken or not.
    struct Item: Sendable {
        var name: String
        var hash: String?
        var refusal: String?
    }

    /// Pictures of one drop.
    static let mostAtOnce = 24
    /// Bytes of one drop.
    static let mostBytes = 64 << 20
    /// Of all that are here; the oldest go first.
    private static let mostPictures = 200
    private static let mostKept = 256 << 20

    private struct Kept: Sendable {
        var hashes: [String] = []
        var pictures: [String: Picture] = [:]
        var bytes: Int { pictures.values.reduce(0) { $0 + $1.bytes.count } }
    }
    private let kept = Mutex(Kept())
    private let drops = ResultShelf<[Item]>(most: 100)

    /// - Returns: what the drop is called by from now on.
    func put(_ items: [Item]) -> String {
        let text = items.map { "\($0.name)\0\($0.hash ?? "")\0\($0.refusal ?? "")" }.joined(separator: "\0")
        let name = String(Data(SHA256.hash(data: Data(text.utf8))).hexadecimal.prefix(24))
        drops.put(items, name)
        return name
    }

    /// - Throws: ``Refusal`` for a drop that is no longer here.
    func items(_ drop: String) throws -> [Item] {
        guard let items = drops[drop] else {
            throw Refusal(sentence: "these pictures are no longer here: drop them on the page again", status: .notFound)
        }
        return items
    }

    /// - Returns: what it is called by from now on.
    func put(_ picture: Picture) -> String {
        let hash = Data(SHA256.hash(data: picture.bytes)).hexadecimal
        kept.withLock { kept in
            kept.hashes.removeAll { $0 == hash }
            kept.hashes.append(hash)
            kept.pictures[hash] = picture
            while kept.hashes.count > 1, kept.hashes.count > Self.mostPictures || kept.bytes > Self.mostKept {
                kept.pictures[kept.hashes.removeFirst()] = nil
            }
        }
        return hash
    }

    func has(_ hash: String) -> Bool { kept.withLock { $0.pictures[hash] != nil } }

    /// - Throws: ``Refusal`` for one that is no longer here.
    func picture(_ hash: String) throws -> Picture {
        guard let picture = kept.withLock({ $0.pictures[hash] }) else {
            throw Refusal(sentence: "this picture is no longer here: drop it on the page again", status: .notFound)
        }
        return picture
    }
}
