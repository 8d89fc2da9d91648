import ArgumentParser
import Explanations
import Foundation
import Images
import Search

/// Makes a picture again from the arguments in it, and compares.
package struct FigureCheck {
    let path: String
    /// The arguments that the picture names.
    let arguments: [String]
    private let bytes: [UInt8]
    /// Whether its maps were checked by rules that are no more.
    private let hasOldChecks: Bool
    /// Whether `arguments` say what those in the picture took for granted.
    private let isSpelledOut: Bool

    private let format: FigureFile.Format

    /// Nil for a file that is no PNG, SVG or PDF of ours.
    /// - Throws: `Failure` for a picture that names no arguments, and for one larger than any that is made here.
    package init?(path: String) throws {
        guard let bytes = try Self.picture(path) else { return nil }
        self.path = path
        self.bytes = bytes
        format = FigureFile.Format(of: bytes)
        let text = format.text(in: bytes)
        guard let arguments = Provenance.arguments(in: text) else {
            throw Failure(
                "\(path) does not say what made it, so it cannot be made again; expected a picture of neurodex, with the text neurodex:arguments in it"
            )
        }
        hasOldChecks = arguments.contains("--check") && !Provenance.namesChecks(text)
        self.arguments = Self.spelledOut(arguments)
        isSpelledOut = self.arguments != arguments
    }

    /// A picture of version 0.1 names no rule of integrated gradients: there was one, which is not the one that is taken without
    /// a name now. And sheets did not say that what neurons saw is not dark, as no sheet was; nor that formulas are not written.
    private static func spelledOut(_ arguments: [String]) -> [String] {
        var arguments = arguments
        func add(_ flag: String, unlessOneOf flags: [String]) {
            if !flags.contains(where: arguments.contains) { arguments.insert(flag, at: 1) }
        }
        if let command = arguments.first {
            let hasCrops = Neurodex.questions.contains { $0.name == command && $0.figureKind == .crops }
            if hasCrops { add("--no-formulas", unlessOneOf: ["--formulas", "--no-formulas"]) }
            if ["top", "inputs", DiffQuery.name].contains(command) {
                add("--plain", unlessOneOf: ["--dark", "--plain", "--whole"])
            }
        }
        guard arguments.first == Saliency.name, let method = arguments.firstIndex(of: "--method"),
            arguments.indices.contains(method + 1), arguments[method + 1] == Saliency.Kind.integrated.rawValue,
            !arguments.contains("--quadrature")
        else { return arguments }
        arguments.insert(contentsOf: ["--quadrature", Quadrature.riemannTrapezoid.rawValue], at: method + 2)
        return arguments
    }

    /// The bytes of a PNG, SVG or PDF; nil for another file, of which no more than the start is read: a store may be larger than
    /// the memory.
    private static func picture(_ path: String) throws -> [UInt8]? {
        // A pipe is opened without waiting for its other end.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47]
        var start = [UInt8](repeating: 0, count: signature.count)
        guard read(file, &start, start.count) == start.count,
            start == signature || SVG.signature.starts(with: start) || PDF.signature.starts(with: start)
        else {
            return nil
        }
        let most = 1 << 30
        guard status.st_size <= most else {
            throw Failure("\(path) has \(status.st_size) bytes, and no picture of neurodex has more than \(most)")
        }
        return FileManager.default.contents(atPath: path).map { Array($0) }
    }

    /// What differs between the picture and the one made anew, a sentence each; none where they are equal.
    /// - Parameters:
    ///   - store: where the store is now; nil for where it was.
    ///   - model: where the network is now.
    ///   - images: where images that have moved are now.
    ///   - allows: asked before what takes more than ``mostPasses`` passes of the network.
    package func findings(store: String?, model: String?, images: String?, allows: (Int) -> Bool) throws -> [String] {
        guard var command = try? Neurodex.parseAsRoot(arguments) as? any FigureCommand else {
            throw Failure("\(path) was made by '\(line)', which this version of neurodex does not know")
        }
        if let store { command.store = store }
        if let model { command.model = model }
        if let images { command.imagesFolder = images }
        guard FileManager.default.fileExists(atPath: command.store) else {
            throw Failure("\(path) was made from the store \(command.store), which is not there; say where it is with --store")
        }
        if hasOldChecks {
            throw Failure(
                "\(path) shows checks by an older rule, which judged random weights by their last stage alone; its checks cannot be made again. Draw it anew: \(line) -o FILE"
            )
        }
        try NamedArguments(arguments, of: path).refusePipes()
        let passes = try command.passes()
        guard passes <= Self.mostPasses || allows(passes) else {
            throw Failure("\(path) takes some \(passes) passes of the network to make again; if that is meant, say --yes")
        }
        let again = Array(try command.figure().data(as: format))
        guard again != bytes else { return [] }
        let texts = textFindings(format.text(in: bytes), format.text(in: again), isMoved: store != nil)
        guard format == .png else {
            return texts.isEmpty && !isSameDrawing(again) ? ["the drawing differs from the one made anew"] : texts
        }
        return try texts + pixelFindings(again)
    }

    /// What is done without asking, some minutes of a large network: the picture may be a stranger's.
    private static let mostPasses = 10_000

    /// What is the same where nothing differs.
    var sameness: String { format == .png ? "in every pixel" : "in every byte" }

    /// The command as a user would write it.
    var line: String { NamedArguments(arguments, of: path).line }

    private func textFindings(_ old: [PNGText], _ new: [PNGText], isMoved: Bool) -> [String] {
        let now = Dictionary(new.map { ($0.keyword, $0.text) }) { first, _ in first }
        return old.compactMap { keyword, text in
            // A store that was named anew stands elsewhere, what was taken for granted is said now, and a newer program that makes the
            // same picture makes the same picture: that is no difference.
            let isExpected = (isMoved || isSpelledOut) && keyword == "neurodex:arguments" || keyword == "Software"
            if now[keyword] == text || isExpected { return nil }
            return
                "the text \(keyword) differs: the picture says '\(Self.short(text))', made anew it says '\(Self.short(now[keyword] ?? ""))'"
        }
    }

    /// Whether two drawings are the same but for their texts.
    private func isSameDrawing(_ again: [UInt8]) -> Bool {
        if format == .pdf { return PDF.drawing(in: bytes) == PDF.drawing(in: again) }
        func drawing(_ bytes: [UInt8]) -> Substring {
            let file = String(decoding: bytes, as: UTF8.self)
            return file.range(of: "</metadata>").map { file[$0.upperBound...] } ?? file[...]
        }
        return drawing(bytes) == drawing(again)
    }

    private func pixelFindings(_ again: [UInt8]) throws -> [String] {
        let (before, now) = (PNG.frames(in: bytes), PNG.frames(in: again))
        // One picture is decoded as any other, whatever stands around it.
        guard before.count > 1 || now.count > 1 else { return try pixelFindings(bytes, again) }
        guard before.count == now.count else { return ["the film has \(before.count) frames, made anew it has \(now.count)"] }
        for (index, pair) in zip(before, now).enumerated() where pair.0 != pair.1 {
            if let finding = try pixelFindings(pair.0, pair.1).first { return ["frame \(index + 1): \(finding)"] }
        }
        return []
    }

    private func pixelFindings(_ one: [UInt8], _ other: [UInt8]) throws -> [String] {
        let (old, new) = (try Self.picture(one), try Self.picture(other))
        guard old.width == new.width, old.height == new.height else {
            return ["the picture is \(old.height)×\(old.width) pixels, made anew it is \(new.height)×\(new.width)"]
        }
        let differences = zip(old.pixels, new.pixels).map { abs(Int($0) - Int($1)) }
        let count = differences.count { $0 > 0 }
        guard count > 0 else { return [] }
        return ["\(count) of \(differences.count) pixel values differ, by up to \(differences.max() ?? 0) of 255 levels"]
    }

    private static func picture(_ bytes: [UInt8]) throws -> Image {
        let reader = ImageReader()
        return try bytes.withUnsafeBytes { bytes throws(ImageError) in try reader.decode(bytes) }
    }

    private static func short(_ text: String) -> String {
        let line = text.replacing("\n", with: " ")
        return line.count > 60 ? line.prefix(57) + "…" : line
    }
}
