public import ActivationStore
public import Foundation
public import Images
import Support

/// A map, and all that tells what it is of.
public struct Explanation: Sendable {
    /// The command's name, and its options with the defaults spelt out.
    public var method: String
    public var arguments: [String]
    public var target: Target
    /// The image's path and SHA-256.
    public var image: String
    public var imageSHA256: Data
    /// The target's value on the image.
    public var value: Float
    public var map: ExplanationMap
    /// In the network's input frame.
    public var boxes: [Rectangle]
    /// The seconds it took to make, when it was made.
    public var seconds: Double
    /// Whether it was kept in the store already.
    public var wasKept: Bool
    /// What the map was checked for, if it was.
    public var checks: MapChecks?

    /// What is said of it, for those who are done with its map.
    public var withoutMap: Explanation {
        var said = self
        said.map = ExplanationMap(channels: 1, height: 1, width: 1, values: [0], isSigned: map.isSigned)
        return said
    }
}

extension ExplanationMap {
    /// The map of a record.
    public init(_ record: ExplanationRecord) {
        self.init(
            channels: record.channels, height: record.height, width: record.width, values: record.map, isSigned: record.isSigned)
        note = record.note
    }
}

/// What an explanation is kept under: equal for equal maps, and for no others.
enum ExplanationKey {
    /// - Parameter facts: all that the map depends on, in a fixed order.
    static func digest(_ facts: [String]) -> Data {
        var hash = SHA256()
        for fact in facts { hash.update(data: Data("\(fact.utf8.count):\(fact)".utf8)) }
        return Data(hash.finalize())
    }
}
