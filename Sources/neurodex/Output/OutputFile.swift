import ArgumentParser
import Explanations
import Foundation
import Support

/// A file or folder that a command writes; `-` is standard output.
struct OutputFile {
    enum Kind {
        /// PNG, SVG or PDF.
        case picture
        /// Black and white, PNG.
        case mask
        case array
        /// Of files of its own.
        case folder
    }

    /// That the user named it with, such as `--sheet`.
    let option: String
    let path: String
    let kind: Kind

    /// Nil where the user named none.
    init?(_ option: String, _ path: String?, _ kind: Kind) {
        guard let path else { return nil }
        (self.option, self.path, self.kind) = (option, path, kind)
    }

    /// Refuses, before any work, what cannot be written.
    /// - Throws: `ValidationError` for a name that promises another kind of file, for binary data on a terminal, and for two files in one;
    ///   `ExplanationError.file` for a folder that is not there.
    static func check(_ files: OutputFile?...) throws {
        let files = files.compactMap { $0 }
        for file in files { try file.check() }
        for (index, file) in files.enumerated() {
            if let other = files[..<index].first(where: { $0.path == file.path }) {
                throw ValidationError("\(other.option) and \(file.option) both write to '\(file.path)'; name two files")
            }
        }
    }

    private func check() throws {
        guard !path.isEmpty else { throw ValidationError("\(option) names no file: its value is empty") }
        switch kind {
        case .picture: try check(endings: ["png", "svg", "pdf"], "a PNG, SVG or PDF picture")
        case .mask: try check(endings: ["png"], "a PNG picture")
        case .array: try check(endings: ["npy"], "a NumPy array (.npy)")
        case .folder:
            let ending = (path as NSString).pathExtension.lowercased()
            guard path != "-", !["png", "svg", "pdf", "npy", "jpg", "jpeg", "csv", "json"].contains(ending) else {
                throw ValidationError("\(option) names a folder here, which gets a file for each result; '\(path)' is none")
            }
        }
    }

    private func check(endings: [String], _ what: String) throws {
        let ending = endings[0]
        if path == "-" {
            guard isatty(STDOUT_FILENO) == 0 else {
                throw ValidationError(
                    "\(option) - writes \(what) to standard output, which is a terminal; send it to a file or a program: … \(option) - > out.\(ending)"
                )
            }
            return
        }
        var status = stat()
        let exists = stat(path, &status) == 0
        // A pipe or a device has the name that it has.
        if exists, status.st_mode & S_IFMT != S_IFREG, status.st_mode & S_IFMT != S_IFDIR { return }
        guard !exists || status.st_mode & S_IFMT != S_IFDIR else {
            throw ValidationError("\(option) names a file, and '\(path)' is a folder; for example \(path)/out.\(ending)")
        }
        guard endings.contains((path as NSString).pathExtension.lowercased()) else {
            let stem = (path as NSString).deletingPathExtension
            throw ValidationError("\(option) writes \(what), and '\(path)' is named otherwise; name it \(stem).\(ending)")
        }
        let folder = RealPaths.folder(of: path)
        guard folder.isEmpty || FileManager.default.fileExists(atPath: folder) else {
            throw ExplanationError.file(path: path, reason: "there is no folder '\(folder)'")
        }
    }
}

/// Prints a listing: to standard output, or to standard error where that is taken by one of the command's files.
func printListing(_ text: String, besides files: String?...) {
    guard files.contains("-") else { return printOut(text) }
    printError(text.shown(keeping: "\n\t"))
}

/// Writes a file that the user named; `-` is standard output. Where it cannot be written whole, nothing is left of it.
/// - Throws: `ExplanationError.file`.
func write(_ data: Data, to path: String) throws {
    if path == "-" { return data.withUnsafeBytes { printOut($0) } }
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
    var made = path.hasPrefix("/") ? "/" : ""
    for component in path.split(separator: "/") {
        made += component
        var status = stat()
        if stat(made, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw ExplanationError.file(path: path, reason: "\(made) is a file, and no folder")
            }
        } else if mkdir(made, 0o777) != 0, errno != EEXIST {
            throw ExplanationError.file(path: path, reason: "the folder \(made): \(String(cString: strerror(errno)))")
        }
        made += "/"
    }
}
