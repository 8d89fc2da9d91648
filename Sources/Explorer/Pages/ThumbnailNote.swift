import ActivationStore
import Pages

extension Explorer {
    /// Says which pictures of a page are the store's thumbnails; nothing where all files are there.
    func thumbnailNote(_ ids: [Int]) -> HTML {
        thumbnailNote(ids.prefix(400).compactMap { try? store.image(id: $0) })
    }

    func thumbnailNote(_ images: [StoredImage]) -> HTML {
        let gone = images.filter { pictures.isGone($0) }
        guard let first = gone.first else { return HTML() }
        let thumbnails = gone.filter { (try? store.thumbnail(image: $0.id)) != nil }.count
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
