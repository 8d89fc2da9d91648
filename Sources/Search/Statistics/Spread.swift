import ActivationStore

/// Images chosen from a neuron's whole distribution.
struct Spread {
    private let fold: BlockFold
    private let chooser: Chooser

    struct Part {
        var decile: Int?
        var entries: [TopScan.Entry]
    }

    init(_ choice: Choice, query: TopQuery, mask: [UInt8]?, _ snapshot: Snapshot) throws {
        fold = try BlockFold(snapshot)
        chooser = Chooser(
            choice: choice, count: query.count, seed: query.seed, mask: mask, distinct: query.distinct ? Distinct(fold) : nil)
    }

    func parts(of neuron: Int) throws -> [Part] {
        let column = try fold.column(neuron)
        return try chooser.parts(of: column.map { Double($0) }).map { part in
            Part(
                decile: part.decile,
                entries: try part.images.map { image in
                    var place = 0
                    try fold.values(of: image, NeuronSet([neuron..<neuron + 1])) { place = $2 }
                    return TopScan.Entry(image: image, value: column[image] + 0, position: place)
                })
        }
    }
}
