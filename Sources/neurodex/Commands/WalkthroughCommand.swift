import ArgumentParser
import Foundation
import Walkthrough

struct WalkthroughCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "walkthrough",
        abstract: "Work through the theory on small numbers of your own.",
        discussion: """
            Examples:

              neurodex walkthrough saliency
              neurodex walkthrough deconv --length 8 --padding 2 --filter 1,2,3,4 --stride 2
              neurodex walkthrough pool --size 3 --stride 2 --input '1,2,3,4,5;6,9,8,7,6;5,4,3,2,1;0,1,2,3,4;5,6,7,8,9'

            saliency, occlusion, cam and ascend explain a network of two filters on a picture of 4×4 numbers, or on yours.
            """,
        subcommands: [
            WalkthroughSaliency.self, WalkthroughOcclusion.self, WalkthroughCAM.self, WalkthroughAscent.self,
            WalkthroughDeconvolution.self, WalkthroughPooling.self,
        ])
}

enum WalkthroughFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json
}

struct WalkthroughDeconvolution: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deconv",
        abstract: "Show a convolution as a matrix, its transpose, and the same by sub-pixel convolution.",
        discussion: """
            Example:

              neurodex walkthrough deconv
              neurodex walkthrough deconv --length 8 --padding 2 --filter 1,2,3,4 --stride 2

            Without --filter the example is 8 numbers, padding 2, filter 1,0,0,-1, stride 2.
            """)

    @Option(help: ArgumentHelp("Numbers of the signal (default: as many as --signal has, or 8).", valueName: "count"))
    var length: Int?

    @Option(help: ArgumentHelp("Zeros on each side (default: 0, of the example 2).", valueName: "count"))
    var padding: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("The filter (default: the example's, 1,0,0,-1).", valueName: "numbers"))
    var filter: String?

    @Option(help: ArgumentHelp("How far the filter moves (default: 1, of the example 2).", valueName: "count"))
    var stride: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("The signal (default: 1,2,3,…).", valueName: "numbers"))
    var signal: String?

    @Option(help: ArgumentHelp("table for people, json for programs.", valueName: "table|json"))
    var format: WalkthroughFormat = .table

    func validate() throws { _ = try walkthrough() }

    func run() throws {
        let walk = try walkthrough()
        try printWalk(walk, as: format) { try walk.text() }
    }

    private func walkthrough() throws -> DeconvolutionWalkthrough {
        try asUsage {
            let given = try signal.map { try Numbers.list($0, name: "--signal") }
            if let given, let length, given.count != length {
                throw WalkthroughError.signalLength(given: given.count, length: length)
            }
            let count = length ?? 8
            let most = DeconvolutionWalkthrough.longest
            guard given != nil || (1...most).contains(count) else {
                throw WalkthroughError.count(name: "--length", value: count, least: 1, most: most)
            }
            return try DeconvolutionWalkthrough(
                signal: given ?? (1...count).map { Double($0) }, padding: padding ?? (filter == nil ? 2 : 0),
                filter: try Numbers.list(filter ?? "1,0,0,-1", name: "--filter"), stride: stride ?? (filter == nil ? 2 : 1))
        }
    }
}

struct WalkthroughPooling: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pool",
        abstract: "Show max pooling with its switches, and unpooling.",
        discussion: """
            Example:

              neurodex walkthrough pool --size 2 --stride 2 --input '1,3,2,4;5,2,8,1;0,6,3,3;7,1,2,9'
              neurodex walkthrough pool --store shop.sqlite --image photos/cat/1.jpg --neuron conv4:3

            Rows are separated by semicolons; a single row is pooled along its length. Windows overlap where --stride is less than --size. \
            With --image the input is a real neuron's map on it, or of a large map the part around its maximum.
            """)

    @Option(help: ArgumentHelp("Side of a window.", valueName: "count"))
    var size = 2

    @Option(help: ArgumentHelp("How far windows move (default: their size).", valueName: "count"))
    var stride: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("The input, rows with semicolons between them.", valueName: "numbers"))
    var input: String?

    @OptionGroup var real: RealMapOptions

    @Option(help: ArgumentHelp("table for people, json for programs.", valueName: "table|json"))
    var format: WalkthroughFormat = .table

    func validate() throws {
        guard !real.isAsked || input == nil else { throw ValidationError("--input and --image are two inputs; leave one out") }
        if !real.isAsked { _ = try walkthrough(of: given()) }
    }

    func run() throws {
        guard real.isAsked else {
            let walk = try walkthrough(of: given())
            return try printWalk(walk, as: format) { walk.text }
        }
        let map = try real.map(step: stride ?? size)
        let walk = try walkthrough(of: map.matrix)
        try printWalk(walk, as: format) { map.heading + "\n\n" + walk.text }
    }

    private func given() throws -> Matrix {
        try asUsage { try Numbers.matrix(input ?? "1,3,2,4;5,2,8,1;0,6,3,3;7,1,2,9", name: "--input") }
    }

    private func walkthrough(of matrix: Matrix) throws -> PoolingWalkthrough {
        try asUsage { try PoolingWalkthrough(input: matrix, size: size, stride: stride ?? size) }
    }
}

/// What cannot be walked through is a wrong use of the command.
func asUsage<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as WalkthroughError { throw ValidationError(error.description) }
}

func printWalk(_ walk: some Encodable, as format: WalkthroughFormat, text: () throws -> String) throws {
    guard format == .json else { return printOut(try text()) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    printOut(String(decoding: try encoder.encode(walk), as: UTF8.self) + "\n")
}
