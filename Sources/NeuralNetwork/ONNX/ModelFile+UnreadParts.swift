import Foundation
import SwiftProtobuf

extension ModelFile {
    /// ModelProto.functions and GraphProto.sparse_initializer, and what names them: FunctionProto.name; SparseTensorProto.values and
    /// TensorProto.name.
    private static let functions = (field: 25, name: [1])
    private static let sparse = (field: 15, name: [1, 8])

    /// Parts of the format that neurodex does not read, told by what they are: without them a node would read what is not there.
    /// - Throws: `NetworkError.graph`.
    func refuseUnreadParts() throws {
        let functions = Self.names(Self.functions.field, Self.functions.name, in: proto.unknownFields.data)
        let used = functions.filter { name in proto.graph.node.contains { $0.opType == name } }
        if let first = used.first {
            let others = used.count > 1 ? " and \(used.count - 1) more" : ""
            throw NetworkError.graph(
                problem:
                    "it calls functions of its own ('\(first)'\(others), ONNX's model-local functions), which neurodex does not read; write them out with onnx.inliner.inline_local_functions"
            )
        }
        let weights = Self.names(Self.sparse.field, Self.sparse.name, in: proto.graph.unknownFields.data)
        if let first = weights.first {
            let others = weights.count > 1 ? " and \(weights.count - 1) more" : ""
            throw NetworkError.graph(
                problem:
                    "its weight '\(first)'\(others) is sparse (sparse_initializer), which neurodex does not read; export the network with dense weights"
            )
        }
    }

    /// Of all fields `number`, the text that stands in each along `path`.
    private static func names(_ number: Int, _ path: [Int], in data: Data) -> [String] {
        data.withUnsafeBytes { bytes in
            bodies(number, of: bytes, in: 0..<bytes.count).map { body in
                var place = body
                for number in path {
                    guard let inner = bodies(number, of: bytes, in: place).first else { return "without a name" }
                    place = inner
                }
                return String(decoding: bytes[place], as: UTF8.self)
            }
        }
    }

    /// Where the values of all fields `number` of a message stand.
    private static func bodies(_ number: Int, of bytes: UnsafeRawBufferPointer, in message: Range<Int>) -> [Range<Int>] {
        var (found, place) = ([Range<Int>](), message.lowerBound)
        while place < message.upperBound, let field = Field(bytes, in: place..<message.upperBound) {
            if field.number == number, let body = field.body { found.append(body) }
            place = field.whole.upperBound
        }
        return found
    }
}
