import Foundation
import GRDB

/// A linear last layer on the spatial means of a layer, which gives class activation maps to a network that does not end in global average
/// pooling. A store keeps at most one.
public struct CAMHead: Equatable, Sendable {
    /// Whose means are weighed.
    public var layer: String
    /// Names of the classes, in the order of `weights`.
    public var classes: [String]
    public var channels: Int
    /// classes × channels.
    public var weights: [Float]
    /// One a class.
    public var bias: [Float]
    /// The weight of the squared weights in the loss, the means having been brought to deviation 1.
    public var l2: Double
    /// The largest element of the loss's gradient at the end.
    public var slope: Double
    /// Images that it was trained on, and that it was judged by.
    public var trained: Int
    public var judged: Int
    /// Which images those are: `test`, `val`, or `held out` where the store has neither.
    public var judgedOn: String
    /// Its share of right answers among the judged, and the network's own.
    public var accuracy: Double
    public var networkAccuracy: Double

    /// All its parts, as they were kept.
    public init(
        layer: String, classes: [String], channels: Int, weights: [Float], bias: [Float], l2: Double, slope: Double, trained: Int,
        judged: Int, judgedOn: String, accuracy: Double, networkAccuracy: Double
    ) {
        precondition(weights.count == classes.count * channels && bias.count == classes.count, "weights that do not fit")
        (self.layer, self.classes, self.channels, self.weights, self.bias) = (layer, classes, channels, weights, bias)
        (self.l2, self.slope, self.trained, self.judged, self.judgedOn) = (l2, slope, trained, judged, judgedOn)
        (self.accuracy, self.networkAccuracy) = (accuracy, networkAccuracy)
    }
}

extension Store {
    /// The last layer that is kept; nil where none was fitted.
    /// - Throws: ``StoreError/damaged(path:detail:)`` where it is not what was written, or its weights do not fit.
    public func camHead() throws -> CAMHead? {
        try read { snapshot in
            let database = snapshot.database
            guard try database.tableExists("cam_head"),
                let row = try CheckedTable.camHead.map(database, path: path, { $0.copy() }).first
            else { return nil }
            let names: String = try row.decode(forColumn: "classes")
            let classes = (try? JSONDecoder().decode([String].self, from: Data(names.utf8))) ?? []
            let weights = Self.floats(try row.decode(forColumn: "weights"))
            let bias = Self.floats(try row.decode(forColumn: "bias"))
            let channels: Int = try row.decode(forColumn: "channels")
            guard !classes.isEmpty, bias.count == classes.count, (0...Schema.neuronLimit).contains(channels),
                weights.count == classes.count * channels
            else {
                throw StoreError.damaged(
                    path: path,
                    detail: "its last layer has \(weights.count) weights for \(classes.count) classes × \(channels) channels")
            }
            return try CAMHead(
                layer: row.decode(forColumn: "layer"), classes: classes, channels: channels, weights: weights, bias: bias,
                l2: row.decode(forColumn: "l2"), slope: row.decode(forColumn: "slope"), trained: row.decode(forColumn: "trained"),
                judged: row.decode(forColumn: "judged"), judgedOn: row.decode(forColumn: "judged_on"),
                accuracy: row.decode(forColumn: "accuracy"), networkAccuracy: row.decode(forColumn: "network_accuracy"))
        }
    }

    /// Keeps a last layer instead of the one that is kept. Maps that are kept of `cam` are removed: that one may have made them.
    /// - Throws: ``StoreError`` where the store cannot be written.
    public func keep(_ head: CAMHead) throws {
        let classes = String(decoding: try JSONEncoder().encode(head.classes), as: UTF8.self)
        try edit { database in
            try database.execute(sql: "DELETE FROM explanation WHERE method = 'cam'")
            try CheckedTable.camHead.insert(
                database,
                [
                    1, head.layer, classes, head.channels, head.weights.withUnsafeBytes { Data($0) },
                    head.bias.withUnsafeBytes { Data($0) }, head.l2, head.slope, head.trained, head.judged, head.judgedOn,
                    head.accuracy, head.networkAccuracy,
                ])
        }
    }

    /// float32, little-endian; none where the bytes are not whole numbers of them.
    static func floats(_ bytes: Data) -> [Float] {
        guard bytes.count % 4 == 0 else { return [] }
        return bytes.withUnsafeBytes { bytes in
            [Float](unsafeUninitializedCapacity: bytes.count / 4) { values, count in
                UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
                count = bytes.count / 4
            }
        }
    }
}
