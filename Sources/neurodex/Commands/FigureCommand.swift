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

/// Writes a file that the user named. Where it cannot be written whole, nothing is left of it.
/// - Throws: `ExplanationError.file`.
func write(_ data: Data, to path: String) throws {
    func failure(_ code: Int32) -> ExplanationError { .file(path: path, reason: String(cString: strerror(code))) }
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw failure(errno) }
    var code = data.withUnsafeBytes { StandardStreams.write($0, to: file) }
    var status = stat()
    let isFile = fstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    if close(file) != 0, code == 0, errno != EINTR { code = errno }
    guard code != 0 else { return }
    if isFile { unlink(path) }
    throw failure(code)
}

/// Makes the folder that the user named, if it is not there.
/// - Throws: `ExplanationError.file`.
func makeFolder(_ path: String) throws {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        throw ExplanationError.file(path: path, reason: (error as NSError).localizedDescription)
    }
}
