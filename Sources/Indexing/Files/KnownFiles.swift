public import ActivationStore
import Foundation
import Support

/// Two paths of one file, or of files with the same bytes, and how many such there are.
public struct Repetition: Equatable, Sendable {
    public var count: Int
    public var first: String
    public var second: String

    public init(count: Int, first: String, second: String) {
        (self.count, self.first, self.second) = (count, first, second)
    }

    /// One more, which is an example if it is the first.
    static func adding(_ first: String, _ second: String, to repetition: inout Repetition?) {
        if repetition == nil { repetition = Repetition(count: 0, first: first, second: second) }
        repetition?.count += 1
    }
}

/// The images that a store has, by the files that they are of.
public struct KnownFiles {
    let places: ImagePlaces
    let images: [ExactString: KnownImage]
    /// Paths of images whose files have gone.
    private(set) var gone: Set<ExactString> = []
    /// Paths of images whose files are not where the paths say, but where they would be had they moved with the store.
    private(set) var moved: Set<ExactString> = []
    /// Files that are in the store by two paths.
    private(set) var twice: Repetition?
    private var byFile: [ExactString: ExactString] = [:]
    private var skippedByFile: [ExactString: SkippedRecord] = [:]
    private let skippedByPath: [ExactString: SkippedRecord]
    private let reals = RealPaths()

    /// Of a store that is written to.
    public init(_ writer: StoreWriter) throws {
        self.init(
            try writer.knownImages(), try writer.knownSkipped(),
            ImagePlaces(try writer.imageOrigin(), storeFolder: writer.folder))
    }

    /// - Parameter store: nil for one that is not there yet.
    public init(_ store: Store?) throws {
        guard let store else {
            self.init([:], [:], ImagePlaces(nil, storeFolder: RealPaths.workingFolder))
            return
        }
        let skipped = Dictionary(try store.skipped().map { (ExactString($0.path), $0) }) { first, _ in first }
        self.init(try store.knownImages(), skipped, try ImagePlaces(store))
    }

    private init(
        _ images: [ExactString: KnownImage], _ skipped: [ExactString: SkippedRecord], _ places: ImagePlaces
    ) {
        (self.images, self.places, skippedByPath) = (images, places, skipped)
        byFile.reserveCapacity(images.count)
        for (path, image) in images.sorted(by: { $0.value.id < $1.value.id }) {
            let place = places.absolute(path.text)
            let found = places.file(of: path.text, bytes: image.bytes)
            let file = reals.real(found ?? place)
            if found == nil {
                gone.insert(path)
            } else if found != place, found != path.text, file != reals.real(place) {
                moved.insert(path)
            }
            if let other = byFile.updateValue(path, forKey: file) {
                byFile[file] = other
                Repetition.adding(other.text, path.text, to: &twice)
            }
        }
        for record in skipped.values { skippedByFile[reals.real(places.absolute(record.path))] = record }
    }

    /// The image of an item's file, with its path in the store.
    func image(of item: Dataset.Item) -> (path: ExactString, image: KnownImage)? {
        let path = byFile[reals.real(item.file)] ?? ExactString(places.kept(item.file))
        return images[path].map { (path, $0) }
    }

    func skipped(_ item: Dataset.Item) -> SkippedRecord? { skippedByFile[reals.real(item.file)] }

    /// What the store has of a file that was skipped, by its path there.
    func skipped(_ record: SkippedRecord) -> SkippedRecord? { skippedByPath[ExactString(record.path)] }
}
