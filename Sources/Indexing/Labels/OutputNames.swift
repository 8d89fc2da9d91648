public import NeuralNetwork
import Support

/// The names of the numbers that a network answers with, from a file with one line for each: `age [years]`.
public enum OutputNames {
    /// - Throws: `DatasetError` where the file cannot be read, has not as many lines as there are numbers, or names two alike; where the network answers
    ///   with a map, with scores, or with several outputs.
    public static func read(_ path: String, _ network: Network) throws -> [String] {
        let names = try ClassNames.read(path, count: nil)
        func refusal(_ problem: String) -> DatasetError { .outputNames(path: path, problem: problem) }
        guard network.otherOutputs.isEmpty else {
            throw refusal("names numbers of one output, and \(1 + network.otherOutputs.count) are recorded; give --output once")
        }
        guard network.answer == nil else {
            throw refusal(
                "names numbers, but the network's answers go through a softmax or sigmoid; name its classes with --classes")
        }
        guard let layer = network.layers.last, layer.height * layer.width == 1 else {
            throw refusal(
                "names numbers, but the network answers with a map; leave --outputs out, or choose another output with --output")
        }
        guard names.count == layer.channels else {
            throw refusal("has \(names.count) lines, and the network answers with \(layer.channels) numbers; name each on a line")
        }
        if let name = names.first(where: { name in name.isEmpty || names.count { $0 == name } > 1 }) {
            throw refusal(
                name.isEmpty ? "has an empty line; name each number" : "names '\(name)' twice; give each number a name of its own"
            )
        }
        return names
    }
}
