import Search

/// The last column of a list of neurons: those that say the same, which stand in no row of their own.
struct CopiesColumn {
    private let copies: [[NeuronName]]
    private let spot: String?

    /// - Parameter counted: what a row's neurons have in common, to be said with their number.
    init(_ copies: [[NeuronName]], counted spot: String? = nil) { (self.copies, self.spot) = (copies, spot) }

    private var isThere: Bool { copies.contains { !$0.isEmpty } }

    /// Its name; nothing where no neuron has a copy.
    var column: [String] { isThere ? ["copies"] : [] }

    /// How many, and the first of them.
    func cell(_ row: Int) -> [TextTable.Cell] {
        guard isThere else { return [] }
        let own = copies[row]
        guard !own.isEmpty else { return [.nothing] }
        let names = own.prefix(3).map(\.description).joined(separator: " ") + (own.count > 3 ? " …" : "")
        return [.text(spot.map { "\(own.count + 1) neurons, \($0): also \(names)" } ?? "\(own.count): \(names)")]
    }

    /// All of them.
    static func field(_ copies: [NeuronName]) -> String { copies.map(\.description).joined(separator: " ") }
}
