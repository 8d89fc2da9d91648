/// Which layers of a network each of its layers is computed from: its branches, and what skips over layers. The file is read, and nothing is
/// compiled.
public struct LayerGraph: Sendable {
    /// Of the file's bytes, and of the files of external weights that it names.
    public let sha256: String
    private let graph: Graph

    /// - Throws: `NetworkError` for whatever is wrong with the file.
    public init(contentsOf path: String, options: Network.Options = Network.Options()) throws {
        let file = try ModelFile(path: path)
        sha256 = file.sha256
        graph = try Importer.graph(of: file, options, leavesWeightsInFile: true)
    }

    /// - Parameter tensors: the ONNX values that are layers.
    /// - Returns: for each tensor the places in `tensors`, ascending, of those that it is computed from with none of the others between; none
    ///   for one that is computed from the image alone, or that the graph does not have.
    public func inputs(of tensors: [String]) -> [[Int]] {
        let values = Dictionary(graph.values.enumerated().map { ($1.name, $0) }) { _, last in last }
        var places: [Graph.ValueID: Int] = [:]
        for (place, tensor) in tensors.enumerated() { if let value = values[tensor] { places[value] = place } }
        let producers = graph.producers
        return tensors.map { tensor in
            guard let start = values[tensor] else { return [] }
            var (found, seen, open) = (Set<Int>(), Set([start]), [start])
            while let value = open.popLast() {
                guard let node = producers[value] else { continue }
                for case let input? in graph.nodes[node].inputs where seen.insert(input).inserted {
                    if let place = places[input] { found.insert(place) } else { open.append(input) }
                }
            }
            return found.sorted()
        }
    }
}
