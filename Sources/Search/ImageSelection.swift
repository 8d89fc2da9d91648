public import ActivationStore

extension Store {
    /// The ids of the images that meet a condition in SQL on the columns of `image_info`, ascending.
    /// - Throws: ``QueryError`` for what is no condition on images; ``StoreError``.
    public func imageIDs(where condition: String) throws -> [Int] {
        let lanes = try read { try laneCount($0) }
        let mask = try Predicate(condition, in: self, images: lanes).mask
        return mask.indices.filter { mask[$0] != 0 }
    }
}
