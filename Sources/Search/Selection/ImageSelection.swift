public import ActivationStore
import GRDB

extension Store {
    /// The ids of the images that meet a condition in SQL on the columns of `image_info`, ascending.
    /// - Throws: ``QueryError`` for what is no condition on images; ``StoreError``.
    public func imageIDs(where condition: String) throws -> [Int] {
        let mask = try read { try Predicate(condition, in: self, $0, images: try laneCount($0)).mask }
        return mask.indices.filter { mask[$0] != 0 }
    }

    /// One byte a lane, 1 for the images that meet a condition, or that are there at all; nil for no condition where none was removed.
    func mask(where condition: String?, _ database: Database) throws -> [UInt8]? {
        guard let condition else { return try presence(database) }
        return try Predicate(condition, in: self, database, images: try laneCount(database)).mask
    }

    /// As ``mask(where:_:)``, for a question that needs images.
    /// - Throws: ``QueryError/emptySelection(_:)`` too.
    func filledMask(where condition: String?, _ database: Database) throws -> [UInt8]? {
        let mask = try mask(where: condition, database)
        if let condition, mask?.contains(1) == false {
            throw QueryError.emptySelection(try EmptySelection(condition, "--where", in: self, database))
        }
        return mask
    }
}
