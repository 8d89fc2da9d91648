import Foundation

// The messages of an ONNX file, as https://github.com/onnx/onnx/blob/main/onnx/onnx.proto declares them, with the fields that are read here.
// Names are those of the specification; a field more is one property and one line in `fields`.

struct ONNXModelProto: WireMessage {
    @Present var irVersion: Int64
    @Present var producerName: String
    @Present var producerVersion: String
    @Present var graph: ONNXGraphProto
    var opsetImport: [ONNXOperatorSetIdProto] = []
    var metadataProps: [ONNXStringStringEntryProto] = []
    var functions: [ONNXFunctionProto] = []
    var unknown = Data()

    static let fields: [MessageField<Self>] = [
        .one(1, \.$irVersion, .integer), .one(2, \.$producerName, .text), .one(3, \.$producerVersion, .text),
        .message(7, \.$graph), .messages(8, \.opsetImport), .messages(14, \.metadataProps), .messages(25, \.functions),
    ]
}

struct ONNXOperatorSetIdProto: WireMessage {
    @Present var domain: String
    @Present var version: Int64
    var unknown = Data()

    static let fields: [MessageField<Self>] = [.one(1, \.$domain, .text), .one(2, \.$version, .integer)]
}

struct ONNXStringStringEntryProto: WireMessage {
    @Present var key: String
    @Present var value: String
    var unknown = Data()

    static let fields: [MessageField<Self>] = [.one(1, \.$key, .text), .one(2, \.$value, .text)]
}

struct ONNXGraphProto: WireMessage {
    var node: [ONNXNodeProto] = []
    @Present var name: String
    var initializer: [ONNXTensorProto] = []
    var input: [ONNXValueInfoProto] = []
    var output: [ONNXValueInfoProto] = []
    var sparseInitializer: [ONNXSparseTensorProto] = []
    var unknown = Data()

    static let fields: [MessageField<Self>] = [
        .messages(1, \.node), .one(2, \.$name, .text), .messages(5, \.initializer), .messages(11, \.input),
        .messages(12, \.output),
        .messages(15, \.sparseInitializer),
    ]
}

struct ONNXNodeProto: WireMessage {
    var input: [String] = []
    var output: [String] = []
    @Present var name: String
    @Present var opType: String
    var attribute: [ONNXAttributeProto] = []
    @Present var domain: String
    @Present var overload: String
    var metadataProps: [ONNXStringStringEntryProto] = []
    var unknown = Data()

    static let fields: [MessageField<Self>] = [
        .many(1, \.input, .text), .many(2, \.output, .text), .one(3, \.$name, .text), .one(4, \.$opType, .text),
        .messages(5, \.attribute), .one(7, \.$domain, .text), .one(8, \.$overload, .text), .messages(9, \.metadataProps),
    ]
}

struct ONNXAttributeProto: WireMessage {
    @Present var name: String
    @Present var f: Float
    @Present var i: Int64
    @Present var s: Data
    @Present var t: ONNXTensorProto
    @Present var g: ONNXGraphProto
    var floats: [Float] = []
    var ints: [Int64] = []
    var strings: [Data] = []
    @Present var type: Int32
    /// In a function: the attribute of the node that calls it whose value this one has.
    @Present var refAttrName: String
    var unknown = Data()

    static let fields: [MessageField<Self>] = [
        .one(1, \.$name, .text), .one(2, \.$f, .float), .one(3, \.$i, .integer), .one(4, \.$s, .bytes), .message(5, \.$t),
        .message(6, \.$g), .many(7, \.floats, .float), .many(8, \.ints, .integer), .many(9, \.strings, .bytes),
        .one(20, \.$type, .integer), .one(21, \.$refAttrName, .text),
    ]
}

struct ONNXTensorProto: WireMessage {
    var dims: [Int64] = []
    @Present var dataType: Int32
    var floatData: [Float] = []
    var int32Data: [Int32] = []
    var int64Data: [Int64] = []
    @Present var name: String
    /// Many bytes stay in the file.
    @Present var rawData: FileBytes
    var doubleData: [Double] = []
    var externalData: [ONNXStringStringEntryProto] = []
    @Present var dataLocation: Int32
    var unknown = Data()

    static let fields: [MessageField<Self>] = [
        .many(1, \.dims, .integer), .one(2, \.$dataType, .integer), .many(4, \.floatData, .float, packed: true),
        .many(5, \.int32Data, .integer, packed: true), .many(7, \.int64Data, .integer, packed: true), .one(8, \.$name, .text),
        .one(9, \.$rawData, .part), .many(10, \.doubleData, .double, packed: true), .messages(13, \.externalData),
        .one(14, \.$dataLocation, .integer),
    ]
}

struct ONNXSparseTensorProto: WireMessage {
    @Present var values: ONNXTensorProto
    @Present var indices: ONNXTensorProto
    var dims: [Int64] = []
    var unknown = Data()

    static let fields: [MessageField<Self>] = [.message(1, \.$values), .message(2, \.$indices), .many(3, \.dims, .integer)]
}

struct ONNXValueInfoProto: WireMessage {
    @Present var name: String
    @Present var type: ONNXTypeProto
    var unknown = Data()

    static let fields: [MessageField<Self>] = [.one(1, \.$name, .text), .message(2, \.$type)]
}

struct ONNXTypeProto: WireMessage {
    @Present var tensorType: Tensor
    var unknown = Data()

    static let fields: [MessageField<Self>] = [.message(1, \.$tensorType)]

    struct Tensor: WireMessage {
        @Present var elemType: Int32
        @Present var shape: ONNXTensorShapeProto
        var unknown = Data()

        static let fields: [MessageField<Self>] = [.one(1, \.$elemType, .integer), .message(2, \.$shape)]
    }
}

struct ONNXTensorShapeProto: WireMessage {
    var dim: [Dimension] = []
    var unknown = Data()

    static let fields: [MessageField<Self>] = [.messages(1, \.dim)]

    struct Dimension: WireMessage {
        @Present var dimValue: Int64
        @Present var dimParam: String
        var unknown = Data()

        static let fields: [MessageField<Self>] = [.one(1, \.$dimValue, .integer), .one(2, \.$dimParam, .text)]
    }
}

/// A function of the file's own, which nodes call by its name.
struct ONNXFunctionProto: WireMessage {
    @Present var name: String
    var input: [String] = []
    var output: [String] = []
    /// Names of attributes that have no default.
    var attribute: [String] = []
    var node: [ONNXNodeProto] = []
    var opsetImport: [ONNXOperatorSetIdProto] = []
    @Present var domain: String
    /// Attributes with their defaults.
    var attributeProto: [ONNXAttributeProto] = []
    @Present var overload: String
    var unknown = Data()

    static let fields: [MessageField<Self>] = [
        .one(1, \.$name, .text), .many(4, \.input, .text), .many(5, \.output, .text), .many(6, \.attribute, .text),
        .messages(7, \.node), .messages(9, \.opsetImport), .one(10, \.$domain, .text), .messages(11, \.attributeProto),
        .one(13, \.$overload, .text),
    ]
}
