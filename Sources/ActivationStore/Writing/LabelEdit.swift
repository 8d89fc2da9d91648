/// What becomes of an image's label and split.
public struct LabelEdit: Hashable, Sendable {
    public enum Change: Hashable, Sendable {
        /// It stays what it was.
        case kept
        /// It is this from now on; nil for none.
        case set(String?)

        /// What it is where it was `old`.
        public func value(orElse old: String?) -> String? {
            if case .set(let new) = self { new } else { old }
        }
    }

    public var label: Change
    public var split: Change

    public init(label: Change = .kept, split: Change = .kept) {
        self.label = label
        self.split = split
    }
}
