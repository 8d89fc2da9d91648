public import ActivationStore

/// How the answers of two networks to the same images differ.
public struct PredictionDiff: Sendable, Encodable {
    /// One image that is answered differently.
    public struct Change: Hashable, Sendable, Encodable {
        /// Path in A.
        public var image: String
        public var imageID: Int
        /// In A.
        public var label: String?
        /// Names of the predicted classes, or their numbers.
        public var inA: String
        public var inB: String
        /// Nil where the label is none of the network's classes.
        public var isRightInA: Bool?
        public var isRightInB: Bool?

        enum CodingKeys: String, CodingKey {
            case image
            case imageID = "image_id"
            case label
            case inA = "predicted_a"
            case inB = "predicted_b"
            case isRightInA = "correct_a"
            case isRightInB = "correct_b"
        }

        /// Every key is there for every image.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(image, forKey: .image)
            try container.encode(imageID, forKey: .imageID)
            try container.encode(label, forKey: .label)
            try container.encode(inA, forKey: .inA)
            try container.encode(inB, forKey: .inB)
            try container.encode(isRightInA, forKey: .isRightInA)
            try container.encode(isRightInB, forKey: .isRightInB)
        }
    }

    /// Images that both networks answered.
    public private(set) var compared = 0
    /// Of these, with another class.
    public private(set) var changed = 0
    /// Of these, with a label that both networks have a class for.
    public private(set) var labelled = 0
    /// Shares of right answers among the labelled.
    public private(set) var accuracyInA: Double?
    public private(set) var accuracyInB: Double?
    /// Wrong in A and right in B; and the other way round.
    public private(set) var mended = 0
    public private(set) var broken = 0
    /// Broken ones first, then mended ones, then others; by A's order.
    public private(set) var changes: [Change] = []

    enum CodingKeys: String, CodingKey {
        case compared, changed, labelled
        case accuracyInA = "accuracy_a"
        case accuracyInB = "accuracy_b"
        case mended, broken
        case changes = "images"
    }

    /// How the answers of two stores differ, with every change; their neurons are not compared.
    /// - Throws: ``StoreError``.
    public static func all(from a: Store, to b: Store) throws -> PredictionDiff {
        try StorePair.read(a, b) { try PredictionDiff($0, listing: .max) }
    }

    /// - Parameter count: of changes that are listed.
    init(_ pair: StorePair, listing count: Int) throws {
        let (a, b) = (try Answers(pair.a), try Answers(pair.b))
        let translated = Self.translation(pair.b.fold.description.classes, to: pair.a.fold.description.classes)
        var right = (a: 0, b: 0)
        var places: [[Int]] = [[], [], []]
        for place in 0..<pair.count {
            guard a.predicted[place] >= 0, b.predicted[place] >= 0 else { continue }
            compared += 1
            let (one, other) = (a.isRight(place), b.isRight(place))
            if let one, let other {
                labelled += 1
                right = (right.a + (one ? 1 : 0), right.b + (other ? 1 : 0))
                if one != other { if one { broken += 1 } else { mended += 1 } }
            }
            let answer = Int(b.predicted[place])
            guard translated.map({ $0.indices.contains(answer) ? $0[answer] : -1 }) ?? answer != Int(a.predicted[place]) else {
                continue
            }
            changed += 1
            let kind = one == true && other == false ? 0 : one == false && other == true ? 1 : 2
            if places[kind].count < count { places[kind].append(place) }
        }
        if labelled > 0 {
            (accuracyInA, accuracyInB) = (Double(right.a) / Double(labelled), Double(right.b) / Double(labelled))
        }
        let names = try ImageNames(pair.a.snapshot)
        changes = try places.joined().prefix(count).map { place in
            let id = pair.a.images[place]
            let (path, label) = try names.of(id)
            return Change(
                image: path, imageID: id, label: label, inA: Self.name(a.predicted[place], pair.a),
                inB: Self.name(b.predicted[place], pair.b), isRightInA: a.isRight(place), isRightInB: b.isRight(place))
        }
    }

    private static func name(_ channel: Int32, _ side: StorePair.Side) -> String {
        let classes = side.fold.description.classes
        return classes.indices.contains(Int(channel)) ? classes[Int(channel)] : String(channel)
    }

    /// The channels of A that classes of B have, by name; −1 for one that A has not. Nil where channels are the same, or names not known.
    private static func translation(_ b: [String], to a: [String]) -> [Int]? {
        guard !a.isEmpty, !b.isEmpty, a != b else { return nil }
        return b.map { a.firstIndex(of: $0) ?? -1 }
    }
}

/// What a network answered, by place in the pair.
private struct Answers {
    /// Channels of the logits, the first one of those with the same name; −1 where there was no answer.
    var predicted: [Int32]
    /// Channels of the labels' classes; −1 where there is none.
    private var wanted: [Int32]

    init(_ side: StorePair.Side) throws {
        let first = side.fold.description.firstOfSameName
        predicted = [Int32](repeating: -1, count: side.images.count)
        wanted = predicted
        let select = try RawStatement(
            side.snapshot,
            """
            SELECT image.id, predicted_class_id, class_id FROM image LEFT JOIN label ON label.id = image.label_id ORDER BY image.id
            """)
        while try select.step() {
            guard let place = side.place(ofImage: select.int(0)) else { continue }
            func channel(_ column: Int32) -> Int32 {
                let channel = select.int(column)
                return Int32(truncatingIfNeeded: first.indices.contains(channel) ? first[channel] : channel)
            }
            if !select.isNull(1) { predicted[place] = channel(1) }
            if !select.isNull(2) { wanted[place] = channel(2) }
        }
    }

    /// Nil where it is not known.
    func isRight(_ place: Int) -> Bool? {
        wanted[place] < 0 || predicted[place] < 0 ? nil : wanted[place] == predicted[place]
    }
}
