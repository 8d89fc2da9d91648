import Foundation

extension ONNXModelProto {
    /// The bytes of a file after some change to its graph; all else in it stays as it is.
    /// - Throws: `NetworkError` where the file cannot be read any more, and what `body` throws.
    static func rewriting(_ path: String, _ body: (inout ONNXGraphProto) throws -> Void) throws -> Data {
        var proto: ONNXModelProto
        do {
            proto = try ONNXModelProto(FileBytes(Data(contentsOf: URL(fileURLWithPath: path))))
        } catch is WireFault {
            throw NetworkError.unreadable(path: path, reason: "it is no whole ONNX file any more")
        } catch {
            throw NetworkError.unreadable(path: path, reason: error.localizedDescription)
        }
        try body(&proto.graph)
        return proto.serialized()
    }
}

extension ONNXGraphProto {
    /// What is wrong with a node, named as messages name nodes.
    func refusal(of index: Int, _ problem: String) -> NetworkError {
        .node(.init(operatorType: node[index].opType, node: node[index].name, layer: node[index].name), problem: problem)
    }
}

extension ONNXNodeProto {
    func integer(_ name: String) -> Int? { attribute.first { $0.name == name }.map { Int($0.i) } }
    func number(_ name: String) -> Float? { attribute.first { $0.name == name }?.f }
}
