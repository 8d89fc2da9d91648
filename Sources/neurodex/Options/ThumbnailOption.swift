import ActivationStore
import ArgumentParser
import Images
import Indexing

/// Whether `index` keeps small pictures of what the network saw.
struct ThumbnailOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Keep small pictures of at most so many pixels, so that the store can be looked at without its images; 0 for none (default: \(Thumbnail.defaultSide), unless they would be more than a tenth of the store; or as in the store).",
            valueName: "pixels"))
    var thumbnails: Int?

    /// The share of a store that thumbnails may take without being asked for.
    private static let modestShare = 0.1

    func validate() throws {
        guard let thumbnails, thumbnails != 0, !Thumbnail.sides.contains(thumbnails) else { return }
        let sides = Thumbnail.sides
        throw ValidationError(
            "--thumbnails takes 0 for none, or \(sides.lowerBound) to \(sides.upperBound) pixels, not \(thumbnails)")
    }

    /// What a new store is to be, with what is said of it where nothing was asked for.
    func chosen(for description: StoreDescription, frame: Size) -> StoreDescription {
        if let thumbnails { return description.keepingThumbnails(side: thumbnails == 0 ? nil : thumbnails) }
        let side = Thumbnail.defaultSide
        let share = description.expectedThumbnailShare(frame: frame, side: side)
        let text = percent(share)
        guard share <= Self.modestShare else {
            printNote(
                "no thumbnails are kept: they would be some \(text) of the store, more than a tenth; --thumbnails \(side) keeps them"
            )
            return description
        }
        printNote("thumbnails of \(side) pixels are kept, some \(text) of the store; --thumbnails 0 leaves them out")
        return description.keepingThumbnails(side: side)
    }

    /// Brings a store that was there to what is asked.
    /// - Returns: the side of those that are to be made of images that are there; nil where nothing is to be made.
    func apply(to writer: StoreWriter, isNew: Bool) throws -> Int? {
        guard let thumbnails, !isNew else { return nil }
        let side = thumbnails == 0 ? nil : thumbnails
        let forgotten = try writer.keepThumbnails(side: side)
        if forgotten > 0 { printNote("\(forgotten) thumbnails were forgotten; compact gives their room back") }
        return side
    }

    /// Makes those of images that are there, and says how many could not be made.
    func make(
        _ side: Int, _ preprocessing: Preprocessing, into writer: StoreWriter, _ bar: ProgressBar, isCancelled: () -> Bool
    ) throws {
        let start = ContinuousClock.now
        let summary = try ThumbnailMaking(preprocessing: preprocessing, side: side).run(
            into: writer,
            progress: { done, total in
                bar.update(done: done, total: total, seconds: (ContinuousClock.now - start) / .seconds(1), unit: "thumbnails")
            }, isCancelled: isCancelled)
        bar.clear()
        if summary.made > 0 { printNote("\(summary.made) thumbnails made of images that were there") }
        guard let example = summary.example else { return }
        printNote(
            "\(summary.missing) thumbnails not made: the file has gone or is not what was indexed, such as \(example)")
    }
}
