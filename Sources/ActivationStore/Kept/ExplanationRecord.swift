public import Foundation
import GRDB

/// An explanation as the store keeps it.
public struct ExplanationRecord: Hashable, Sendable {
    /// Given by the store.
    public var id: Int?
    /// SHA-256 of all that the map depends on, 32 bytes.
    public var key: Data
    /// The command's name.
    public var method: String
    /// Its options, defaults spelt out.
    public var arguments: [String]
    public var target: String
    /// Nil for one of no image.
    public var image: String?
    public var imageSHA256: Data?
    /// The target's value on the image.
    public var value: Double?
    public var note: String?
    public var channels: Int
    public var height: Int
    public var width: Int
    public var isSigned: Bool
    /// channels × height × width. Empty in lists.
    public var map: [Float]
    /// A PNG. Empty in lists.
    public var picture: Data
    /// JSON: how the making went.
    public var record: String?
    /// JSON: what the map was checked for, and came to.
    public var checks: String?
    /// What it took to make.
    public var seconds: Double
    public var created: Date
    public var toolVersion: String

    public init(
        key: Data, method: String, arguments: [String], target: String, image: String?, imageSHA256: Data?, value: Double?,
        note: String?, channels: Int, height: Int, width: Int, isSigned: Bool, map: [Float], picture: Data, record: String? = nil,
        checks: String? = nil, seconds: Double, created: Date = Date(), toolVersion: String
    ) {
        precondition(key.count == 32, "a key of \(key.count) bytes instead of 32")
        precondition(map.count == channels * height * width, "\(map.count) values for \(channels)×\(height)×\(width)")
        (self.key, self.method, self.arguments, self.target) = (key, method, arguments, target)
        (self.image, self.imageSHA256, self.value, self.note) = (image, imageSHA256, value, note)
        (self.channels, self.height, self.width, self.isSigned) = (channels, height, width, isSigned)
        (self.map, self.picture, self.record, self.checks) = (map, picture, record, checks)
        (self.seconds, self.created, self.toolVersion) = (seconds, created, toolVersion)
    }

    /// From a row of all columns, without its map and picture.
    init(row: Row) throws {
        id = try row.decode(forColumn: "id")
        key = try row.decode(forColumn: "key")
        method = try row.decode(forColumn: "method")
        let options: String = try row.decode(forColumn: "arguments")
        arguments = (try? JSONDecoder().decode([String].self, from: Data(options.utf8))) ?? []
        target = try row.decode(forColumn: "target")
        image = try row.decode(forColumn: "image_path")
        imageSHA256 = try row.decode(forColumn: "image_sha256")
        value = try row.decode(forColumn: "value")
        note = try row.decode(forColumn: "note")
        channels = try row.decode(forColumn: "channels")
        height = try row.decode(forColumn: "height")
        width = try row.decode(forColumn: "width")
        isSigned = try row.decode(forColumn: "is_signed")
        (map, picture) = ([], Data())
        record = try row.decode(forColumn: "record")
        checks = try row.decode(forColumn: "checks")
        seconds = try row.decode(forColumn: "seconds")
        let moment: String = try row.decode(forColumn: "created")
        created = (try? Date(moment, strategy: .iso8601)) ?? .distantPast
        toolVersion = try row.decode(forColumn: "tool_version")
    }
}
