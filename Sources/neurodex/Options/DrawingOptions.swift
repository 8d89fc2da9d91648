import ArgumentParser
import Search

/// How a command's answer is drawn, and where to.
protocol DrawingOptions: ParsableArguments {
    /// The picture's file, under the option that named it.
    var file: OutputFile? { get }
    /// Where images that have moved are now.
    var images: String? { get set }
    /// Whole images with outlines, instead of parts of them.
    var whole: Bool { get }
    /// The longer side of each picture, in pixels; nil for what the sheet is drawn at by itself.
    var size: Int? { get }
    /// How parts of images are drawn; nil where none are.
    var shade: ShadeOption? { get }
    /// Whether formulas stand under the names of neurons; nil where no neurons are drawn.
    var writesFormulas: Bool? { get }
}

extension DrawingOptions {
    var images: String? {
        get { nil }
        set {}
    }
    var whole: Bool { false }
    var size: Int? { nil }
    var shade: ShadeOption? { nil }
    var writesFormulas: Bool? { nil }
}

/// Of a question that is not drawn.
struct NoDrawing: DrawingOptions {
    var file: OutputFile? { nil }
}

struct SheetOptions: DrawingOptions {
    @Option(help: ArgumentHelp("Draw the images on a contact sheet, a PNG, SVG or PDF.", valueName: "file"), completion: .file())
    var sheet: String?

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var images: String?

    @OptionGroup var sized: SizeOption

    var file: OutputFile? { OutputFile("--sheet", sheet, .picture) }
    var size: Int? { sized.given }
}

struct CropSheetOptions: DrawingOptions {
    @OptionGroup var plain: SheetOptions

    @Flag(help: "With --sheet: whole images, with the receptive field outlined.")
    var whole = false

    @Flag(
        inversion: .prefixedNo,
        help:
            "With --sheet: under each neuron's name the formula of labels and attributes that tells its images, as concepts finds it."
    )
    var formulas = true

    @OptionGroup var shading: ShadeOption

    var file: OutputFile? { plain.file }
    var shade: ShadeOption? { whole ? nil : shading }
    var writesFormulas: Bool? { formulas }
    var size: Int? { plain.size }

    var images: String? {
        get { plain.images }
        set { plain.images = newValue }
    }
}

/// `--dark` or `--plain`, which every command has that draws what neurons saw.
struct ShadeOption: ParsableArguments {
    enum Shade: String, EnumerableFlag {
        case dark, plain

        static func help(for value: Shade) -> ArgumentHelp? {
            switch value {
            case .dark:
                "With --sheet: where a neuron sees most of the picture, draw it dark where the neuron is silent, for which the network is run."
            case .plain: "With --sheet: draw what a neuron sees as it is; the network is not run."
            }
        }
    }

    @Flag var shade: Shade = .dark

    /// - Parameter sheet: what was drawn: plain all the same where the network could not be had.
    func arguments(of sheet: Sheet) -> [String] { ["--\((sheet.refusal == nil ? shade : .plain).rawValue)"] }
}

struct ChartOptions: DrawingOptions {
    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("Draw the answer, a PNG, SVG or PDF.", valueName: "file"),
        completion: .file())
    var picture: String?

    var file: OutputFile? { OutputFile("-o", picture, .picture) }
}

/// Which network a command runs, if it may have to.
protocol ModelOptions: ParsableArguments {
    var model: String? { get set }
}

struct NoModel: ModelOptions {
    var model: String? {
        get { nil }
        set {}
    }
}

struct ModelOption: ModelOptions {
    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"), completion: .file())
    var model: String?
}
