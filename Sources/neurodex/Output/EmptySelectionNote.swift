import ActivationStore
import Search

extension Store {
    /// Says on standard error why there is no answer, where no image meets the condition; false where one does.
    @discardableResult
    func note(emptySelection condition: String) throws -> Bool {
        guard let empty = try emptySelection(where: condition) else { return false }
        printNote("\(empty)")
        return true
    }
}
