import Foundation

/// Reads the tensors of an ONNX file: inline in any of the ways the format knows, or in files beside it.
struct TensorReader: Sendable {
    /// Where the model stands; external files are looked for here and below, nowhere else.
    let directory: URL

    /// - Parameter leavesInFile: whether numbers are left in the file they are in, to be read anew each time that they are asked for.
    /// - Throws: `NetworkError.tensor` where the shape and the bytes do not fit, or an external file is not there.
    func read(_ proto: ONNXTensorProto, leavesInFile: Bool = false) throws -> HostTensor {
        let shape = try shape(of: proto)
        let count = shape.product
        let type = try type(of: proto)
        if !proto.floatData.isEmpty, type == .float {
            return HostTensor(try checked(proto.floatData, count, proto), shape: shape)
        }
        if !proto.doubleData.isEmpty, type == .double {
            return HostTensor(try checked(proto.doubleData.map { Float($0) }, count, proto), shape: shape)
        }
        if !proto.int64Data.isEmpty, type == .int64 {
            return HostTensor(try checked(proto.int64Data.map { Int($0) }, count, proto), shape: shape)
        }
        if !proto.int32Data.isEmpty {
            // The specification packs half floats and small integers into int32.
            let words = try checked(proto.int32Data, count, proto)
            switch type {
            case .float16: return HostTensor(words.map { Float(half: UInt16(truncatingIfNeeded: $0)) }, shape: shape)
            case .bfloat16: return HostTensor(words.map { Float(bitPattern: UInt32(truncatingIfNeeded: $0) << 16) }, shape: shape)
            default: return HostTensor(words.map { Int($0) }, shape: shape)
            }
        }
        let raw = try proto.dataLocation == 1 ? externalBytes(of: proto) : proto.rawData
        guard raw.count == count * type.width else {
            throw fault(proto, "needs \(count * type.width) bytes for its shape \(shape), but has \(raw.count)")
        }
        if leavesInFile, let stored = StoredFloats(raw, type: type) { return HostTensor(stored, shape: shape) }
        defer { raw.release() }
        return type.decode(raw.data, shape: shape)
    }

    func type(of proto: ONNXTensorProto) throws -> ElementType {
        guard let type = ElementType(rawValue: proto.dataType) else {
            throw fault(proto, "has elements of ONNX type \(ElementType.name(of: proto.dataType)), which neurodex does not read")
        }
        return type
    }

    /// The bytes of every external file that the graph's weights, and then the constants of its nodes, name, each once.
    func externalFiles(of graph: ONNXGraphProto) throws -> [FileBytes] {
        var seen = Set<String>()
        let constants = graph.node.flatMap(\.attribute).map(\.t)
        return try (graph.initializer + constants).filter { $0.dataLocation == 1 }.compactMap { proto in
            let location = try location(of: proto)
            return seen.insert(location).inserted ? try contents(location, for: proto) : nil
        }
    }

    private func shape(of proto: ONNXTensorProto) throws -> [Int] {
        var count = 1
        for extent in proto.dims {
            // An extent of 0 must not hide the size of the others, which strides are made of.
            let (product, overflow) = count.multipliedReportingOverflow(by: max(1, Int(extent)))
            guard extent >= 0, !overflow, product < 1 << 40 else {
                throw fault(proto, "has an impossible shape \(proto.dims)")
            }
            count = product
        }
        return proto.dims.map { Int($0) }
    }

    func externalBytes(of proto: ONNXTensorProto) throws -> FileBytes {
        let file = try contents(try location(of: proto), for: proto)
        let offset = try number("offset", in: proto) ?? 0
        let length = try number("length", in: proto) ?? max(0, file.count - offset)
        guard offset >= 0, length >= 0, offset <= file.count, length <= file.count - offset else {
            throw fault(proto, "lies at bytes \(offset)..<\(offset &+ length) of a file of \(file.count) bytes")
        }
        return file.part(offset..<offset + length)
    }

    private func location(of proto: ONNXTensorProto) throws -> String {
        guard let location = proto.externalData.first(where: { $0.key == "location" })?.value, !location.isEmpty else {
            throw fault(proto, "is kept outside the file, but does not say where")
        }
        guard !location.hasPrefix("/"), !location.split(separator: "/").contains(".."), !location.contains("\0") else {
            throw fault(proto, "is kept in '\(location)'; only files beside the model are read")
        }
        return location
    }

    private func contents(_ location: String, for proto: ONNXTensorProto) throws -> FileBytes {
        // The folder first: no links are followed on the way to a file that is not there.
        let folder = directory.resolvingSymlinksInPath()
        let file = folder.appendingPathComponent(location).resolvingSymlinksInPath()
        guard file.path.hasPrefix(folder.path.hasSuffix("/") ? folder.path : folder.path + "/") else {
            throw fault(
                proto,
                "is kept in '\(location)', a link that leads out of the model's folder; put the file itself beside the model")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
        // Only a file has an end: a pipe would be waited for, and a device read without one.
        guard attributes?[.type] as? FileAttributeType == .typeRegular,
            let bytes = try? FileBytes(contentsOf: file)
        else {
            throw fault(proto, "is kept in '\(location)', which is not there or cannot be read; put it beside the model")
        }
        return bytes
    }

    private func number(_ key: String, in proto: ONNXTensorProto) throws -> Int? {
        guard let text = proto.externalData.first(where: { $0.key == key })?.value else { return nil }
        guard let number = Int(text) else { throw fault(proto, "has '\(text)' as the \(key) of its bytes") }
        return number
    }

    private func checked<T>(_ values: [T], _ count: Int, _ proto: ONNXTensorProto) throws -> [T] {
        guard values.count == count else {
            throw fault(proto, "needs \(count) elements for its shape \(proto.dims), but has \(values.count)")
        }
        return values
    }

    private func fault(_ proto: ONNXTensorProto, _ problem: String) -> NetworkError {
        .tensor(name: proto.name, problem: problem)
    }
}
