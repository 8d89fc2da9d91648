public import ActivationStore
import Foundation

/// The formulas that stand under the names of neurons: those of ``ConceptsQuery`` that did not come about by chance, over all
/// images.
public struct NeuronFormulas: Sendable {
    /// p, corrected for the search, above which a formula is left out.
    public static let greatestP = 0.01

    private let hits: [NeuronName: ConceptsQuery.Hit]
    /// Why there are none, if they were not searched.
    public let gap: String?

    /// - Parameters:
    ///   - neurons: `LAYER:CHANNEL`.
    ///   - quick: for a page that is waited for; else for a picture, which takes its time.
    /// - Throws: ``StoreError``, ``QueryError``. A store without labels and attributes has no formulas.
    public init(of neurons: [NeuronName], in store: Store, quick: Bool = false) throws {
        guard !neurons.isEmpty else {
            (hits, gap) = ([:], nil)
            return
        }
        guard try !quick || Self.isQuick(store) else {
            (hits, gap) = ([:], Self.takesLong)
            return
        }
        do {
            let query = ConceptsQuery(neurons: neurons.map(\.description))
            let found = try query.answer(in: store, mostWork: quick ? Self.quickWork : Self.mostWork)
            let telling = found?.filter { ($0.p ?? 1) <= Self.greatestP } ?? []
            hits = Dictionary(telling.map { ($0.neuron, $0) }) { first, _ in first }
            gap = found == nil ? Self.takesLong : nil
        } catch QueryError.noConcepts {
            (hits, gap) = ([:], nil)
        } catch StoreError.damaged(let path, let detail) {
            // Of an attribute, say; what else is drawn does not need it.
            (hits, gap) = ([:], "\(StoreError.damaged(path: path, detail: detail))")
        }
    }

    /// Nil of a neuron that no formula tells.
    public subscript(neuron: NeuronName) -> ConceptsQuery.Hit? { hits[neuron] }

    private static let takesLong = "to search them takes long; neurodex concepts does"

    /// Whether labels and attributes are looked up on all images in some 30 ms.
    private static func isQuick(_ store: Store) throws -> Bool {
        try store.read { snapshot in
            let labels = try snapshot.int("SELECT count(*) FROM label") ?? 0
            let concepts = try labels + snapshot.attributeNames().count
            return try concepts * snapshot.blocks().reduce(0, +) <= 2_000_000
        }
    }

    /// Words of 64 images that masks are compared in: some 0.3 s, and some 5 s.
    private static let quickWork = 2e7
    private static let mostWork = 4e8
}

extension SheetPlan {
    /// Writes formulas under the names of neurons.
    /// - Returns: what has to be said of it.
    /// - Throws: ``StoreError``, ``QueryError``.
    public mutating func addFormulas(in store: Store) throws -> [Remark] {
        let formulas = try NeuronFormulas(of: rows.compactMap(\.neuron), in: store)
        for index in rows.indices { rows[index].note = rows[index].neuron.flatMap { formulas[$0]?.line } }
        return formulas.gap.map { [.plain("formulas are not written under the names of neurons: \($0)")] } ?? []
    }
}

extension ConceptsQuery.Hit {
    /// `cat OR tag, AUROC 0.991`, which is that on images that the search did not see.
    public var line: String? {
        formula.map { formula in
            formula + (heldOut.map { ", AUROC " + String(format: "%.3f", $0) } ?? "")
        }
    }
}
