import Foundation
import NeuralNetwork
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

    /// - Throws: `Failure` where the file would not work, as the model that it is made of has weights in files beside it; `NetworkError`.
    static func check(_ path: String, ofModelAt model: String) throws {
        guard let folder = try ExternalWeights.folder(ofModelAt: model),
            URL(fileURLWithPath: path).deletingLastPathComponent().standardizedFileURL != folder
        else { return }
        throw Failure("the network has weights in files beside it, so that \(path) works in its folder only: \(folder.path)")
    }

    static func write(_ bytes: Data, to path: String) throws {
        do {
            try bytes.write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
        } catch {
            throw Failure("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
