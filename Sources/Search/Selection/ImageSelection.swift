public import ActivationStore

extension Store {
    /// The ids of the images that meet a condition in SQL on the columns of `image_info`, ascending.
    /// - Throws: ``QueryError`` for what is no condition on images; ``StoreError``.
    public func imageIDs(where condition: String) throws -> [Int] {
        let mask = try read { try Predicate(condition, in: $0, images: try $0.laneCount()).mask }
        return mask.indices.filter { mask[$0] != 0 }
    }

}

extension Snapshot {
    /// One byte a lane, 1 for the images that meet a condition, or that are there at all; nil for no condition where none was removed.
    func mask(where condition: String?) throws -> [UInt8]? {
        guard let condition else { return try presence() }
        return try Predicate(condition, in: self, images: try laneCount()).mask
    }

    /// As ``mask(where:)``, for a question that needs images.
    /// - Throws: ``QueryError/emptySelection(_:)`` too.
    func filledMask(where condition: String?) throws -> [UInt8]? {
        let mask = try mask(where: condition)
        if let condition, mask?.contains(1) == false {
            throw QueryError.emptySelection(try EmptySelection(condition, "--where", in: self))
        }
        return mask
    }
}
