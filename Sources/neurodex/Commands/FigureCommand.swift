import ArgumentParser
import Explanations
import Foundation
import Images

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
    /// The picture; everything in it is made anew, and nothing is kept or printed.
    func figure() throws -> FigureFile
}

/// A picture and what made it, as it is written.
struct FigureFile {
    enum Format {
        case png, svg, pdf

        /// By the ending of a file's name; PNG for standard output.
        init(path: String) {
            self =
                switch (path as NSString).pathExtension.lowercased() {
                case "svg": .svg
                case "pdf": .pdf
                default: .png
                }
        }

        /// By how a file begins.
        init(of bytes: [UInt8]) {
            self = bytes.starts(with: SVG.signature) ? .svg : bytes.starts(with: PDF.signature) ? .pdf : .png
        }

        /// The texts of a file.
        func text(in bytes: [UInt8]) -> [PNGText] {
            switch self {
            case .png: PNG.text(in: bytes)
            case .svg: SVG.text(in: bytes)
            case .pdf: PDF.text(in: bytes)
            }
        }
    }

    private enum Drawing {
        case page(Page)
        /// A moving picture, milliseconds a frame.
        case film([Image], Int)
    }

    private let drawing: Drawing
    private let provenance: Provenance

    init(page: Page, provenance: Provenance) { (drawing, self.provenance) = (.page(page), provenance) }

    /// - Precondition: there is a frame, and all are of one size.
    init(film frames: [Image], milliseconds: Int, provenance: Provenance) {
        (drawing, self.provenance) = (.film(frames, milliseconds), provenance)
    }

    /// The same picture always gives the same bytes.
    func data(as format: Format) throws -> Data {
        switch (drawing, format) {
        case (.page(let page), .png): Data(try page.rendered().pngData(text: provenance.text))
        case (.page(let page), .svg): Data(try page.svgData(text: provenance.text))
        case (.page(let page), .pdf): Data(try page.pdfData(text: provenance.text))
        case (.film(let frames, let milliseconds), _):
            Data(try PNG.animation(of: frames, milliseconds: milliseconds, text: provenance.text))
        }
    }
}

/// Writes a picture to a file that the user named, whose ending says how.
func write(_ figure: FigureFile, to path: String) throws {
    try write(try figure.data(as: FigureFile.Format(path: path)), to: path)
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

/// `--size`, which every command has that draws explanations.
struct SizeOption: ParsableArguments {
    @Option(
        name: .customLong("size"),
        help: ArgumentHelp("The longer side of each picture in a figure; text grows with it.", valueName: "pixels"))
    var given: Int?

    func validate() throws {
        if let given, !(64...4096).contains(given) { throw ValidationError("--size takes 64 to 4096 pixels, not \(given)") }
    }

    func pixels(_ standard: Int) -> Int { given ?? standard }
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
