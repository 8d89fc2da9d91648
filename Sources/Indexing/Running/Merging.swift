public import ActivationStore
import Support

/// Joins stores as ``Store/merge(_:into:isPartial:run:)`` does, and knows an image by its file, whatever path each store has for it.
public struct Merging {
    private let stores: [Store]
    private var plan = MergePlan()
    /// Images of all stores, each once.
    public private(set) var images = 0
    /// Files that several stores have, and that are taken from the first of them.
    public private(set) var repeated: Repetition?

    /// - Throws: ``StoreError``: stores that cannot be joined; `duplicateImage` for a file that changed between two of them.
    public init(_ paths: [String], isPartial: Bool) throws {
        stores = try Store.ordered(try paths.map { try Store.open(path: $0) }, isPartial: isPartial)
        let places = try stores.map { try ImagePlaces($0) }
        // Parts of one dataset share no file: it was found out when they were made, and a look at every file may take long.
        let areParts = try stores.allSatisfy { try $0.description.shard != nil && $0.imageOrigin()?.folder == places[0].folder }
        var known: [ExactString: (store: Int, id: Int)] = [:]
        let reals = RealPaths()
        for (index, (store, place)) in zip(stores, places).enumerated() {
            for image in try store.images() {
                let file =
                    areParts
                    ? ExactString(place.absolute(image.path))
                    : reals.real(place.file(of: image.path, bytes: image.bytes) ?? place.absolute(image.path))
                if let first = known[file], let other = try stores[first.store].image(id: first.id) {
                    guard other.sha256 == image.sha256 else {
                        throw StoreError.duplicateImage(path: store.path, image: image.path)
                    }
                    plan.leftOut[store.path, default: []].insert(image.id)
                    Repetition.adding(other.path, image.path, to: &repeated)
                    continue
                }
                known[file] = (index, image.id)
                let path = place.folder == places[0].folder ? image.path : places[0].text(of: place.absolute(image.path))
                if ExactString(path) != ExactString(image.path) { plan.paths[store.path, default: [:]][image.id] = path }
            }
        }
        images = known.count
        if try stores.contains(where: { try $0.imageOrigin() != nil }) {
            plan.origin = ImageOrigin(folder: places[0].folder, storeFolders: [])
        }
    }

    /// Writes the whole.
    /// - Throws: as ``Store/merge(_:into:isPartial:run:)``.
    public func write(to path: String, isPartial: Bool, run: RunRecord) throws {
        var plan = plan
        plan.origin?.storeFolders = [Store.folder(of: path)]
        try Store.merge(stores, into: path, isPartial: isPartial, plan: plan, run: run)
    }
}
