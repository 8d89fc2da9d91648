import ActivationStore
import Foundation
import Support
import Synchronization

/// What people say of a store: whether its suspects and shortcuts are what they look like, and what its neurons see. A JSON file beside the
/// store, which stays as it is: `shop.review.json` beside `shop.sqlite`.
final class ReviewFile: Sendable {
    struct Contents: Codable, Equatable {
        /// Of the file's format.
        var version = 1
        /// SHA-256 of the network that it is of.
        var model: String
        var decisions: [Decision] = []
        var neurons: [NeuronNote] = []
    }

    let path: String
    private let model: String
    private let isReadOnly: Bool
    /// Held while the file is written.
    private let writing = Mutex(())
    private let kept = KeptUntilChanged<Contents>()

    private static let mostBytes = 64 << 20

    init(_ store: Store, isReadOnly: Bool) {
        path = Self.path(of: store.path)
        model = store.description.model.sha256
        self.isReadOnly = isReadOnly
    }

    static func path(of store: String) -> String {
        for ending in [".sqlite3", ".sqlite", ".db"] where store.hasSuffix(ending) {
            return store.dropLast(ending.count) + ".review.json"
        }
        return store + ".review.json"
    }

    /// - Throws: ``Refusal`` for a file that is none.
    func read() throws -> Contents {
        guard let state = FileState(path: path) else { return Contents(model: model) }
        return try kept.value(of: state) { try contents(of: state) }
    }

    private func contents(of state: FileState) throws -> Contents {
        guard state.bytes <= Self.mostBytes, let data = FileManager.default.contents(atPath: path),
            let contents = try? JSONDecoder().decode(Contents.self, from: data), contents.version == 1
        else {
            throw Refusal(
                sentence: "\(path) is not a review that this neurodex wrote; move it away, and reviewing begins anew",
                status: .failed)
        }
        guard contents.model == model else {
            throw Refusal(
                sentence:
                    "\(path) is a review of another network, whose hash begins with \(contents.model.prefix(12)); move it away",
                status: .failed)
        }
        return contents
    }

    /// Changes the file: a new one takes the old one's place when it is whole.
    /// - Throws: ``Refusal`` where it may not be written, or cannot.
    func change(_ body: (inout Contents) throws -> Void) throws {
        guard !isReadOnly else {
            throw Refusal(sentence: "this server only reads; serve without --read-only to review", status: .forbidden)
        }
        try writing.withLock { _ in
            var contents = try read()
            try body(&contents)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            do {
                try encoder.encode(contents).write(to: URL(fileURLWithPath: path), options: .atomic)
            } catch {
                throw Refusal(sentence: "\(path) cannot be written: \(error.localizedDescription)", status: .failed)
            }
        }
    }

    /// What a neuron is called; nil where nobody said.
    func note(of layer: String, _ channel: Int) -> NeuronNote? {
        (try? read())?.neurons.first { $0.neuron == "\(layer):\(channel)" }
    }
}

/// What somebody decided about a suspect or a shortcut.
struct Decision: Codable, Hashable, TableRow {
    enum Kind: String, Codable, CaseIterable {
        /// The label of an image is wrong.
        case suspect
        /// A neuron tells a label by a mark.
        case shortcut
    }

    enum Answer: String, Codable, CaseIterable {
        case yes, no, skip
    }

    var kind: Kind
    /// Path, and SHA-256 of the file: of a suspect.
    var image: String?
    var sha256: String?
    /// Of a shortcut.
    var neuron: String?
    var label: String
    /// The likelier label: of a suspect.
    var suggested: String?
    var answer: Answer
    var note: String
    /// ISO 8601, UTC.
    var decided: String

    /// Whether it is about the same.
    func isOf(_ other: Decision) -> Bool {
        (kind, image, neuron, label) == (other.kind, other.image, other.neuron, other.label)
    }

    static let columns: [ListColumn<Decision>] = list {
        column("kind", \.kind.rawValue)
        column("image", \.image).shortened
        column("sha256", \.sha256).forPrograms
        column("neuron", \.neuron)
        column("label", \.label).shortened
        column("suggested", \.suggested).shortened
        column("answer", \.answer.rawValue)
        column("note", \.note)
        column("decided", \.decided)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(image, forKey: .image)
        try container.encode(sha256, forKey: .sha256)
        try container.encode(neuron, forKey: .neuron)
        try container.encode(label, forKey: .label)
        try container.encode(suggested, forKey: .suggested)
        try container.encode(answer, forKey: .answer)
        try container.encode(note, forKey: .note)
        try container.encode(decided, forKey: .decided)
    }
}

/// What somebody calls a neuron.
struct NeuronNote: Codable, Hashable, Sendable {
    /// `conv4:3`.
    var neuron: String
    var name: String
    var note: String
    var decided: String
}

/// Suspects as tasks of Label Studio (https://labelstud.io/guide/tasks): the suggested label as a prediction, and what was decided as an
/// annotation. Its labelling interface has an Image `image` and Choices `label`.
struct LabelStudioTask: Encodable {
    struct Item: Encodable {
        struct Value: Encodable { var choices: [String] }
        var control = "label"
        var object = "image"
        var type = "choices"
        var value: Value

        enum CodingKeys: String, CodingKey {
            case control = "from_name"
            case object = "to_name"
            case type, value
        }
    }
    struct Result: Encodable {
        var model: String?
        var result: [Item]

        enum CodingKeys: String, CodingKey {
            case model = "model_version"
            case result
        }
    }
    struct Facts: Encodable {
        var image: String
        var label: String
        var suggested: String
        var note: String
    }
    var data: Facts
    var predictions: [Result]
    var annotations: [Result]

    /// Nil for what is not of an image.
    init?(_ decision: Decision, model: String) {
        guard decision.kind == .suspect, let image = decision.image else { return nil }
        func items(_ label: String) -> [Item] { [Item(value: Item.Value(choices: [label]))] }
        let suggested = decision.suggested ?? decision.label
        data = Facts(image: image, label: decision.label, suggested: suggested, note: decision.note)
        predictions = [Result(model: model, result: items(suggested))]
        switch decision.answer {
        case .yes: annotations = [Result(result: items(suggested))]
        case .no: annotations = [Result(result: items(decision.label))]
        case .skip: annotations = []
        }
    }
}
