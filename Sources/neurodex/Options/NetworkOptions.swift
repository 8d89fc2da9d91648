import ArgumentParser
import Images
import NeuralNetwork
import Search

/// What of a network file is read, where it leaves that open.
struct NetworkOptions: ParsableArguments {
    @Option(
        name: .customLong("output"),
        help: ArgumentHelp(
            "Which output, where a network has several, or any other tensor, after which the file is not read (default: its first output, or the store's).",
            valueName: "name"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "Height and width of the pictures, such as 224x224 or 224, where the network takes any.", valueName: "size"))
    var inputSize: InputSize?

    /// An option that was given; nil of none.
    var used: String? { output != nil ? "--output" : inputSize != nil ? "--input-size" : nil }

    /// What says the same again.
    var arguments: [String] {
        Spelling.option("--output", output) + Spelling.option("--input-size", inputSize.map { "\($0.height)x\($0.width)" })
    }

    /// The network of a file, for one picture at a time, and how it was read.
    /// - Parameters:
    ///   - hasClasses: as in `Network.Options`.
    ///   - size: of pictures, where the file leaves that open and nothing else is said.
    /// - Throws: `NetworkError` for what is no network, and where its input size is open.
    func network(at path: String, hasClasses: Bool?, size other: Size?) throws -> (Network, Network.Options) {
        var options = Network.Options()
        (options.batch, options.output, options.inputSize, options.hasClasses) = (1, output, size, hasClasses)
        do {
            return (try Network(contentsOf: path, options: options), options)
        } catch let error as NetworkError {
            guard case .openInputSize = error, let other else { throw error }
            options.inputSize = (other.height, other.width)
            return (try Network(contentsOf: path, options: options), options)
        }
    }

    /// As `Network.Options` has it.
    var size: (height: Int, width: Int)? { inputSize.map { ($0.height, $0.width) } }
}

/// `HEIGHTxWIDTH`, or one number for both.
struct InputSize: ExpressibleByArgument {
    var height: Int
    var width: Int

    init?(argument: String) {
        let sides = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(sides.count), let height = sides[0], let width = sides[sides.count - 1], height > 0, width > 0
        else {
            return nil
        }
        (self.height, self.width) = (height, width)
    }
}
