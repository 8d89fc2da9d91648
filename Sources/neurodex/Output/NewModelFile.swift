import Foundation
import Support

/// A network's file that is written anew, and never over another.
enum NewModelFile {
    /// - Throws: `Failure` where there is a file of that name, or no folder for it.
    static func check(_ path: String) throws {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw Failure("\(path) is there already and is not overwritten; name a new file, or remove it")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder) else {
            throw Failure("there is no folder \(folder) to write \(path) to")
        }
    }

    static func write(_ bytes: Data, to path: String) throws {
        do {
            try bytes.write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
        } catch {
            throw Failure("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
