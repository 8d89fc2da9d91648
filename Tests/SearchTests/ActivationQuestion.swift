import TestSupport

/// A statement over a table of activations, and whether its rows have one order.
struct ActivationQuestion {
    private let select: String
    private let rest: String
    let isOrdered: Bool

    func sql(of table: String) -> String { "\(select) FROM \(table) a \(rest)" }

    init(_ select: String, _ rest: String, isOrdered: Bool = true) {
        self.select = select
        self.rest = rest
        self.isOrdered = isOrdered
    }

    /// Those that people ask.
    static let always = [
        ActivationQuestion("SELECT layer, channel, image_id, value, y, x", "ORDER BY neuron_id, image_id"),
        ActivationQuestion("SELECT image_id, value, y, x", "WHERE layer = 'layer1' AND channel = 0", isOrdered: false),
        // Ties come by image id, whether that is asked for or not, wherever rows come in the order of one neuron's values.
        ActivationQuestion(
            "SELECT image_id, value, y, x", "WHERE layer = 'layer0' AND channel = 0 ORDER BY value DESC, image_id LIMIT 5"),
        ActivationQuestion("SELECT image_id, value", "WHERE neuron_id = 1 ORDER BY value, image_id LIMIT 3 OFFSET 2"),
        ActivationQuestion("SELECT neuron_id, image_id, value", "ORDER BY value DESC, image_id, neuron_id LIMIT 7"),
        ActivationQuestion(
            "SELECT path, value",
            "JOIN store.image_info i ON i.id = a.image_id WHERE layer = 'layer2' AND channel = 0 AND label = 'cat' "
                + "ORDER BY value DESC, image_id LIMIT 5"),
        ActivationQuestion(
            "SELECT image_id, sum(value)", "WHERE layer = 'layer0' AND channel IN (0, 1, 2) GROUP BY image_id ORDER BY 1"),
        ActivationQuestion(
            "SELECT channel, max(value), count(*), count(value)", "WHERE layer = 'layer3' GROUP BY channel ORDER BY 1"),
        ActivationQuestion("SELECT count(*), count(value), max(value), min(value), total(image_id + x + y)", ""),
        ActivationQuestion("SELECT layer, channel, value", "WHERE image_id = 0 ORDER BY neuron_id"),
    ]

    /// Conditions, joins, groups and orders at random, with operands of every type.
    init(_ dataset: RecordedDataset, _ random: inout SeededGenerator) {
        func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: choices.indices, using: &random)] }
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
        func integer(_ high: Int) -> String {
            let number = Int.random(in: -1...high, using: &random)
            return chance(70)
                ? "\(number)"
                : pick(["'\(number)'", "\(number).0", "\(number).5", "NULL", "'z'", "1e300", "9223372036854775807"])
        }
        func real() -> String {
            pick([
                "0", "-0.0", "1", "2", "2.5", "'2'", "'x'", "NULL", "9e999", "-9e999", "4.999", "1e300", "9007199254740993",
                "x'00'",
            ])
        }
        func compared(_ column: String, _ operand: () -> String) -> String {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<9: "a.\(column) = \(operand())"
            case 9..<15: "a.\(column) \(pick(["<", ">", "<=", ">="])) \(operand())"
            case 15..<17: "a.\(column) BETWEEN \(operand()) AND \(operand())"
            default: "a.\(column) IN (\(operand()), \(operand()), \(operand()))"
            }
        }
        let name = "layer\(Int.random(in: 0...4, using: &random))"
        var conditions: [String] = []
        if chance(70) {
            conditions.append(
                chance(70)
                    ? "a.layer = '\(name)'"
                    : pick([
                        "a.layer IN ('\(name)', 'layer1')", "a.layer = upper('\(name)') COLLATE NOCASE", "a.layer LIKE '%2'",
                        "a.layer = 5",
                        "a.layer = '\(name)' AND a.layer = 'layer1'", "a.layer > '\(name)'", "a.layer = NULL",
                    ]))
        }
        let images = dataset.images.count
        if chance(60) { conditions.append(compared("channel") { integer(4) }) }
        if chance(30) { conditions.append(compared("image_id") { integer(images) }) }
        if chance(40) { conditions.append(compared("value", real)) }
        if chance(15) { conditions.append(compared("neuron_id") { integer(12) }) }
        if chance(10) { conditions.append(pick(["a.y = 0", "a.x > 2", "a.value IS NULL", "(a.channel = 1 OR a.image_id = 2)"])) }
        var join = ""
        if chance(25) {
            join = pick([
                "JOIN store.image i ON i.id = a.image_id ", "LEFT JOIN store.image i ON i.id = a.image_id + 1 ",
                "JOIN store.layer l ON l.name = a.layer AND l.ordinal = a.channel ",
            ])
            if join.hasPrefix("JOIN store.image") {
                conditions.append(pick(["i.label_id = 1", "i.id % 2 = 0", "i.split = 'val'"]))
            }
        }
        let clause = join + (conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND "))
        let group = pick(["a.image_id", "a.channel", "a.layer", "a.layer, a.channel", "a.neuron_id", "a.value", "a.y"])
        let limit = pick(["", " LIMIT \(Int.random(in: 0...20, using: &random))", " LIMIT 6 OFFSET 3", " LIMIT -1 OFFSET 2"])
        let everything = "SELECT a.layer, a.channel, a.image_id, a.value, a.y, a.x, a.neuron_id"
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5:
            let order = pick([
                "a.value DESC, a.image_id, a.neuron_id", "a.value, a.image_id, a.neuron_id", "a.neuron_id, a.image_id",
                "a.image_id, a.neuron_id", "a.layer, a.channel, a.image_id", "a.value DESC, a.image_id DESC, a.neuron_id",
                "a.value DESC NULLS FIRST, a.neuron_id, a.image_id",
            ])
            self.init(everything, "\(clause) ORDER BY \(order)\(limit)")
        case 5..<8:
            self.init(
                "SELECT \(group), count(*), count(a.value), max(a.value), min(a.image_id), sum(a.x)",
                "\(clause) GROUP BY \(group) ORDER BY \(group)")
        case 8: self.init("SELECT DISTINCT \(group)", clause, isOrdered: false)
        default: self.init("SELECT count(*), count(a.value), max(a.value), min(a.value), total(a.image_id)", clause)
        }
    }
}
