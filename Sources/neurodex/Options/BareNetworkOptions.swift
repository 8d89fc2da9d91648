import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search

/// What a network's own file leaves open, where there is no store that says it.
struct BareNetworkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Names of the classes, one a line in the order of the network's scores.", valueName: "file"),
        completion: .file())
    var classes: String?

    @Option(
        help: ArgumentHelp(
            "Where labels come from, as for index: a .csv, a text, folders or none (default: folders).", valueName: "source"),
        completion: .file())
    var labels: String?

    @OptionGroup var reading: NetworkOptions
    @OptionGroup var preprocessing: PreprocessingOptions

    /// An option that was given; nil of none.
    var used: String? {
        classes != nil ? "--classes" : labels != nil ? "--labels" : reading.used ?? preprocessing.used
    }

    /// What makes the same network of the same file, and gives the same labels.
    func arguments(of network: any AnsweringNetwork) throws -> [String] {
        guard let alone = network as? BareNetworkAnswers else { return [] }
        return Spelling.option("--classes", classes) + Spelling.option("--labels", labels)
            + reading.arguments
            + alone.explainer.preprocessing.arguments(takesBytes: alone.explainer.network.input.takesBytes)
    }

    /// Whether a file is there that is no store; an empty one is a store that was begun.
    static func isNetwork(_ path: String) -> Bool {
        guard !ChosenImages.isFolder(path), let file = FileHandle(forReadingAtPath: path),
            let start = try? file.read(upToCount: 16), !start.isEmpty
        else { return false }
        return !start.elements(equal: "SQLite format 3\0")
    }

    /// - Throws: `NetworkError` for what is no network, and where its input size is open; `Failure` for one without scores of classes.
    func network(at path: String) throws -> BareNetworkAnswers {
        let (network, options) = try reading.network(
            at: path, hasClasses: classes == nil ? nil : true, size: preprocessing.statedSize)
        guard let scores = network.layers.last(where: \.isLogits), scores.height * scores.width == 1 else {
            throw Failure("\(path) answers with no scores of classes; say which output has them with --output")
        }
        let names = try classes.map { try ClassNames.read($0, count: scores.channels) } ?? []
        let recipe = try preprocessing.recipe(of: network, standard: nil, "as torchvision does")
        let description = try StoreDescription(network, preprocessing: recipe, classes: names, topCount: 1)
        return BareNetworkAnswers(
            explainer: Explainer(
                description, preprocessing: recipe, network: try DifferentiableNetwork(contentsOf: path, options: options)))
    }
}

extension Data {
    fileprivate func elements(equal text: String) -> Bool { elementsEqual(text.utf8) }
}

/// A network that says what it answers on images.
protocol AnsweringNetwork {
    /// That images may be in.
    var store: Store? { get }
    /// In the network's order; none where they are not known.
    var classNames: [String] { get }
    /// SHA-256.
    var digest: String { get }
    /// - Throws: `ImageError`, `ExplanationError`, `NetworkError`.
    func answer(on image: String) throws -> (InputImage, ClassRanking)
}

/// The network of a store.
struct StoredNetworkAnswers: AnsweringNetwork {
    let archive: ExplanationArchive

    var store: Store? { archive.store }
    var classNames: [String] { archive.store.description.classes }
    var digest: String { archive.store.description.model.sha256 }

    func answer(on image: String) throws -> (InputImage, ClassRanking) {
        let subject = try archive.subject(image)
        guard let standing = try archive.explainer().classRanking(of: subject) else {
            throw Failure("the network of \(archive.store.path) gives no class scores that could be named")
        }
        return (subject, standing)
    }
}

/// A network alone.
struct BareNetworkAnswers: AnsweringNetwork {
    let explainer: Explainer

    var store: Store? { nil }
    var classNames: [String] { explainer.description.classes }
    var digest: String { explainer.network.sha256 }

    func answer(on image: String) throws -> (InputImage, ClassRanking) {
        let subject = try InputImage(file: image, preprocessing: explainer.preprocessing)
        guard let standing = try explainer.classRanking(of: subject) else { throw ExplanationError.noScores }
        return (subject, standing)
    }
}
