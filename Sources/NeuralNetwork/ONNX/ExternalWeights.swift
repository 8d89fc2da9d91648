public import Foundation

/// Weights that stand in files beside a model.
public enum ExternalWeights {
    /// The folder that a model, and any changed copy of it, works in only, as numbers of it stand in files there; nil where all are in the file.
    /// - Throws: `NetworkError` where there is no readable model at `path`.
    public static func folder(ofModelAt path: String) throws -> URL? {
        let graph = try ModelFile(path: path).proto.graph
        let tensors = graph.initializer + graph.node.flatMap(\.attribute).map(\.t)
        guard tensors.contains(where: { $0.dataLocation == 1 }) else { return nil }
        return URL(fileURLWithPath: path).deletingLastPathComponent().standardizedFileURL
    }
}
