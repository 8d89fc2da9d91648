import Foundation
import Support

/// An ONNX file as it stands on disk: parsed, checked to be a model of a version that can be read, and hashed.
struct ModelFile {
    /// The operator sets whose meaning the operators here follow.
    static let supportedOpsets = 7...25

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
    init(bytes: FileBytes, path: String) throws {
        self.path = path
        var proto = try Self.parse(bytes, path: path)
        var calls = FunctionCalls(proto.functions)
        if !proto.functions.isEmpty { proto.graph.node = try calls.written(proto.graph.node) }
        self.proto = proto
        let version = proto.opsetImport.first { $0.domain == "" || $0.domain == "ai.onnx" }?.version ?? 1
        opset = Int(clamping: version)
        guard Self.supportedOpsets.contains(opset) else {
            throw NetworkError.unsupportedOpset(found: opset, supported: Self.supportedOpsets)
        }
        tensors = TensorReader(directory: URL(fileURLWithPath: path).deletingLastPathComponent())
        var hash = SHA256()
        var count = 0
        for file in [bytes] + (try tensors.externalFiles(of: proto.graph)) {
            hash.update(data: file.data)
            file.release()
            count += file.count
        }
        byteCount = count
        sha256 = hash.finalize().hexadecimal
    }

    /// The graph's weights, in order.
    ///
    /// - Parameter leavesInFile: whether large ones are left in the file, to be read anew each time that they are asked for.
    /// - Throws: `NetworkError.tensor`.
    func initializers(leavingInFile leavesInFile: Bool) throws -> [HostTensor] {
        try proto.graph.initializer.map { try tensors.read($0, leavesInFile: leavesInFile) }
    }

    /// What the file says of itself; of keys that come twice, the last.
    var metadata: [String: String] {
        Dictionary(proto.metadataProps.map { ($0.key, $0.value) }) { _, last in last }
    }

    /// Whether this is the output that is computed where none is named.
    func isFirst(output: String?) -> Bool { output == nil || output == proto.graph.output.first?.name }

    private static func read(_ path: String) throws -> FileBytes {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw NetworkError.unreadable(path: path, reason: "there is no such file")
        }
        guard !isDirectory.boolValue else {
            throw NetworkError.unreadable(path: path, reason: "it is a directory; name the .onnx file in it")
        }
        // There may be no end of it.
        var status = stat()
        guard stat(path, &status) != 0 || ![S_IFCHR, S_IFBLK].contains(status.st_mode & S_IFMT) else {
            throw NetworkError.unreadable(path: path, reason: "it is a device, and no file")
        }
        do {
            return try FileBytes(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw NetworkError.unreadable(path: path, reason: error.reason)
        }
    }

    private static func parse(_ bytes: FileBytes, path: String) throws -> ONNXModelProto {
        guard bytes.count > 0 else { throw NetworkError.notAModel(path: path, found: "the file is empty") }
        if bytes.data.starts(with: Data("version https://git-lfs".utf8)) {
            throw NetworkError.notAModel(
                path: path, found: "it is a Git LFS pointer, not the file itself; fetch it with 'git lfs pull'")
        }
        let proto: ONNXModelProto
        do {
            proto = try ONNXModelProto(bytes)
        } catch {
            throw NetworkError.notAModel(
                path: path, found: "its \(bytes.count) bytes are not a whole ONNX file (cut short, or another format)")
        }
        guard proto.$graph != nil, !proto.graph.node.isEmpty || !proto.graph.output.isEmpty else {
            throw NetworkError.notAModel(path: path, found: "it holds no graph")
        }
        return proto
    }
}
