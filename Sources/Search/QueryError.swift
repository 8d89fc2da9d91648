/// What can be wrong with a question.
public enum QueryError: Error, Hashable, Sendable {
    /// SQLite does not understand `sql`.
    case wrongSQL(sql: String, reason: String)
    /// `sql` does what a question may not.
    case forbidden(sql: String, action: String)
    case severalStatements(sql: String)
    case emptySQL
    case outOfTime(seconds: Double)
    case wrongCount(Int)
    case noNeuron
    case logitsUnknown(name: String)
    /// Two options that cannot be given together.
    case conflict(String, String)
    /// An image that is at no distance from any other.
    case noDistance(image: String, reason: String)
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
        case .wrongCount(let count):
            "-k is \(count), and has to be at least 1"
        case .noNeuron:
            "name a neuron, for example LAYER:CHANNEL, LAYER or class:NAME"
        case .logitsUnknown(let name):
            "\(name) needs the network's logits, and the store records no layer of logits"
        case .conflict(let one, let other):
            "\(one) and \(other) exclude each other; leave one out"
        case .noDistance(let image, let reason):
            "\(image) cannot be compared with other images: \(reason); name another layer or --metric"
        }
    }
}
