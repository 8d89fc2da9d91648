import ArgumentParser
import Walkthrough

/// The picture that the small network is explained on.
struct SmallPictureOption: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp("The picture, rows with semicolons between them.", valueName: "numbers"))
    var input = SmallNetwork.examplePicture

    @Option(help: ArgumentHelp("table for people, json for programs.", valueName: "table|json"))
    var format: WalkthroughFormat = .table

    func network() throws -> SmallNetwork {
        try asUsage { try SmallNetwork(picture: try Numbers.matrix(input, name: "--input")) }
    }

    func print(_ text: (SmallNetwork) throws -> String) throws {
        let network = try network()
        try printWalk(network, as: format) { try text(network) }
    }
}

struct WalkthroughSaliency: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "saliency", abstract: "The gradient of a score by every pixel, of a network that fits on a page.")

    @OptionGroup var picture: SmallPictureOption

    func validate() throws { _ = try picture.network() }
    func run() throws { try picture.print { $0.saliencyText } }
}

struct WalkthroughOcclusion: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "occlusion", abstract: "What a score loses while a window covers a part of the picture, number by number.")

    @OptionGroup var picture: SmallPictureOption

    func validate() throws { _ = try picture.network() }
    func run() throws { try picture.print { $0.occlusionText } }
}

struct WalkthroughCAM: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cam", abstract: "How a score is shared out over the places of the last maps.")

    @OptionGroup var picture: SmallPictureOption

    func validate() throws { _ = try picture.network() }
    func run() throws { try picture.print { $0.classMapText } }
}

struct WalkthroughAscent: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ascend", abstract: "Gradient ascent on L = s − λ‖x‖², step by step.")

    @OptionGroup var picture: SmallPictureOption

    @Option(help: ArgumentHelp("Steps.", valueName: "count"))
    var steps = 8

    @Option(help: ArgumentHelp("How far a step goes.", valueName: "number"))
    var rate = 0.5

    @Option(help: ArgumentHelp("λ of λ‖x‖².", valueName: "number"))
    var l2 = 0.05

    func validate() throws {
        _ = try picture.network()
        guard (1...64).contains(steps) else { throw ValidationError("--steps takes a count from 1 to 64, not \(steps)") }
        guard rate > 0, rate <= 10 else { throw ValidationError("--rate takes a number above 0, up to 10, not \(rate)") }
        guard l2 >= 0, l2 <= 10 else { throw ValidationError("--l2 takes a number from 0 to 10, not \(l2)") }
    }

    func run() throws { try picture.print { $0.ascentText(steps: steps, rate: rate, decay: l2) } }
}
