import ArgumentParser
import NeuralNetwork

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
