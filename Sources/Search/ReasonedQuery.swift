public import ActivationStore

/// A question that says why its answer is empty: because nothing was found, or because there was nothing to look at.
public protocol ReasonedQuery: Query {
    /// To be asked where the answer is empty.
    /// - Throws: ``StoreError``, ``QueryError``.
    func reasonForNothing(in store: Store) throws -> Remark
}

extension Store {
    /// What is to be said where no image can be in an answer: the store has none, or none meets the condition. Nil where there
    /// are some.
    func emptiness(where condition: String?) throws -> Remark? {
        let all = try imageCount()
        guard all > 0 else { return .nothing(lookedAt: "0 images", because: "the store has none yet") }
        guard let condition, let empty = try emptySelection(where: condition) else { return nil }
        return .nothing(lookedAt: "\(all) images", because: "\(empty)")
    }
}
