import ArgumentParser
import Explanations
import Foundation
import Images

/// Makes a picture again from the arguments in it, and compares.
struct FigureCheck {
    let path: String
    /// The arguments that the picture names.
    let arguments: [String]
    private let bytes: [UInt8]
    /// Whether its maps were checked by rules that are no more.
    private let hasOldChecks: Bool
    /// Whether `arguments` say what those in the picture took for granted.
    private let isSpelledOut: Bool

    /// Nil for a file that is no PNG.
    /// - Throws: `Failure` for a PNG that names no arguments.
    init?(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path), data.starts(with: [0x89, 0x50, 0x4E, 0x47]) else {
            return nil
        }
        self.path = path
        bytes = Array(data)
        let text = PNG.text(in: bytes)
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
    /// a name now.
    private static func spelledOut(_ arguments: [String]) -> [String] {
        guard arguments.first == Saliency.name, let method = arguments.firstIndex(of: "--method"),
            arguments.indices.contains(method + 1), arguments[method + 1] == Saliency.Kind.integrated.rawValue,
            !arguments.contains("--quadrature")
        else { return arguments }
        var arguments = arguments
        arguments.insert(contentsOf: ["--quadrature", Quadrature.riemannTrapezoid.rawValue], at: method + 2)
        return arguments
    }

    /// What differs between the picture and the one made anew, a sentence each; none where they are equal.
    /// - Parameters:
    ///   - store: where the store is now; nil for where it was.
    ///   - model: where the network is now.
    ///   - images: where images that have moved are now.
    func findings(store: String?, model: String?, images: String?) throws -> [String] {
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
        let again = Array(try command.figure())
        guard again != bytes else { return [] }
        let texts = textFindings(PNG.text(in: bytes), PNG.text(in: again), isMoved: store != nil)
        return try texts + pixelFindings(again)
    }

    /// The command as a user would write it.
    var line: String {
        (["neurodex"] + arguments).map { word in
            word.contains { " '\"*;&|<>()$".contains($0) } ? "'\(word.replacing("'", with: "'\\''"))'" : word
        }.joined(separator: " ")
    }

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

    private func pixelFindings(_ again: [UInt8]) throws -> [String] {
        let (old, new) = (try Self.picture(bytes), try Self.picture(again))
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
