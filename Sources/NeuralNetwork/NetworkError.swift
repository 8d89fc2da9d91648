import Support

/// What can be wrong with a model file or with a use of a network: the facts. `description` is the one place that makes
/// sentences of them, each naming the thing, what was expected, what was found, and the next step.
public enum NetworkError: Error, Equatable, Sendable {
    /// The file could not be read at all.
    case unreadable(path: String, reason: String)
    /// The file's content is something else; `found` says what it looks like.
    case notAModel(path: String, found: String)
    /// The model needs an operator set outside the supported range.
    case unsupportedOpset(found: Int, supported: ClosedRange<Int>)
    /// Operators that neurodex does not have, each with a node that uses it.
    case unsupportedOperators([OperatorUse])
    /// One node asks for something that its operator does not offer here.
    case node(OperatorUse, problem: String)
    /// A weight is malformed.
    case tensor(name: String, problem: String)
    /// The graph as a whole does not fit together.
    case graph(problem: String)
    /// Nothing says how large the pictures are that the network takes.
    case openInputSize(input: String)
    /// Running one image would take more memory than the machine has (`available`, bytes), or, where that is nil, far more than a file of
    /// its size should need.
    case memory(bytes: Int, height: Int, width: Int, available: Int?)
    /// A layer or output name that is not there.
    case noSuchName(kind: String, name: String, known: [String])
    /// The processor cannot multiply so.
    case precision(Precision)
    /// The arithmetic library refused.
    case kernel(layer: String, problem: String)
    /// What the file's metadata say of preprocessing cannot be meant.
    case metadata(key: String, problem: String)

    /// An operator as it stands in a model: `Conv` at node `/features/0/Conv`, in layer `features.0`.
    public struct OperatorUse: Equatable, Sendable {
        public var operatorType: String
        public var node: String
        public var layer: String

        public init(operatorType: String, node: String, layer: String) {
            self.operatorType = operatorType
            self.node = node
            self.layer = layer
        }
    }
}

extension NetworkError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            return "cannot read the model \(path): \(reason)"
        case .notAModel(let path, let found):
            return "\(path) is not an ONNX model: \(found)"
        case .unsupportedOpset(let found, let supported):
            let step =
                found > supported.upperBound ? "export it again with opset_version=17" : "convert it with onnx.version_converter"
            return
                "the model needs ONNX operator set \(found); neurodex reads \(supported.lowerBound) to \(supported.upperBound): \(step)"
        case .unsupportedOperators(let uses):
            let list = uses.map { "\($0.operatorType) (node \($0.quotedNode), layer \($0.layer))" }.joined(separator: ", ")
            let noun = uses.count == 1 ? "an operator" : "\(uses.count) operators"
            let advice =
                uses.contains(where: \.computesWithIntegers)
                ? "; of quantised networks it reads those in which QuantizeLinear and DequantizeLinear stand around ordinary operators (QDQ format)"
                : uses.contains(where: \.isAttention)
                    ? "; that is a transformer's attention in one operator: export it with opset_version=17, and without the optimiser that fuses it, so that it is written as MatMul and Softmax, which neurodex reads"
                    : ""
            return
                "the model uses \(noun) that neurodex does not have: \(list)\(advice); what stands before can be read: name a tensor of the file with --output"
        case .node(let use, let problem):
            return "\(use.operatorType) (node \(use.quotedNode), layer \(use.layer)): \(problem)"
        case .tensor(let name, let problem):
            return "the model's tensor '\(name)': \(problem)"
        case .graph(let problem):
            return "the model's graph: \(problem)"
        case .openInputSize(let input):
            return
                "the model's input '\(input)' takes pictures of any size; say which with --input-size HEIGHTxWIDTH, such as 224x224"
        case .memory(let bytes, let height, let width, let available):
            let need = "the network needs \(Self.gigabytes(bytes)) for one picture of \(height)×\(width) pixels"
            return available.map { "\(need), and this machine has \(Self.gigabytes($0)); export it for smaller pictures" }
                ?? "\(need), far more than a file of its size should; if that is meant, say --input-size \(height)x\(width)"
        case .noSuchName(let kind, let name, let known):
            let nearest = Suggestion.nearest(to: name, among: known)
            guard nearest.isEmpty else { return "there is no \(kind) '\(name)'\(Suggestion.clause(nearest))" }
            let some = known.prefix(6).joined(separator: ", ")
            return
                "there is no \(kind) '\(name)'; there \(known.count == 1 ? "is" : "are") \(some)\(known.count > 6 ? ", …" : "")"
        case .precision(let precision):
            return
                "--precision \(precision.rawValue) needs a processor that multiplies such numbers (AVX512-BF16), and this one does not; use float32"
        case .metadata(let key, let problem):
            return
                "the file's metadata '\(key)' tell no preprocessing that can be meant: \(problem); --preprocess says how pictures are prepared"
        case .kernel(let layer, let problem):
            return "layer \(layer): \(problem)"
        }
    }
}

extension NetworkError {
    private static func gigabytes(_ bytes: Int) -> String { "\((Double(bytes) / 0x1p30 * 10).rounded() / 10) GiB" }
}

extension NetworkError.OperatorUse {
    /// Whether this is one of the operators that quantised networks are made of in the QOperator format.
    var computesWithIntegers: Bool {
        operatorType.contains("QLinear") || operatorType.hasSuffix("Integer") || operatorType == "DynamicQuantizeLinear"
    }
    /// Whether this is an operator of a transformer.
    var isAttention: Bool {
        ["Attention", "RotaryEmbedding"].contains(where: operatorType.contains)
    }
    var quotedNode: String { node.isEmpty ? "without a name" : "'\(node)'" }
}
