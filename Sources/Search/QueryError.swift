import Support

/// What can be wrong with a question.
public enum QueryError: Error, Hashable, Sendable {
    /// SQLite does not understand `sql`.
    case wrongSQL(sql: String, reason: String)
    /// `sql` does what a question may not.
    case forbidden(sql: String, action: String)
    case severalStatements(sql: String)
    case emptySQL
    case outOfTime(seconds: Double)
    case outOfMemory(megabytes: Int)
    /// A text or blob of `sql`.
    case tooLong(sql: String, megabytes: Int)
    /// The answer, where it has to be kept whole.
    case tooMuch(rows: Int, megabytes: Int)
    case wrongCount(Int)
    case noNeuron
    case logitsUnknown(name: String)
    /// Two options that cannot be given together.
    case conflict(String, String)
    /// An image that is at no distance from any other.
    case noDistance(image: String, reason: String)
    case outside(option: String, value: String, range: String)
    /// `name` stands for several neurons where one is needed.
    case oneNeuron(String)
    case unknownLabel(name: String, suggestions: [String])
    /// `known` are those that there are.
    case unknownAttribute(name: String, known: [String])
    /// Attributes whose names differ in capitals alone.
    case ambiguousAttribute(name: String, choices: [String])
    /// No label and no attribute parts the images; `idle` hold for all or none.
    case noConcepts(idle: [String])
    /// Vectors of images or words, or their names, that are not what they should be.
    case wrongVectors(file: String, reason: String)
    case unknownWord(name: String, file: String, suggestions: [String])
    /// Too few labels to tell apart.
    case noLabels
    /// None, or all, of the images have the label.
    case nothingToTell(label: String, images: Int, of: Int)
    /// Two sets of images have some in common.
    case overlap(images: Int)
    /// This option was left out, and the other set has all images.
    case emptySet(String)
    /// No image meets a condition.
    case emptySelection(EmptySelection)
    /// Two stores without an image that both have.
    case noCommonImage(String, String)
    case noCommonLayer
    /// A layer of one store that has no counterpart in the other.
    case notComparable(layer: String, reason: String)
    case wrongMatch(String, reason: String)
    /// What `suspects` was to rank by cannot judge this store's labels.
    case cannotJudge(SuspectsQuery.Judge, reason: String)
    /// A column of the store that a table of the user's has too.
    case ambiguousColumn(name: String, table: String)
    /// The network's answers cannot be right or wrong.
    case noScores(reason: String)
}

extension QueryError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wrongSQL(let sql, let reason):
            "SQLite does not understand \(sql): \(reason)"
        case .forbidden(let sql, let action):
            "\(sql) is refused: questions only read, and it would \(action)"
        case .severalStatements(let sql):
            "\(sql) holds more than one statement; ask one at a time"
        case .emptySQL:
            "the SQL statement is empty; an example: SELECT * FROM image_info LIMIT 5"
        case .outOfTime(let seconds):
            "the statement took longer than \(seconds) s and was stopped; narrow it, or raise --time-limit"
        case .outOfMemory(let megabytes):
            "the statement needed more than \(megabytes) MB of memory and was stopped; narrow it, or raise --memory-limit"
        case .tooLong(let sql, let megabytes):
            "\(sql) makes a text or blob of more than \(megabytes) MB, which is the most that there may be"
        case .tooMuch(let rows, let megabytes):
            "the answer is larger than \(megabytes) MB after \(rows) rows; add LIMIT, ask for sums, write it with --format csv, "
                + "or raise --memory-limit"
        case .wrongCount(let count):
            "-k is \(count), and has to be at least 1"
        case .noNeuron:
            "name a neuron, for example LAYER:CHANNEL, LAYER or class:NAME"
        case .logitsUnknown(let name):
            "\(name) names a class, but what this network answers are no scores of classes; name a neuron, LAYER:CHANNEL (neurodex layers STORE lists them)"
        case .conflict(let one, let other):
            "\(one) and \(other) exclude each other; leave one out"
        case .noDistance(let image, let reason):
            "\(image) cannot be compared with other images: \(reason); name another layer or --metric"
        case .outside(let option, let value, let range):
            "\(option) is \(value), and has to be in \(range)"
        case .oneNeuron(let name):
            "\(name) names all neurons of a layer; add a channel, such as \(name):0"
        case .unknownLabel(let name, let suggestions):
            "no image has the label \(name)\(Suggestion.clause(suggestions)) (neurodex info STORE lists them)"
        case .noConcepts(let idle):
            "there is nothing to make formulas of: "
                + (idle.first.map { "every label and attribute holds for all images or for none, such as \($0)" }
                    ?? "the images have no labels and no attributes")
                + "; neurodex attributes STORE --import FILE.csv gives them attributes"
        case .wrongVectors(let file, let reason):
            "\(file): \(reason)"
        case .unknownWord(let name, let file, let suggestions):
            "\(file) has no word '\(name)'\(Suggestion.clause(suggestions)); add it there, and its vector to --words"
        case .unknownAttribute(let name, let known):
            Self.unknownAttribute(name, known)
        case .ambiguousAttribute(let name, let choices):
            "\(name) may be \(choices.map { "attribute('\($0)')" }.joined(separator: " or ")); write which"
        case .noLabels:
            "this needs images of at least two labels, and the store has not; give labels to neurodex index"
        case .nothingToTell(let label, let images, let all):
            "\(images) of the \(all) images have the label \(label), so there is nothing to tell it from; loosen --where"
        case .overlap(let images):
            "\(images) \(images == 1 ? "image meets" : "images meet") both --a and --b; the two sets have to be apart"
        case .emptySet(let option):
            "no image is left for \(option), as every one meets --a"
        case .emptySelection(let selection):
            "\(selection)"
        case .noCommonImage(let a, let b):
            "\(a) and \(b) have no image in common; images are the same if their files are, byte for byte"
        case .noCommonLayer:
            "no layer of B has the name and the number of channels of one of A; name a pair with --match LAYER=LAYER"
        case .notComparable(let layer, let reason):
            "layer \(layer) cannot be compared: \(reason); name its counterpart with --match \(layer)=LAYER"
        case .wrongMatch(let text, let reason):
            "--match \(text) is not understood: \(reason)"
        case .cannotJudge(let judge, let reason):
            "--by \(judge.rawValue) cannot judge the labels of this store: \(reason); leave it out"
        case .ambiguousColumn(let name, let table):
            "\(name) is a column of the store and of \(table); write (\(name)) for the store's, or rename the table's"
        case .noScores(let reason):
            "the network's answers cannot be compared with labels: \(reason) (neurodex relabel STORE gives labels and names of classes)"
        }
    }
}

extension QueryError {
    private static func unknownAttribute(_ name: String, _ known: [String]) -> String {
        guard !known.isEmpty else {
            return
                "the store has no attribute '\(name)', and no other (neurodex attributes STORE --import FILE.csv gives it some)"
        }
        let nearest = Suggestion.nearest(to: name, among: known)
        let all = known.prefix(8).joined(separator: ", ") + (known.count > 8 ? ", … (\(known.count))" : "")
        return "the store has no attribute '\(name)'\(nearest.isEmpty ? "; there are \(all)" : Suggestion.clause(nearest))"
    }
}
