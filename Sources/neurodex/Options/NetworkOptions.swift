import ArgumentParser
import Foundation
import Images
import NeuralNetwork
import Search
import Support

/// What of a network file is read, where it leaves that open.
struct NetworkOptions: ParsableArguments {
    @Option(
        name: .customLong("output"),
        help: ArgumentHelp(
            "Which output, where a network has several, or any other tensor, after which the file is not read (default: its first output, or the store's). index and layers take it several times: the first is the answer.",
            valueName: "name"))
    var outputs: [String] = []

    @Option(
        help: ArgumentHelp(
            "Height and width of the pictures, such as 224x224 or 224, where the network takes any.", valueName: "size"))
    var inputSize: InputSize?

    @Option(
        name: .customLong("input"),
        help: ArgumentHelp(
            "What an input beside the image holds, the same for all images: a number, numbers with commas between, or a file.npy; once for each. A store keeps it.",
            valueName: "name=value"))
    var given: [InputValue] = []

    /// An option that was given; nil of none.
    var used: String? {
        !outputs.isEmpty ? "--output" : inputSize != nil ? "--input-size" : given.isEmpty ? nil : "--input"
    }

    /// The answer.
    var output: String? { outputs.first }

    /// What was given, in place of what `options` have.
    /// - Throws: `NumpyError` for a file of an input that is no array; `ValidationError` for one that is too large.
    func apply(to options: inout Network.Options) throws {
        if !outputs.isEmpty { (options.output, options.others) = (output, Array(outputs.dropFirst())) }
        if let inputSize { options.inputSize = (inputSize.height, inputSize.width) }
        if !given.isEmpty { options.inputs = try given.map { try $0.read() } }
    }

    /// What says the same again.
    var arguments: [String] {
        outputs.flatMap { Spelling.option("--output", $0) }
            + Spelling.option("--input-size", inputSize.map { "\($0.height)x\($0.width)" })
            + given.flatMap { Spelling.option("--input", $0.text) }
    }

    /// The network of a file, for one picture at a time, and how it was read.
    /// - Parameters:
    ///   - hasClasses: as in `Network.Options`.
    ///   - size: of pictures, where the file leaves that open and nothing else is said.
    /// - Throws: `NetworkError` for what is no network, and where its input size is open.
    func network(at path: String, hasClasses: Bool?, size other: Size?) throws -> (Network, Network.Options) {
        guard outputs.count <= 1 else {
            throw ValidationError(
                "--output says \(outputs.count) outputs, and this answers with one; index keeps several in a store")
        }
        var options = Network.Options()
        (options.batch, options.hasClasses) = (1, hasClasses)
        try apply(to: &options)
        do {
            return (try Network(contentsOf: path, options: options), options)
        } catch let error as NetworkError {
            guard case .openInputSize = error, let other else { throw error }
            options.inputSize = (other.height, other.width)
            return (try Network(contentsOf: path, options: options), options)
        }
    }
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

/// `NAME=1`, `NAME=1,2,3`, `NAME=file.npy`.
struct InputValue: ExpressibleByArgument {
    let text: String
    private let name: String
    private let value: String

    /// Numbers of an input: they are kept as text in the store.
    private static let most = 2048

    /// Nil where there is no name, or nothing behind it. A name may have a `=` in it, a value has none but in a path.
    init?(argument: String) {
        guard let cut = argument.firstIndex(of: "="), cut != argument.startIndex, argument.index(after: cut) != argument.endIndex
        else { return nil }
        text = argument
        name = String(argument[..<cut])
        value = String(argument[argument.index(after: cut)...])
    }

    func read() throws -> GivenInput {
        if value.lowercased().hasSuffix(".npy") {
            let array = try NumpyArray(path: value)
            guard array.count <= Self.most else {
                throw ValidationError(
                    "--input \(text): the file has \(array.count) numbers; a store keeps at most \(Self.most) of an input beside the image"
                )
            }
            return GivenInput(name: name, shape: array.shape, values: array.floats().map { Double($0) })
        }
        let numbers = value.split(separator: ",", omittingEmptySubsequences: false).map {
            Double($0.trimmingCharacters(in: .whitespaces))
        }
        let finite = numbers.compactMap { $0 }.filter(\.isFinite)
        guard finite.count == numbers.count else {
            throw ValidationError(
                "--input \(text): after = stands a number, numbers with commas between, or a file whose name ends in .npy")
        }
        return GivenInput(name: name, values: finite)
    }
}
