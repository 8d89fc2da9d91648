import Foundation
import Hashing
import SwiftProtobuf

/// An ONNX file as it stands on disk: parsed, checked to be a model of a version that can be read, and hashed.
struct ModelFile {
    /// The operator sets whose meaning the operators here follow.
    static let supportedOpsets = 7...23

    let path: String
    let proto: ONNXModelProto
    /// Version of the default operator set.
    let opset: Int
    let tensors: TensorReader
    /// Of the file's bytes, followed by those of every file of external weights in the order of first use.
    let sha256: String
    /// Of all those files.
    let byteCount: Int

    /// - Throws: `NetworkError` where there is no readable model at `path`.
    init(path: String) throws { try self.init(bytes: try Self.read(path), path: path) }

    /// - Parameter path: where the bytes stand, or would stand: files of external weights are looked for beside it.
    init(bytes: Data, path: String) throws {
        self.path = path
        proto = try Self.parse(bytes, path: path)
        let version = proto.opsetImport.first { $0.domain == "" || $0.domain == "ai.onnx" }?.version ?? 1
        opset = Int(clamping: version)
        guard Self.supportedOpsets.contains(opset) else {
            throw NetworkError.unsupportedOpset(found: opset, supported: Self.supportedOpsets)
        }
        tensors = TensorReader(directory: URL(fileURLWithPath: path).deletingLastPathComponent())
        var hash = SHA256()
        hash.update(data: bytes)
        var count = bytes.count
        for file in try tensors.externalFiles(of: proto.graph) {
            hash.update(data: file)
            count += file.count
        }
        byteCount = count
        sha256 = hash.finalize().hexadecimal
    }

    /// Whether this is the output that is computed where none is named.
    func isFirst(output: String?) -> Bool { output == nil || output == proto.graph.output.first?.name }

    private static func read(_ path: String) throws -> Data {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw NetworkError.unreadable(path: path, reason: "there is no such file")
        }
        guard !isDirectory.boolValue else {
            throw NetworkError.unreadable(path: path, reason: "it is a directory; name the .onnx file in it")
        }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            throw NetworkError.unreadable(path: path, reason: (error as NSError).localizedDescription)
        }
    }

    private static func parse(_ bytes: Data, path: String) throws -> ONNXModelProto {
        guard !bytes.isEmpty else { throw NetworkError.notAModel(path: path, found: "the file is empty") }
        if bytes.starts(with: Data("version https://git-lfs".utf8)) {
            throw NetworkError.notAModel(
                path: path, found: "it is a Git LFS pointer, not the file itself; fetch it with 'git lfs pull'")
        }
        let proto: ONNXModelProto
        do {
            proto = try ONNXModelProto(serializedBytes: bytes)
        } catch {
            throw NetworkError.notAModel(
                path: path, found: "its \(bytes.count) bytes are not a whole ONNX file (cut short, or another format)")
        }
        guard proto.hasGraph, !proto.graph.node.isEmpty || !proto.graph.output.isEmpty else {
            throw NetworkError.notAModel(path: path, found: "it holds no graph")
        }
        return proto
    }
}
