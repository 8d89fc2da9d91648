import ActivationStore
import GRDBSQLite
import Support

/// `has(image, name)` and `attribute(image, name)` in SQL: what is known of an image, NULL where nothing is. `has` of a
/// number says whether the image has one. Each attribute is read once for a statement, in the statement's own view of the
/// file.
final class AttributeFunctions {
    private let path: String
    private var connection: OpaquePointer?
    private var known: [String: Attribute] = [:]
    /// Why the last statement failed, where an attribute was to blame.
    private(set) var problem: (any Error)?

    init(path: String) { self.path = path }

    /// - Returns: SQLite's code.
    func register(on connection: OpaquePointer) -> Int32 {
        self.connection = connection
        let context = Unmanaged.passUnretained(self).toOpaque()
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC
        let code = sqlite3_create_function_v2(
            connection, "has", 2, flags, context, { call, _, values in AttributeFunctions.answer(call, values, isHas: true) },
            nil, nil, nil)
        guard code == SQLITE_OK else { return code }
        return sqlite3_create_function_v2(
            connection, "attribute", 2, flags, context,
            { call, _, values in AttributeFunctions.answer(call, values, isHas: false) }, nil, nil, nil)
    }

    /// Forgets what an earlier statement found.
    func begin() { (known, problem) = ([:], nil) }

    private static func answer(
        _ call: OpaquePointer?, _ values: UnsafeMutablePointer<OpaquePointer?>?, isHas: Bool
    ) {
        guard let call, let values, let context = sqlite3_user_data(call) else { return }
        let functions = Unmanaged<AttributeFunctions>.fromOpaque(context).takeUnretainedValue()
        guard sqlite3_value_type(values[0]) == SQLITE_INTEGER, let text = sqlite3_value_text(values[1]) else {
            return sqlite3_result_null(call)
        }
        let (image, name) = (Int(sqlite3_value_int64(values[0])), String(cString: text))
        do {
            let attribute = try functions.attribute(name)
            let value = attribute[image: image]
            if isHas, attribute.kind == .number { return sqlite3_result_int(call, value == nil ? 0 : 1) }
            guard let value else { return sqlite3_result_null(call) }
            if let whole = value.wholeNumber {
                sqlite3_result_int64(call, Int64(whole))
            } else {
                sqlite3_result_double(call, value)
            }
        } catch {
            functions.problem = error
            sqlite3_result_error(call, "\(error)", -1)
        }
    }

    private func attribute(_ name: String) throws -> Attribute {
        if let found = known[name] { return found }
        guard let connection else { throw QueryError.unknownAttribute(name: name, known: []) }
        guard let found = try Attribute(named: name, connection, path: path) else {
            throw QueryError.unknownAttribute(name: name, known: names())
        }
        known[name] = found
        return found
    }

    /// All there are.
    func names() -> [String] {
        var row: OpaquePointer?
        defer { sqlite3_finalize(row) }
        guard sqlite3_prepare_v2(connection, "SELECT name FROM attribute ORDER BY name", -1, &row, nil) == SQLITE_OK else {
            return []
        }
        var names: [String] = []
        while sqlite3_step(row) == SQLITE_ROW {
            if let text = sqlite3_column_text(row, 0) { names.append(String(cString: text)) }
        }
        return names
    }
}
