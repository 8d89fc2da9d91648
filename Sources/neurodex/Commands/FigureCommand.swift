import ArgumentParser
import Explanations
import Foundation

/// A command that draws a picture and writes into it the arguments that draw it again.
protocol FigureCommand: ParsableCommand {
    /// The store it asks.
    var store: String { get set }
    /// Where the network is now; nothing to a command that runs none.
    var model: String? { get set }
    /// Where images that have moved are now; nothing to a command that needs none.
    var imagesFolder: String? { get set }
    /// About how many times `figure` runs the network, forward or back.
    func passes() throws -> Int
    /// The picture, a PNG; everything in it is made anew, and nothing is kept or printed.
    func figure() throws -> Data
}

extension FigureCommand {
    func passes() -> Int { 0 }

    var model: String? {
        get { nil }
        set {}
    }

    var imagesFolder: String? {
        get { nil }
        set {}
    }
}

/// `--images`, which every command has that needs the store's pictures.
enum ImagesOption {
    static let help = ArgumentHelp(
        "Where images that have moved are now: they are found by the end of their paths, else by name and content.",
        valueName: "folder")
}

/// `--no-keep`, which every command has whose results a store keeps.
struct KeepingOption: ParsableArguments {
    @Flag(name: .customLong("no-keep"), help: "Make the result anew, and do not keep it in the store.")
    var isRefused = false

    var keeps: Bool { !isRefused }

    /// Says why results could not be kept, if any could not.
    func report(_ archive: ExplanationArchive) {
        if let refusal = archive.refusal { printNote("not kept in the store: \(refusal)") }
    }
}
