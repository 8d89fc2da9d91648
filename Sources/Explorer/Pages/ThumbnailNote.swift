import ActivationStore
import Pages

extension Explorer {
    /// Says which pictures of a page are the store's thumbnails; nothing where all files are there.
    func thumbnailNote(_ ids: [Int]) -> HTML {
        thumbnailNote(Array(((try? store.images(ids: ids)) ?? [:]).values))
    }

    func thumbnailNote(_ images: [StoredImage]) -> HTML {
        let gone = images.filter { pictures.isGone($0) }.sorted { $0.id < $1.id }
        guard let first = gone.first else { return HTML() }
        let thumbnails = (try? store.thumbnails(images: gone.map(\.id)).count) ?? 0
        let side = store.description.thumbnailSide.map { " of \($0) pixels" } ?? ""
        return HTML(.p, .class("note")) {
            if thumbnails > 0 {
                "\(thumbnails) of \(images.count) shown from the store's thumbnails\(side): the files have gone, such as \(first.path). "
            }
            if thumbnails < gone.count { "\(gone.count - thumbnails) cannot be shown: neither file nor thumbnail is there. " }
            "Serve with --images FOLDER where they are now."
        }
    }
}
