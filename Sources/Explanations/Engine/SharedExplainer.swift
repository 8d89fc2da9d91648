public import ActivationStore
import Synchronization

/// A store's network for all who ask, loaded when it is first needed and once.
public final class SharedExplainer: Sendable {
    public let store: Store
    private let model: String?
    private let jobs: Int?
    private let loaded = Mutex<Explainer?>(nil)

    /// - Parameters:
    ///   - model: where the network is now; nil for where it was when the store was made.
    ///   - jobs: workers; nil for one a core.
    public init(store: Store, model: String? = nil, jobs: Int? = nil) {
        (self.store, self.model, self.jobs) = (store, model, jobs)
    }

    /// - Throws: as `Explainer`.
    public func explainer() throws -> Explainer {
        try loaded.withLock { loaded in
            if let loaded { return loaded }
            let explainer = try Explainer(store: store, model: model, jobs: jobs)
            loaded = explainer
            return explainer
        }
    }

    /// Takes the last layer that the store keeps now: one may have been fitted since the network was loaded.
    /// - Throws: `StoreError`.
    public func takeFittedLayer() throws {
        try loaded.withLock { loaded in
            guard let known = loaded, let head = try store.camHead(), head != known.camHead else { return }
            loaded = try Explainer(known, fitted: head, of: store)
        }
    }
}
